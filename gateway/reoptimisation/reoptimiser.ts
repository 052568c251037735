/**
 * Bulk re-optimisation: a location goes out of service, or many orders wait for stock that has come. The orders are read,
 * planned together in the pool off the main thread, and come back as commands, each checked where the order lives.
 */
import { Piscina } from 'piscina'
import type { Availability, Fulfillment } from '../../actors/order/order.js'
import { parseFulfillmentId } from '../../actors/order/order-id.js'
import { orderOfEntry } from '../../actors/order/order-indexes.js'
import type { SourcingRequest } from '../../actors/sourcing/plan.js'
import { failed, type OperationContext } from '../operations/operation.js'
import type { WaveOrder, WavePlan } from './plan-wave.js'

/** Orders planned together: each is a structured clone to the pool of some 20 KiB. */
const WAVE = 200
const BY = 'reoptimisation'

interface Found {
  id: string
  number?: number
  skus: number[]
}

export interface WaveResult {
  /** How many were looked at, how many were moved, and how many could not be (any more). */
  orders: number
  moved: number
  left: number
}

let pool: Piscina | undefined

/** Started when it is first wanted; one thread, since the two cores have other work. */
function wavePool(): Piscina {
  pool ??= new Piscina({
    filename: new URL('./plan-wave.js', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 5_000,
  })
  return pool
}

/** Moves what a location has not begun to others. */
export async function reassignLocation(
  location: number,
  reason: string,
  context: OperationContext,
): Promise<WaveResult> {
  const result = { orders: 0, moved: 0, left: 0 }
  for (let before: string | undefined; ; ) {
    const page = await unbegun(location, before, context)
    await reassign(page.found, reason, context, result)
    if (page.before === null) return result
    before = page.before
  }
}

/** Plans together what waits for stock. */
export async function reassignBackorders(reason: string, context: OperationContext): Promise<WaveResult> {
  const result = { orders: 0, moved: 0, left: 0 }
  const ask = { filter: { status: 'backordered' }, limit: WAVE, detail: 'short' }
  const outcomes = await context.dispatch.queryAll('order.list', ask)
  for (const { body } of outcomes.filter((outcome) => !failed(outcome))) {
    const { items } = body as { items: { order: { id: string; lines: { sku: number }[] } }[] }
    const found = items.map(({ order }) => ({ id: order.id, skus: order.lines.map(({ sku }) => sku) }))
    await reassign(found, reason, context, result)
  }
  return result
}

async function unbegun(
  location: number,
  before: string | undefined,
  { dispatch }: OperationContext,
): Promise<{ found: Found[]; before: string | null }> {
  const ask = { location, statuses: ['pending', 'accepted'], limit: WAVE, ...(before === undefined ? {} : { before }) }
  const outcomes = await dispatch.queryAll('fulfillment.list', ask)
  const found: Found[] = []
  let rest: string | null = null
  for (const { body } of outcomes.filter((outcome) => !failed(outcome))) {
    const page = body as { items: { entry: string; fulfillment: Fulfillment }[]; before: string | null }
    for (const { entry, fulfillment } of page.items) {
      const named = parseFulfillmentId(orderOfEntry(entry))!
      found.push({ id: named.order, number: named.number, skus: fulfillment.lines.map(({ sku }) => sku) })
    }
    if (page.before !== null && (rest === null || page.before > rest)) rest = page.before
  }
  return { found, before: rest }
}

async function reassign(found: Found[], reason: string, context: OperationContext, result: WaveResult): Promise<void> {
  if (found.length === 0) return
  const { dispatch, directory } = context
  const offers = await availabilities(found, context)
  const orders: WaveOrder[] = []
  for (const { id, number, skus } of found) {
    const own = offers.filter(({ sku }) => skus.includes(sku))
    const outcome = await dispatch.query(directory.partitionOfOrder(id), 'order.request', { id, number, offers: own })
    const { request } = (failed(outcome) ? { request: null } : outcome.body) as { request: SourcingRequest | null }
    if (request) orders.push({ id, ...(number === undefined ? {} : { number }), request })
  }
  const plans = (await wavePool().run(orders)) as WavePlan[]
  result.orders += found.length
  result.left += found.length - plans.length
  for (const { id, number, assignments } of plans) {
    const wish = { id, ...(number === undefined ? {} : { number }), reason, by: BY, assignments }
    const outcome = await dispatch.command(directory.partitionOfOrder(id), 'order.reassign', wish)
    if (failed(outcome)) result.left++
    else result.moved++
  }
}

async function availabilities(found: Found[], { dispatch, directory }: OperationContext): Promise<Availability[]> {
  const skus = [...new Set(found.flatMap((order) => order.skus))]
  const answers = await Promise.all(
    [...directory.byPartition(skus, (sku) => sku)].map(([partition, own]) =>
      dispatch.query(partition, 'availability.get', { skus: own }),
    ),
  )
  return answers.flatMap((outcome) => (failed(outcome) ? [] : (outcome.body as { items: Availability[] }).items))
}
