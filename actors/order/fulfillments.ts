/**
 * What locations do for orders: accept, reject, pick, pack, ship, deliver, fail. Staff and a WMS use the same commands. What
 * a location rejects, does not find or loses is open again and sourced elsewhere, and the stock there is put right.
 */
import type { Step } from '../../engine/actors.js'
import type { Outcome } from '../../engine/protocol.js'
import type { StockChange } from '../inventory/allocations.js'
import { COMMANDS_REMEMBERED } from '../limits.js'
import { ok, problem } from '../outcomes.js'
import type { Capacity } from './capacity.js'
import type { ExceptionBook } from './exceptions.js'
import { invoice } from './invoices.js'
import { lineOf, moveUnits } from './lines.js'
import type { Fulfillment, FulfillmentLine, Order, Package, Totals } from './order.js'
import type { OrderSourcing } from './order-sourcing.js'
import { stateOf } from './order-status.js'
import type { OrderStore } from './order-store.js'
import type { Payments } from './payments.js'
import type { Settings } from './settings.js'
import type { StockDesk } from './stock-desk.js'
import { can, canFulfill, fire, fireFulfillment, note, refusedFulfillment, timelineIsFull } from './transitions.js'

export const FULFILLMENT_ACTIONS = ['accept', 'reject', 'pick', 'pack', 'ship', 'deliver', 'fail'] as const
export type FulfillmentAction = (typeof FULFILLMENT_ACTIONS)[number]

export interface FulfillmentCommand {
  order: string
  number: number
  action: FulfillmentAction
  by: string
  /** The caller's: the same one is carried out once. */
  id?: string
  /** Whose work it is; refused where it is another's. */
  location?: number
  reason?: string
  /** Picked: units of each SKU. None: all. */
  lines?: { sku: number; quantity: number }[]
  carrier?: string
  trackingNumber?: string
  packages?: Package[]
}

/** Reasons that say that the goods are not there, or not fit to be sold. */
const GOODS_ARE_GONE = ['out_of_stock', 'not_found', 'damaged', 'missing', 'lost']

export class Fulfillments {
  constructor(
    private readonly orders: OrderStore,
    private readonly desk: StockDesk,
    private readonly sourcing: OrderSourcing,
    private readonly capacity: Capacity,
    private readonly exceptions: ExceptionBook,
    private readonly payments: Payments,
    private readonly settings: Settings,
  ) {}

  advance(step: Step, command: FulfillmentCommand): Outcome {
    const order = this.orders.change(command.order)
    const fulfillment = order?.fulfillments[command.number - 1]
    if (!order || !fulfillment) {
      const id = `${command.order}-${command.number}`
      return problem(404, 'unknown_fulfillment', `There is no fulfillment ${id}.`)
    }
    const done = ok({ order: order.id, number: fulfillment.number })
    if (command.id !== undefined && fulfillment.commands?.includes(command.id)) return done
    if (command.location !== undefined && command.location !== fulfillment.location) {
      return problem(
        409,
        'wrong_location',
        `Fulfillment ${order.id}-${fulfillment.number} belongs to another location; only that one can ${command.action} it.`,
      )
    }
    const refused = timelineIsFull(order) ?? this[command.action](step, order, fulfillment, command)
    if (refused) return refused
    if (command.id !== undefined) {
      fulfillment.commands = [...(fulfillment.commands ?? []), command.id].slice(-COMMANDS_REMEMBERED)
    }
    if (order.exceptions.length > 0) this.exceptions.repaired(step, order)
    return done
  }

  private accept(step: Step, order: Order, fulfillment: Fulfillment, { by }: FulfillmentCommand): Outcome | undefined {
    if (stateOf(order).hold === 'held') {
      return problem(
        409,
        'on_hold',
        `Order ${order.id} is on hold (${order.holds.map(({ reason }) => reason).join(', ')}); resume it first.`,
      )
    }
    if (!fireFulfillment(fulfillment, 'ACCEPT', step.timeMs))
      return refusedFulfillment(order, fulfillment, 'be accepted')
    this.tell(step, order, fulfillment, 'accepted', by)
    return undefined
  }

