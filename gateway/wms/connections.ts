/** Connections to WMS as they are kept: records, whose secrets are sealed with the installation's own key. */
import type { OperationContext } from '../operations/operation.js'
import type { Sealed } from '../personal-data/vault.js'
import { WMS_CONNECTION, type WmsConnection } from './connection.js'

interface KeptConnection extends Omit<WmsConnection, 'secret'> {
  secret?: Sealed
}

type Context = Pick<OperationContext, 'records' | 'people'>

/** Sealed for this connection alone: put in the place of another one's it does not open. */
const purposeOf = (id: string): string => `wms/${id}`

const opened = ({ secret, ...rest }: KeptConnection, { people }: Context): WmsConnection => ({
  ...rest,
  ...(secret === undefined ? {} : { secret: people.vault.openSecret<string>(purposeOf(rest.id), secret) }),
})

export async function keepConnection({ secret, ...rest }: WmsConnection, { records, people }: Context): Promise<void> {
  const sealed = secret === undefined ? {} : { secret: people.vault.sealSecret(purposeOf(rest.id), secret) }
  const value: KeptConnection = { ...rest, ...sealed }
  await records.put({ kind: WMS_CONNECTION, id: rest.id, value })
}

export async function findConnection(id: string, context: Context): Promise<WmsConnection | undefined> {
  const found = await context.records.get<KeptConnection>(WMS_CONNECTION, id)
  return found && opened(found.value, context)
}

export async function listConnections(
  limit: number,
  cursor: string | undefined,
  context: Context,
): Promise<{ items: WmsConnection[]; nextCursor: string | null }> {
  const { items, nextCursor } = await context.records.list<KeptConnection>(WMS_CONNECTION, limit, cursor)
  return { items: items.map(({ value }) => opened(value, context)), nextCursor }
}
