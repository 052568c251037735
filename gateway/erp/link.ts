/**
 * The port to an ERP: it takes the journal in batches, in the order of what happened, and may say what stock it believes
 * in. A batch that was not answered comes again under the same id with the same entries, and must then change nothing.
 */
import { IANAZone } from 'luxon'
import { z } from 'zod'
import type { EntryView } from './entry.js'

export interface JournalBatch {
  /** The same for the same entries, for ever. */
  id: string
  entries: EntryView[]
}

/** Stock as another system has it, at one time. */
export interface StockSnapshot {
  /** Names the snapshot: the same one is reconciled once. */
  id: string
  at: string
  rows: AsyncIterable<SnapshotRow> | Iterable<SnapshotRow>
}
export interface SnapshotRow {
  sku: string
  location: string
  onHand: number
}

export interface ErpLink {
  /** Resolves once the ERP has it for good; rejects where it is to be tried again. */
  deliver(batch: JournalBatch): Promise<void>
  /** The newest snapshot that it gives; undefined where there is none. */
  snapshot(): Promise<StockSnapshot | undefined>
}

const nightly = {
  reconcileAt: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day, such as "02:00"')
    .optional()
    .meta({ description: 'When stock is reconciled each day; none: only when asked' }),
  timeZone: z
    .string()
    .refine((zone) => IANAZone.isValidZone(zone), 'an IANA time zone, such as "Europe/London"')
    .default('UTC')
    .meta({ description: 'The retailer’s, by whose clocks that is' }),
}
const url = z.url({ protocol: /^https?$/ }).max(2_000)

/** How the ERP is reached, as it is put. */
export const linkSettings = z.discriminatedUnion('type', [
  z.object({ type: z.literal('none') }),
  z.object({
    type: z.literal('files'),
    ...nightly,
  }),
  z.object({
    type: z.literal('http'),
    url: url.meta({ description: 'Where batches of the journal are posted' }),
    snapshotUrl: url.optional().meta({ description: 'Where the stock that the ERP believes in is got' }),
    token: z.string().min(1).max(500).optional().meta({ description: 'Bearer token; written, never shown again' }),
    ...nightly,
  }),
])
export type LinkSettings = z.output<typeof linkSettings>

export const LINK = 'erp-link'
export const LINK_ID = 'main'

/** Entries of one batch, and lines of it: some megabytes of text. */
export const BATCH_ENTRIES_MAX = 500
export const BATCH_LINES_MAX = 20_000
