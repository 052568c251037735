/** How files of a connection are imported by the server that they came to. */
import type { OperationContext } from '../../operations/operation.js'
import type { ImportOptions } from './order-batch.js'
import { keepOriginals } from './original-rows.js'
import type { FileSettings } from './settings.js'

export const fileImport = (
  connection: string,
  settings: FileSettings,
  context: OperationContext,
): Omit<ImportOptions, 'badLinesMax'> => ({
  connection,
  settings,
  call: context.call,
  alias: (sku) => context.channels.connections.alias({ type: 'files', id: connection }, sku),
  keep: (orders) => keepOriginals(connection, orders, context),
})
