/** How far the ERP has been told of the journal, as it is kept. */
import type { OperationContext } from '../operations/operation.js'
import { LINK_ID } from './link.js'

export const EXPORT = 'erp-export'

export interface ExportState {
  /** For each partition the last entry that was delivered. */
  upTo: Record<string, string>
  /** The batch that is under way: entries of a partition behind `after`, up to `last`. */
  batch?: { id: string; partition: number; after: string; last: string }
  failures: number
  lastError?: string
}

export const exportState = async ({ records }: Pick<OperationContext, 'records'>): Promise<ExportState> =>
  (await records.get<ExportState>(EXPORT, LINK_ID))?.value ?? { upTo: {}, failures: 0 }