  private reject(step: Step, order: Order, fulfillment: Fulfillment, command: FulfillmentCommand): Outcome | undefined {
    if (!canFulfill(fulfillment, 'REJECT')) return refusedFulfillment(order, fulfillment, 'be rejected')
    const reason = command.reason ?? 'rejected'
    this.reopen(step, order, fulfillment, 'allocated', reason)
    fireFulfillment(fulfillment, 'REJECT', step.timeMs)
    this.sourceAgain(step, order, fulfillment, 'rejected', reason, command.by)
    return undefined
  }

  private pick(step: Step, order: Order, fulfillment: Fulfillment, command: FulfillmentCommand): Outcome | undefined {
    if (!canFulfill(fulfillment, 'PICK')) return refusedFulfillment(order, fulfillment, 'be picked')
    if (stateOf(order).hold === 'held') {
      return problem(409, 'on_hold', `Order ${order.id} is on hold; resume it before it is picked.`)
    }
    const picks = picksOf(fulfillment, command.lines)
    if ('status' in picks) return picks
    let found = 0
    let missing = 0
    const changes: StockChange[] = []
    for (const { line, picked } of picks) {
      found += picked
      missing += line.quantity - picked
      this.pickLine(order, line, picked, changes)
    }
    if (changes.length > 0) this.desk.change(step, order.id, changes)
    fulfillment.lines = fulfillment.lines.filter(({ quantity }) => quantity > 0)
    fireFulfillment(fulfillment, fulfillment.lines.length === 0 ? 'SHORT' : 'PICK', step.timeMs)
    fire(order, 'PICK')
    this.tell(step, order, fulfillment, 'picked', command.by, `${found} units`)
    if (missing > 0) {
      if (fulfillment.lines.length === 0) this.capacity.giveBack(fulfillment.location, fulfillment.capacityDay)
      this.sourceAgain(step, order, fulfillment, 'short', `${missing} units not found`, command.by)
    }
    return undefined
  }

  private pickLine(order: Order, line: FulfillmentLine, picked: number, changes: StockChange[]): void {
    const { allocation, sku } = line
    const missing = line.quantity - picked
    const ordered = lineOf(order, line.line)
    line.isPicked = true
    line.picked = picked
    moveUnits(ordered, 'allocated', 'PICK', picked)
    if (missing === 0) return
    moveUnits(ordered, 'allocated', 'REOPEN', missing)
    line.quantity = picked
    changes.push({ do: 'missing', allocation, sku, units: missing })
  }

  private pack(
    step: Step,
    order: Order,
    fulfillment: Fulfillment,
    { by, packages }: FulfillmentCommand,
  ): Outcome | undefined {
    if (!canFulfill(fulfillment, 'PACK')) return refusedFulfillment(order, fulfillment, 'be packed')
    const open = fulfillment.lines.filter(({ isPicked }) => !isPicked)
    if (open.length > 0) {
      return problem(
        409,
        'not_picked',
        `Fulfillment ${order.id}-${fulfillment.number} has ${open.length} lines that nobody has picked; pick them first, with 0 where there is nothing.`,
      )
    }
    fireFulfillment(fulfillment, 'PACK', step.timeMs)
    if (packages) fulfillment.packages = packages
    this.tell(step, order, fulfillment, fulfillment.kind === 'pickup' ? 'ready_for_pickup' : 'packed', by)
    return undefined
  }

