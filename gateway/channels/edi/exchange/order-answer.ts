/** What we say of a partner's order: which lines are accepted, wait for stock, or are refused (855, ORDRSP). */
import { money } from '../../../money.js'
import type { OpenedOrder } from '../../../personal-data/opened-order.js'
import type { OrderResponseDocument } from '../documents.js'
import { partyOf } from './parties.js'
import { day, inTheirs, type PartnerLine, unitsOf } from './partner-lines.js'

const UNDECIDED = ['received', 'validating', 'on_hold', 'sourcing']

/** The quantities of each line; undefined as long as it is not decided what becomes of them all. */
export function answersOf(order: OpenedOrder, lines: PartnerLine[]): OrderResponseDocument['lines'] | undefined {
  if (UNDECIDED.includes(order.status)) return undefined
  const answers = lines.map(({ line, lineId, sku, each }) => {
    const units = unitsOf(line, order)
    const ordered = inTheirs(units.ordered, each)
    const accepted = inTheirs(units.accepted, each)
    const rejected = Math.min(ordered - accepted, inTheirs(units.cancelled, each))
    return {
      isOpen: units.open > 0,
      answer: {
        lineId,
        sku,
        ordered,
        unitPrice: money(line.unitPrice * each, order.currency).amount,
        accepted,
        backordered: ordered - accepted - rejected,
        rejected,
      },
    }
  })
  return answers.some(({ isOpen }) => isOpen) ? undefined : answers.map(({ answer }) => answer)
}

export function orderAnswer(
  order: OpenedOrder,
  answers: OrderResponseDocument['lines'],
  { number, atMs, replaces, orderedOn }: { number: string; atMs: number; replaces: boolean; orderedOn: string },
): OrderResponseDocument {
  const isWhole = answers.every(({ accepted, ordered }) => accepted === ordered)
  const isNothing = answers.every(({ accepted, backordered }) => accepted === 0 && !backordered)
  const shipOn = order.promise ? day(order.promise.shipByMs) : undefined
  return {
    type: 'orderResponse',
    ...(replaces ? { replaces } : {}),
    number,
    purchaseOrder: order.externalId ?? order.id,
    purchaseOrderDate: orderedOn,
    date: day(atMs),
    currency: order.currency,
    answer: isNothing ? 'rejected' : isWhole ? 'accepted' : 'changed',
    shipTo: partyOf(order),
    lines: answers.map((answer) => ({
      ...answer,
      ...(answer.accepted > 0 && shipOn !== undefined ? { shipOn } : {}),
    })),
  }
}
