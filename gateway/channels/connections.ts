/** Connections to channels and the aliases of their SKUs: kept as records, secrets sealed, all of them in memory. */
import type { OperationContext } from '../operations/operation.js'
import type { Sealed } from '../personal-data/vault.js'
import type { ChannelType, Connection } from './channel.js'
import type { Alias, ConnectionBook } from './channel-desk.js'
import { mapped } from './connection-settings.js'

const CONNECTION = 'channel'
const ALIAS = 'channel-alias'

interface KeptConnection {
  name: string
  secret: Sealed
  settings: Record<string, unknown>
}

/** What every connection may be told besides what its channel needs. */
export interface CommonSettings {
  /** Units of each SKU that the channel does not see. */
  buffer: number
  /** Whether it is told what it may sell. */
  pushesStock: boolean
  /** Whether its counts are ours: only where stock is kept there. */
  takesStock: boolean
}

export const commonSettings = ({ settings }: Connection): CommonSettings => ({
  buffer: typeof settings.buffer === 'number' ? settings.buffer : 0,
  pushesStock: settings.pushesStock === true,
  takesStock: settings.takesStock === true,
})

/** Ours of a location of theirs. */
export const placeOf = ({ settings }: Connection, theirs: string | undefined): string | undefined =>
  // Whatever the channel, its schema has made it so.
  mapped((settings as { locations?: Record<string, string> }).locations ?? {}, theirs)

const keyOf = (type: ChannelType, id: string): string => `${type}/${id}`
const secretName = (key: string): string => `channel/${key}`

export class Connections implements ConnectionBook {
  private readonly all = new Map<string, Connection>()
  /** By connection, by their SKU. */
  private readonly aliases = new Map<string, Map<string, Alias>>()

  constructor(private readonly context: Pick<OperationContext, 'records' | 'people'>) {}

  async load(): Promise<void> {
    const { records, people } = this.context
    for (const { id: key, value } of await records.all<KeptConnection>(CONNECTION)) {
      const [type, id] = split(key)
      const secret = people.vault.openSecret<string>(secretName(key), value.secret)
      this.all.set(key, { type, id, name: value.name, secret, settings: value.settings })
    }
    for (const { id: key, value } of await records.all<Alias>(ALIAS)) {
      const [connection, theirs] = aliasOf(key)
      this.aliasesOf(connection).set(theirs, value)
    }
  }

  get(type: ChannelType, id: string): Connection | undefined {
    return this.all.get(keyOf(type, id))
  }

  /** The connection that an order's channel names. */
  byChannel(channel: string): Connection | undefined {
    return [...this.all.values()].find(({ id }) => id === channel)
  }

  list(): Connection[] {
    return [...this.all.values()]
  }

  async put(connection: Connection): Promise<void> {
    const { type, id, name, secret, settings } = connection
    const key = keyOf(type, id)
    const sealed = this.context.people.vault.sealSecret(secretName(key), secret)
    const kept: KeptConnection = { name, secret: sealed, settings: { ...settings } }
    await this.context.records.put({ kind: CONNECTION, id: key, value: kept })
    this.all.set(key, connection)
  }

  async putAlias({ type, id }: Connection, theirs: string, alias: Alias): Promise<void> {
    const key = keyOf(type, id)
    await this.context.records.put({ kind: ALIAS, id: `${key}/${theirs}`, value: alias })
    this.aliasesOf(key).set(theirs, alias)
  }

  alias({ type, id }: Pick<Connection, 'type' | 'id'>, theirs: string): Alias {
    return this.aliases.get(keyOf(type, id))?.get(theirs) ?? { sku: theirs, quantity: 1 }
  }

  /** What the channel calls our SKUs: what has an alias goes by that alone. */
  theirSkus({ type, id }: Connection): Map<string, { theirs: string; quantity: number }[]> {
    const names = new Map<string, { theirs: string; quantity: number }[]>()
    for (const [theirs, { sku, quantity }] of this.aliases.get(keyOf(type, id)) ?? []) {
      names.set(sku, [...(names.get(sku) ?? []), { theirs, quantity }])
    }
    return names
  }

  private aliasesOf(key: string): Map<string, Alias> {
    let aliases = this.aliases.get(key)
    if (!aliases) {
      aliases = new Map()
      this.aliases.set(key, aliases)
    }
    return aliases
  }
}

function split(key: string): [ChannelType, string] {
  const at = key.indexOf('/')
  // Written by `put`, which has a channel's type.
  return [key.slice(0, at) as ChannelType, key.slice(at + 1)]
}

/** Connection ids hold no slash, their SKUs may. */
function aliasOf(key: string): [string, string] {
  const at = key.indexOf('/', key.indexOf('/') + 1)
  return [key.slice(0, at), key.slice(at + 1)]
}