  private ship(step: Step, order: Order, fulfillment: Fulfillment, command: FulfillmentCommand): Outcome | undefined {
    if (!canFulfill(fulfillment, 'SHIP')) return refusedFulfillment(order, fulfillment, 'be shipped')
    for (const { line, quantity } of fulfillment.lines) moveUnits(lineOf(order, line), 'picking', 'SHIP', quantity)
    this.desk.change(
      step,
      order.id,
      fulfillment.lines.map(({ allocation, sku }) => ({ do: 'ship', allocation, sku })),
    )
    fireFulfillment(fulfillment, 'SHIP', step.timeMs)
    fire(order, 'SHIP')
    if (command.carrier !== undefined) fulfillment.carrier = command.carrier
    if (command.trackingNumber !== undefined) fulfillment.trackingNumber = command.trackingNumber
    if (command.packages && command.packages.length > 0) fulfillment.packages = command.packages
    this.tell(step, order, fulfillment, 'shipped', command.by, command.trackingNumber, {
      lines: sentUnits(fulfillment),
      invoice: invoice(order),
    })
    this.payments.shipped(step, order, fulfillment)
    return undefined
  }

  private deliver(
    step: Step,
    order: Order,
    fulfillment: Fulfillment,
    command: FulfillmentCommand,
  ): Outcome | undefined {
    // What is collected in the store leaves it and arrives in one step.
    if (fulfillment.kind === 'pickup' && fulfillment.status === 'packed') {
      const refused = this.ship(step, order, fulfillment, command)
      if (refused) return refused
    }
    if (!canFulfill(fulfillment, 'DELIVER')) return refusedFulfillment(order, fulfillment, 'be delivered')
    moveSentUnits(order, fulfillment, 'DELIVER')
    fireFulfillment(fulfillment, 'DELIVER', step.timeMs)
    fire(order, 'DELIVER')
    this.tell(step, order, fulfillment, 'delivered', command.by, undefined, { lines: sentUnits(fulfillment) })
    return undefined
  }

  private fail(step: Step, order: Order, fulfillment: Fulfillment, command: FulfillmentCommand): Outcome | undefined {
    if (!canFulfill(fulfillment, 'FAIL')) return refusedFulfillment(order, fulfillment, 'fail')
    const reason = command.reason ?? 'failed'
    if (fulfillment.status === 'shipped') {
      const lost = order.fulfillments.filter(
        ({ status, packages }) => status === 'failed' && packages.length > 0,
      ).length
      moveSentUnits(order, fulfillment, 'LOSE')
      fulfillment.reason = reason
      fireFulfillment(fulfillment, 'FAIL', step.timeMs)
      fire(order, 'LOSE')
      this.exceptions.raise(step, order, 'lost', fulfillment.number, reason)
      this.tell(step, order, fulfillment, 'failed', command.by, reason, {
        lines: sentUnits(fulfillment),
        invoice: invoice(order),
      })
      if (lost >= this.settings.orders.reshipmentsMax) {
        order.holds.push({ reason: 'lost_repeatedly', by: 'doorbuster', sinceMs: step.timeMs })
        fire(order, 'HOLD')
      }
      this.sourcing.begin(step, order)
      return undefined
    }
    this.reopen(step, order, fulfillment, 'picking', reason)
    fireFulfillment(fulfillment, 'FAIL', step.timeMs)
    this.sourceAgain(step, order, fulfillment, 'rejected', reason, command.by)
    return undefined
  }

  /** Takes a fulfillment order back that its location has not begun; its units are open again. */
  takeBack(step: Step, order: Order, fulfillment: Fulfillment, reason: string, by: string): void {
    this.reopen(step, order, fulfillment, 'allocated', reason)
    fireFulfillment(fulfillment, 'CANCEL', step.timeMs)
    fulfillment.reason = reason
    this.capacity.giveBack(fulfillment.location, fulfillment.capacityDay)
    fire(order, 'SHORT')
    this.tell(step, order, fulfillment, 'cancelled', by, reason)
  }

