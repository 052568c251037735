/**
 * A sale over the counter: the customer has the goods, whatever the books say. Stock leaves in the order's own steps, so it
 * is never promised twice; where the books have less, they are put right first, and what that does to promises that others
 * have is left to be seen as a shortage, never hidden.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { StockView } from '../../../actors/inventory/views.js'
import { handOver, orderOf, orderOfReceipt, readOrder, type SeenOrder } from './till-orders.js'
import { refuse, TillRefusal, type TillStep } from './till-step.js'
import type { Sale, SoldLine, TransactionResult } from './transactions.js'

/** How often units that were found go to somebody else before ours have them, until the sale is booked without promises. */
const ROUNDS_MAX = 4
/** Until an order is woken by stock that has come: over partitions, some messages. */
const WAKE_TRIES = 40
const WAKE_PAUSE_MS = 15
/** Until the order has them; the sale is made in far less. */
const HOLD_SECONDS = 60

export const FOUND = 'found_at_till'
/** Units that are there, but set apart: lent to the sale, and taken off again when it has left. */
const LENT = 'set_apart_lent_to_till'
const RETURNED = 'set_apart_sold_at_till'
export const SOLD = 'sold_at_till'

type Done = Omit<TransactionResult, 'id' | 'type'>

/** Sells lines; the sale's own for a sale, the new goods' for an exchange. */
export async function sell(
  sale: Pick<Sale, 'id' | 'lines' | 'customer' | 'total' | 'by' | 'paymentReference'>,
  step: TillStep,
): Promise<Done> {
  const order = await placed(sale, step)
  const notes: string[] = []
  const ready = await allocated(order, sale.lines, step, notes)
  if (!ready) return bookWithoutPromise(order, sale.lines, step, notes)
  const fulfillments = ready.fulfillments.filter(({ status }) => !['rejected', 'failed', 'cancelled'].includes(status))
  await handOver(fulfillments, step, sale.by ?? step.settings.location)
  await takeLentBack(step, notes)
  return done(ready.id, step, notes, { fulfillments: fulfillments.map(({ id }) => id) })
}

