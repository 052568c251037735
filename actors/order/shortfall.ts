/** What no location has: it waits for supply, is left out, or is the end of the order, as the order says. */
import type { Step } from '../../engine/actors.js'
import type { Places } from '../catalog/places.js'
import { nextCutoff } from '../sourcing/calendar.js'
import type { ExceptionBook } from './exceptions.js'
import { lineList, moveUnits, unitsIn, unmet } from './lines.js'
import type { Availability, Line, Order } from './order.js'
import type { Payments } from './payments.js'
import type { StockDesk, WaitingChange } from './stock-desk.js'
import { fire, note, SYSTEM } from './transitions.js'

export class Shortfall {
  constructor(
    private readonly desk: StockDesk,
    private readonly places: Places,
    private readonly exceptions: ExceptionBook,
    private readonly payments: Payments,
  ) {}

  /** What no location has: waits for supply, is left out, or is the end of the order, as the order says. */
  settle(step: Step, order: Order, wasPromised: boolean, short: Line[], missing: Line[], offers: Availability[]): void {
    const mayWait = short.every(({ mayBackorder }) => mayBackorder)
    const isPartial = order.allowPartial && order.fulfillments.length > 0
    const waits = (line: Line): boolean => wasPromised || mayWait || (isPartial && line.mayBackorder)
    for (const line of missing) {
      if (waits(line)) moveUnits(line, 'open', 'BACKORDER', unitsIn(line, 'open'))
      else for (const state of ['open', 'backordered'] as const) moveUnits(line, state, 'CANCEL', unitsIn(line, state))
    }
    const waiting = short.filter(waits)
    if (waiting.length > 0) {
      note(order, step.timeMs, 'order.backordered', SYSTEM, lineList(waiting))
      this.wait(step, order, waiting, offers)
      this.promiseFromSupply(order, waiting, offers)
      if (wasPromised && !mayWait) {
        this.exceptions.raise(step, order, 'no_stock', undefined, `no location has ${lineList(short)}`)
      }
    }
    const out = short.filter((line) => !waits(line))
    if (out.length === 0) return
    if (isPartial) {
      note(order, step.timeMs, 'order.short', SYSTEM, `without ${lineList(out)}`)
      return
    }
    note(order, step.timeMs, 'order.rejected', SYSTEM, `no stock for ${lineList(out)}`)
    // While it has not been told that sourcing is over: what is cancelled cannot be rejected any more.
    fire(order, 'REJECT')
    this.payments.cancelled(order)
  }

  private wait(step: Step, order: Order, short: Line[], offers: Availability[]): void {
    const units = new Map<number, number>()
    for (const line of short) units.set(line.sku, (units.get(line.sku) ?? 0) + unmet(line))
    const changes = [...units].map(
      ([sku, wanted]): WaitingChange => ({
        sku,
        channel: order.channelIndex,
        known: offers.find((offer) => offer.sku === sku)?.most ?? 0,
        join: {
          id: order.id,
          kind: 'order',
          priority: order.priority,
          sinceMs: order.placedMs,
          units: wanted,
          isAsked: true,
        },
      }),
    )
    this.desk.wait(step, changes)
    order.waitsFor = [...new Set([...order.waitsFor, ...units.keys()])]
  }

  /** Leaves the waiting lists of SKUs of which nothing is missing any more. */
  leaveWaiting(step: Step, order: Order): void {
    if (order.waitsFor.length === 0) return
    const wanted = new Set(order.lines.filter((line) => unmet(line) > 0).map(({ sku }) => sku))
    const over = order.waitsFor.filter((sku) => !wanted.has(sku))
    if (over.length === 0) return
    this.desk.wait(
      step,
      over.map((sku) => ({ sku, leave: order.id })),
    )
    order.waitsFor = order.waitsFor.filter((sku) => wanted.has(sku))
  }

  /** When what waits can be expected, by the supply that is announced. */
  private promiseFromSupply(order: Order, short: Line[], offers: Availability[]): void {
    let latest = 0
    for (const line of short) {
      const supply = offers.find(({ sku }) => sku === line.sku)?.supply ?? []
      let units = 0
      const enough = [...supply]
        .sort((a, b) => a[2] - b[2])
        .find(([, more]) => {
          units += more
          return units >= unmet(line)
        })
      if (!enough) return
      latest = Math.max(latest, enough[2])
    }
    if (latest === 0) return
    const place = this.places.all[0]
    const shipByMs = place ? nextCutoff(place.calendar, latest) : latest
    order.promise = { shipByMs, deliverByMs: shipByMs + 5 * 86_400_000 }
  }
}