  /** Its units are open again; its stock is given back or, where the reason says that the goods are gone, written off. */
  private reopen(
    step: Step,
    order: Order,
    fulfillment: Fulfillment,
    from: 'allocated' | 'picking',
    reason: string,
  ): void {
    const isGone = GOODS_ARE_GONE.includes(reason)
    const changes = fulfillment.lines.map(({ allocation, sku, quantity }): StockChange => {
      return isGone ? { do: 'missing', allocation, sku, units: quantity } : { do: 'release', allocation, sku }
    })
    for (const { line, quantity, isPicked } of fulfillment.lines) {
      moveUnits(lineOf(order, line), from === 'picking' && isPicked ? 'picking' : 'allocated', 'REOPEN', quantity)
    }
    this.desk.change(step, order.id, changes)
  }

  /** Not from this location any more: the units go back to sourcing without it. */
  private sourceAgain(
    step: Step,
    order: Order,
    fulfillment: Fulfillment,
    type: 'short' | 'rejected',
    reason: string,
    by: string,
  ): void {
    fulfillment.reason = reason
    if (type === 'rejected') {
      this.capacity.giveBack(fulfillment.location, fulfillment.capacityDay)
      this.tell(step, order, fulfillment, fulfillment.status, by, reason)
    }
    order.excluded.push({ location: fulfillment.location, reason })
    this.exceptions.raise(step, order, type, fulfillment.number, reason)
    if (can(order, 'SHORT')) fire(order, 'SHORT')
    this.sourcing.begin(step, order)
  }

  private tell(
    step: Step,
    order: Order,
    fulfillment: Fulfillment,
    what: string,
    by: string,
    detail?: string,
    sent?: { lines: SentLine[]; invoice?: Totals },
  ): void {
    const { number, location, kind } = fulfillment
    note(order, step.timeMs, `fulfillment.${what}`, by, detail === undefined ? `${number}` : `${number}: ${detail}`)
    step.publish(`fulfillment.${what}`, `order/${order.id}`, {
      order: order.id,
      fulfillment: `${order.id}-${number}`,
      location,
      kind,
      status: fulfillment.status,
      ...(sent?.invoice ? { currency: order.currency } : {}),
      ...sent,
    })
  }
}

/** Units that left, arrived or were lost with a parcel, as its events name them. */
export interface SentLine {
  line: number
  sku: number
  quantity: number
}

const sentUnits = ({ lines }: Fulfillment): SentLine[] =>
  lines.map(({ line, sku, quantity, back = 0 }) => ({ line, sku, quantity: quantity - back }))

/** Units on their way, those that came back left out. */
function moveSentUnits(order: Order, { lines }: Fulfillment, type: 'DELIVER' | 'LOSE'): void {
  for (const { line, quantity, back = 0 } of lines) moveUnits(lineOf(order, line), 'shipped', type, quantity - back)
}

/** Units picked of each line: what is named, dealt out over lines of one SKU; lines of SKUs not named wait for another pick. */
function picksOf(
  { lines }: Fulfillment,
  named: FulfillmentCommand['lines'],
): { line: FulfillmentLine; picked: number }[] | Outcome {
  const open = lines.filter(({ isPicked }) => !isPicked)
  if (!named) return open.map((line) => ({ line, picked: line.quantity }))
  const left = new Map<number, number>()
  for (const { sku, quantity } of named) left.set(sku, (left.get(sku) ?? 0) + quantity)
  const picks = open.flatMap((line) => {
    const units = left.get(line.sku)
    if (units === undefined) return []
    const picked = Math.min(units, line.quantity)
    left.set(line.sku, units - picked)
    return [{ line, picked }]
  })
  for (const [sku, units] of left) {
    if (!open.some((line) => line.sku === sku)) {
      return problem(409, 'not_to_pick', 'A SKU that is picked is not, or no more, to be picked for this fulfillment.')
    }
    if (units > 0) return problem(409, 'picked_too_many', `${units} units more were picked than are wanted of a SKU.`)
  }
  return picks
}