function done(order: string, { entry }: TillStep, notes: string[], more: Partial<Done> = {}): Done {
  const adjustments = entry.adjustments.map(({ sku, delta, reason }) => ({ sku, delta, reason }))
  if (adjustments.some(({ reason }) => reason === FOUND)) {
    notes.unshift('the books had less than the customer carried out; what was found is in the adjustments')
  }
  return {
    outcome: 'done',
    order,
    ...more,
    ...(adjustments.length > 0 ? { adjustments } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  }
}

/** The sale's order. It waits where the books have less, before anybody else who waits. */
async function placed(sale: Parameters<typeof sell>[0], step: TillStep): Promise<SeenOrder> {
  const known = await readOrder(orderOfReceipt(step.connection, step.till, sale.id), step)
  if (known) return known
  const { settings, connection, must } = step
  const base = await orderOf(sale, step)
  const lines = await Promise.all(
    sale.lines.map(async (line, at) => ({ ...line, ...(await heldAtTheStore(line, at, step)) })),
  )
  return must<SeenOrder>('order.create', {
    ...base,
    channel: connection,
    lines,
    delivery: { method: 'pickup', location: settings.location },
    allowBackorder: true,
    priority: 0,
  })
}

/** Holds a line's units in the store: so neither the day's capacity nor anybody else stands in the way of the order. */
async function heldAtTheStore(
  { sku, quantity }: SoldLine,
  at: number,
  step: TillStep,
): Promise<{ reservationId?: string }> {
  const { context, settings, connection: channel } = step
  for (let attempt = 0; attempt < ROUNDS_MAX; attempt++) {
    const id = step.idOf(`hold/${at}/${attempt}`)
    const { location } = settings
    const { status, body } = await context.call('reservation.create', {
      id,
      sku,
      quantity,
      location,
      channel,
      ttlSeconds: HOLD_SECONDS,
    })
    if (status >= 300) return {}
    // One of a try that was cut off long ago has run out.
    if (['held', 'confirmed'].includes((body as { status: string }).status)) return { reservationId: id }
  }
  return {}
}

const holdsOf = (lines: SoldLine[], { idOf }: TillStep): { sku: string; id: string }[] =>
  lines.flatMap(({ sku }, at) =>
    Array.from({ length: ROUNDS_MAX }, (_, attempt) => ({ sku, id: idOf(`hold/${at}/${attempt}`) })),
  )

/** Units that lines hold and the order has not taken over yet: it waits as a whole where one of its lines does. */
async function heldFor(lines: SoldLine[], step: TillStep): Promise<Map<string, number>> {
  const held = new Map<string, number>()
  await Promise.all(
    holdsOf(lines, step).map(async ({ sku, id }) => {
      const { status, body } = await step.context.call('reservation.get', { id })
      if (status !== 200) return
      const hold = body as { status: string; quantity: number } // as reservation.get shows it
      if (hold.status === 'held') held.set(sku, (held.get(sku) ?? 0) + hold.quantity)
    }),
  )
  return held
}

const unitsOf = (order: SeenOrder, states: string[]): Map<string, number> => {
  const missing = new Map<string, number>()
  for (const { sku, units } of order.lines) {
    const count = states.reduce((sum, state) => sum + (units?.[state] ?? 0), 0)
    if (count > 0) missing.set(sku, (missing.get(sku) ?? 0) + count)
  }
  return missing
}

const missingOf = (order: SeenOrder): Map<string, number> => unitsOf(order, ['open', 'backordered'])

/** Sales of a store whose books are being put right: one at a time, or each would take what another has just found. */
const underWay = new Map<string, Promise<unknown>>()

function oneAtATime<T>(location: string, work: () => Promise<T>): Promise<T> {
  const mine = (underWay.get(location) ?? Promise.resolve()).then(work)
  const ended = mine.catch(() => undefined)
  underWay.set(location, ended)
  void ended.then(() => {
    if (underWay.get(location) === ended) underWay.delete(location)
  })
  return mine
}

/** The order once all its units are held in the store; undefined where that cannot be brought about. */
async function allocated(
  placed: SeenOrder,
  lines: SoldLine[],
  step: TillStep,
  notes: string[],
): Promise<SeenOrder | undefined> {
  const order = await settled(await letGo(placed, step, notes), step)
  if (isOver(order)) return undefined
  if (missingOf(order).size === 0) return order
  return oneAtATime(step.settings.location, async () => {
    let now = await reread(order, step)
    for (let round = 0; round < ROUNDS_MAX && !isOver(now) && missingOf(now).size > 0; round++) {
      await putBooksRight(missingOf(now), await heldFor(lines, step), round, step)
      now = await settled(now, step)
      if (missingOf(now).size === 0) break
      await step.must('order.source', { id: now.id, reason: FOUND, by: step.settings.location })
      now = await settled(await letGo(await reread(now, step), step, notes), step)
    }
    return isOver(now) || missingOf(now).size > 0 ? undefined : now
  })
}

const isOver = ({ status }: SeenOrder): boolean => status === 'rejected' || status === 'cancelled'

/** Takes away what an order of a website waits for: what is thought over or looked at there has left the store here. */
async function letGo(order: SeenOrder, step: TillStep, notes: string[]): Promise<SeenOrder> {
  const wish = { id: order.id, reason: 'handed over at the till', by: step.settings.location }
  if (order.holds.length > 0) {
    // Whoever looks at the order sees both the hold and that the goods had left already.
    await step.must('order.resume', wish)
    notes.push('the order was held for review; the goods had left the store already')
  } else if (order.status === 'received') await step.context.call('order.release', wish)
  else return order
  return reread(order, step)
}

async function reread(order: SeenOrder, step: TillStep): Promise<SeenOrder> {
  return (await readOrder(order.id, step)) ?? refuse('unknown_order', `There is no order ${order.id}.`)
}

/** Waits until sourcing has decided, or nothing more comes of what has come. */
async function settled(order: SeenOrder, step: TillStep): Promise<SeenOrder> {
  let now = order
  const before = JSON.stringify([...missingOf(order)])
  for (let tries = 0; tries < WAKE_TRIES; tries++) {
    const missing = missingOf(now)
    const isDecided = !['sourcing', 'validating', 'received'].includes(now.status)
    if (missing.size === 0 || (isDecided && (tries > 2 || JSON.stringify([...missing]) !== before))) return now
    await pause(WAKE_PAUSE_MS)
    now = await reread(now, step)
  }
  return now
}

/**
 * Adds what the books lack at the store. What nobody knew of was found; what is there but set apart (safety stock, a share
 * of a sale, or units that others were promised while this was going on) is lent, and taken off again afterwards.
 */
async function putBooksRight(
  missing: Map<string, number>,
  held: Map<string, number>,
  round: number,
  step: TillStep,
): Promise<void> {
  const skus = await Promise.all(
    [...missing].map(async ([sku, wanted]) => {
      const units = Math.max(0, wanted - (held.get(sku) ?? 0))
      const stock = await step.must<StockFigures>('inventory.get', { sku })
      const row = stock.locations.find(({ location }) => location === step.settings.location)
      const unpromised = row ? Math.max(0, row.onHand - row.reserved - row.allocated) : 0
      return { sku, units, lacking: Math.max(0, units - (row?.atp ?? 0)), unknown: Math.max(0, units - unpromised) }
    }),
  )
  const isShort = skus.some(({ lacking }) => lacking > 0)
  for (const { sku, units, lacking, unknown } of skus) {
    const found = round === 0 ? unknown : 0
    // All is there and the order still has it not: it is set apart, by as much as nobody can see from here.
    const lent = isShort ? lacking - found : round === 0 ? 0 : units
    if (found > 0) await step.adjust(`${FOUND}/${round}/${sku}`, { sku, delta: found, reason: FOUND })
    if (lent > 0) await step.adjust(`${LENT}/${round}/${sku}`, { sku, delta: lent, reason: LENT })
  }
}

type StockFigures = Pick<StockView, 'sku'> & {
  locations: { location: string; onHand: number; reserved: number; allocated: number; atp: number }[]
}

/** Takes off what was lent. Where others were promised those units meanwhile, stock shows the shortage and tells of it. */
async function takeLentBack(step: TillStep, notes: string[]): Promise<void> {
  const lent = new Map<string, number>()
  for (const { sku, delta, reason } of step.entry.adjustments) {
    if (reason === LENT) lent.set(sku, (lent.get(sku) ?? 0) + delta)
  }
  for (const [sku, units] of lent) {
    try {
      await step.adjust(`${RETURNED}/${sku}`, { sku, delta: -units, reason: RETURNED })
    } catch (error) {
      if (!(error instanceof TillRefusal)) throw error
      // A count has been taken meanwhile that says less: it is believed.
      notes.push(`${units} of ${sku} were counted away while they were sold; count it again`)
      continue
    }
    const { shortage } = await step.must<{ shortage: number }>('inventory.get', { sku })
    notes.push(`${units} of ${sku} were set apart or promised to others`)
    if (shortage > 0) notes.push(`${sku} is ${shortage} short of what was promised to others; count it`)
  }
}

/**
 * The order cannot have the units (a rule rejects it, or a sale’s limits do): what left the store is taken off the books
 * by itself, so that nothing is promised that is gone.
 */
async function bookWithoutPromise(order: SeenOrder, lines: SoldLine[], step: TillStep, notes: string[]): Promise<Done> {
  const cancelled = await step.context.call(
    'order.cancel',
    { id: order.id, reason: 'sold at a till, but not to be had by an order', by: step.settings.location },
    step.idOf('cancel'),
  )
  if (cancelled.status >= 500) refuse('overloaded', 'The order cannot be taken back now; send this again.')
  // What its lines hold would be missing to others until it runs out.
  await Promise.all(holdsOf(lines, step).map(({ id }) => step.context.call('reservation.release', { id })))
  await takeLentBack(step, notes)
  // A kit left as its components.
  const gone = order.lines.some(({ kit }) => kit) ? order.lines.filter(({ kit }) => !kit) : lines
  for (const [at, { sku, quantity }] of gone.entries()) {
    const stock = await step.must<StockFigures>('inventory.get', { sku })
    const onHand = stock.locations.find(({ location }) => location === step.settings.location)?.onHand ?? 0
    const planned = step.entry.adjustments.some(({ id }) => id === step.idOf(`adjust/${SOLD}/${at}`))
    if (!planned && onHand < quantity) {
      await step.adjust(`${FOUND}/sold/${at}`, { sku, delta: quantity - onHand, reason: FOUND })
    }
    await step.adjust(`${SOLD}/${at}`, { sku, delta: -quantity, reason: SOLD })
  }
  notes.push(
    `order ${order.id} could not have the goods (a rule or a limit stands against it); stock was put right without it`,
  )
  return done(order.id, step, notes)
}
