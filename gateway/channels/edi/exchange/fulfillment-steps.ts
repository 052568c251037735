/**
 * Moves a fulfillment order on as its supplier or warehouse says it has gone on: from wherever it is, step by step, each
 * with an id made of what was said, so that saying it twice does it once.
 */
import { createHash } from 'node:crypto'
import type { Fulfillment, Package } from '../../../../actors/order/order.js'
import { parseFulfillmentId } from '../../../../actors/order/order-id.js'
import type { Problem } from '../../../../engine/protocol.js'
import { failed, type OperationContext } from '../../../operations/operation.js'
import { isOutcome, openedOrder } from '../../../operations/orders.js'
import type { OpenedOrder } from '../../../personal-data/opened-order.js'
import { Refused } from '../../applied.js'

export interface Hand {
  fulfillment: string
  /** Who says so. */
  by: string
  /** Of what was said: the same for ever. */
  source: string
}

export interface Sent {
  carrier: string
  trackingNumber?: string
  packages: Package[]
}

export interface Standing {
  order: OpenedOrder
  fulfillment: Fulfillment
}

export async function standingOf(id: string, context: OperationContext): Promise<Standing> {
  const named = parseFulfillmentId(id)
  const order = named && (await openedOrder(named.order, context))
  if (order && isOutcome(order) && order.status !== 404) throw new Error(`order ${named.order} cannot be read`)
  const fulfillment = order && !isOutcome(order) ? order.fulfillments[named!.number - 1] : undefined
  if (!order || isOutcome(order) || !fulfillment) throw new Refused(`there is no fulfillment ${id}`)
  return { order, fulfillment }
}

/** Rejects with Refused where it is not possible, with another Error where it may be later. */
export async function take(
  action: 'accept' | 'reject' | 'pick' | 'pack' | 'ship',
  { fulfillment, by, source }: Hand,
  more: object,
  { call }: OperationContext,
): Promise<void> {
  const id = createHash('sha256')
    .update(JSON.stringify([source, fulfillment, action]))
    .digest('base64url')
  const outcome = await call(`fulfillment.${action}`, { fulfillment, id, by, ...more })
  if (!failed(outcome)) return
  const { code, detail, errors } = outcome.body as Problem
  // A hold ends, and what was said stays true.
  if (outcome.status >= 500 || code === 'on_hold') throw new Error(detail)
  throw new Refused(detail, errors)
}

export async function acceptIfNew(hand: Hand, context: OperationContext): Promise<void> {
  const { fulfillment } = await standingOf(hand.fulfillment, context)
  if (fulfillment.status === 'pending') await take('accept', hand, {}, context)
}

/** `found`: units by our SKU; none: all. Says what became of it. */
export async function shipAsSaid(
  hand: Hand,
  found: ReadonlyMap<string, number> | undefined,
  sent: Sent,
  context: OperationContext,
): Promise<{ standing: Standing; did: string }> {
  const done = async (did: string): Promise<{ standing: Standing; did: string }> => ({
    standing: await standingOf(hand.fulfillment, context),
    did,
  })
  const { fulfillment } = await standingOf(hand.fulfillment, context)
  if (fulfillment.status === 'shipped' || fulfillment.status === 'delivered') return done('shipped already')
  if (!['pending', 'accepted', 'picking', 'packed'].includes(fulfillment.status)) {
    throw new Refused(
      `fulfillment ${hand.fulfillment} is ${fulfillment.status}; what was shipped of it is to be settled by hand`,
    )
  }
  await acceptIfNew(hand, context)
  const short = await pickWhatIsOpen(hand, found, context)
  const now = (await standingOf(hand.fulfillment, context)).fulfillment
  if (now.status === 'failed') return done('nothing of it was found: it is sourced elsewhere')
  if (now.status !== 'packed') await take('pack', hand, { packages: sent.packages }, context)
  const { carrier, trackingNumber, packages } = sent
  await take('ship', hand, { carrier, packages, ...(trackingNumber === undefined ? {} : { trackingNumber }) }, context)
  return done(short > 0 ? `shipped, ${short} units short` : 'shipped')
}

/** Units that are missing. */
async function pickWhatIsOpen(
  hand: Hand,
  found: ReadonlyMap<string, number> | undefined,
  context: OperationContext,
): Promise<number> {
  const { fulfillment } = await standingOf(hand.fulfillment, context)
  if (fulfillment.status !== 'accepted' && fulfillment.status !== 'picking') return 0
  const wanted = new Map<string, number>()
  for (const { sku, quantity, isPicked } of fulfillment.lines) {
    const name = context.directory.name('skus', sku)
    if (!isPicked) wanted.set(name, (wanted.get(name) ?? 0) + quantity)
  }
  if (wanted.size === 0) return 0
  const lines = [...wanted].map(([sku, quantity]) => ({
    sku,
    quantity: Math.min(quantity, found ? (found.get(sku) ?? 0) : quantity),
  }))
  await take('pick', hand, { lines }, context)
  return (
    [...wanted.values()].reduce((sum, units) => sum + units, 0) - lines.reduce((sum, line) => sum + line.quantity, 0)
  )
}
