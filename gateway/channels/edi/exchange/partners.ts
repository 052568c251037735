/** Which connection is whose: the partners of EDI, and who of them does the work of a location. */
import type { OperationContext } from '../../../operations/operation.js'
import type { ChannelOrder, Connection } from '../../channel.js'
import type { EdiSettings } from '../settings.js'
import { settingsOf } from './document-store.js'
import type { Doer } from './fulfillment-documents.js'

/** A connection is made anew when it is put, so what was read of its settings stays right. */
const read = new WeakMap<Connection, EdiSettings>()

export function ediSettingsOf(connection: Connection): EdiSettings {
  const known = read.get(connection) ?? settingsOf(connection)
  read.set(connection, known)
  return known
}

export const ediConnections = ({ channels }: OperationContext): Connection[] =>
  channels.connections.list().filter(({ type }) => type === 'edi')

/** Where the settings name not both ends, documents go back as the order came. */
export function partnerSettings(connection: Connection, origin: ChannelOrder['origin']): EdiSettings {
  const settings = ediSettingsOf(connection)
  const ours = settings.ours ?? origin?.receiver
  const theirs = settings.theirs ?? origin?.sender
  return { ...settings, ...(ours ? { ours } : {}), ...(theirs ? { theirs } : {}) }
}

/** The partner that runs a location or drop-ships from it. */
export function doerOf(location: number, context: OperationContext): Doer | undefined {
  const name = context.directory.name('locations', location)
  for (const connection of ediConnections(context)) {
    const settings = ediSettingsOf(connection)
    const warehouse = own(settings.warehouses, name)
    if (warehouse !== undefined) return { connection, settings, kind: 'warehouse', code: warehouse }
    const supplier = own(settings.suppliers, name)
    if (supplier !== undefined) return { connection, settings, kind: 'supplier', code: supplier }
  }
  return undefined
}

const own = (map: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(map, name) ? map[name] : undefined
