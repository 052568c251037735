/** Puts what an order document says among a file's orders, replacements and cancellations, whatever its syntax. */
import { channelOrder } from './channel-order.js'
import type { EdiFile } from './edi-file.js'
import type { Findings } from './faults.js'
import type { ReadOrder } from './order-draft.js'
import type { EdiSettings } from './settings.js'

/** `orderedOn`: the day that the partner gave it, ISO. */
export function keepOrder(
  { purpose, draft }: ReadOrder,
  orderedOn: string | undefined,
  settings: EdiSettings,
  findings: Findings,
  file: EdiFile,
): void {
  if (purpose === 'cancellation') {
    if (findings.rejected) return
    file.cancellations.push({ externalId: draft.number.text, reason: draft.notes[0] ?? 'cancelled by the buyer' })
    return
  }
  // What is wrong with the lines is told together with what is wrong with the head.
  const order = channelOrder(draft, settings, findings)
  if (!order || findings.rejected) return
  const orders = purpose === 'order' ? file.orders : file.replacements
  orders.push(order)
  if (orderedOn !== undefined) file.orderedOn.set(order.externalId, orderedOn)
}
