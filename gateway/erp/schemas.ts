/** The shapes of the ERP's calls. */
import { z } from 'zod'
import { orderId } from '../order-schemas.js'
import { entityId, locationName, page, quantity, skuName } from '../schemas.js'
import { JOURNAL_CURSOR } from './journal-query.js'

const time = z.iso.datetime({ offset: true })
const cursor = z.string().regex(JOURNAL_CURSOR, 'a cursor that this list gave').optional()
const account = z
  .string()
  .min(1)
  .max(140)
  .optional()
  .meta({ description: 'An account of money or units, such as receivable or stock:W1' })

export const journalQuery = page.extend({
  cursor,
  from: time.optional(),
  to: time.optional().meta({ description: 'Before it' }),
  order: orderId.optional(),
  account,
})
export const journalText = journalQuery.omit({ limit: true, cursor: true })
export const invoiceQuery = page.extend({
  cursor,
  from: time.optional(),
  to: time.optional(),
  order: orderId.optional(),
})
export const checkQuery = z.object({ cursor })

/** Rows of a snapshot in one request: what the body's limit holds. */
const SNAPSHOT_ROWS_MAX = 10_000
const text = (max: number) => z.string().min(1).max(max)

export const reconciliation = z.object({
  id: entityId.optional().meta({ description: 'The same one is compared once' }),
  snapshot: z
    .array(z.object({ sku: skuName, location: locationName, onHand: quantity.or(z.literal(0)) }))
    .min(1)
    .max(SNAPSHOT_ROWS_MAX)
    .refine(
      (rows) => new Set(rows.map(({ sku, location }) => JSON.stringify([sku, location]))).size === rows.length,
      'each SKU at each location stands once; put rows of one place together',
    ),
  at: time.optional().meta({ description: 'When the snapshot was taken; none: now' }),
})
export const application = z.object({ reason: text(200).default('reconciliation'), by: text(100).default('api') })
