/** What sourcing is asked for an order: its lines, where they may come from, and what each of those places has. */
import type { Places } from '../catalog/places.js'
import { shippingDay } from '../sourcing/calendar.js'
import { type Candidate, type Plan, plan, type SourcingLine, type SourcingRequest } from '../sourcing/plan.js'
import type { Capacity } from './capacity.js'
import { lineOf, unitsIn, unmet } from './lines.js'
import type { Availability, Line, Order } from './order.js'
import type { Settings } from './settings.js'

export class SourcingRequests {
  constructor(
    private readonly places: Places,
    private readonly capacity: Capacity,
    private readonly settings: Settings,
  ) {}

  of(timeMs: number, order: Order, lines: { line: Line; quantity: number }[], offers: Availability[]): SourcingRequest {
    const { settings } = this
    const service = settings.service(order.service) ?? settings.orders.services[0]!
    const bySku = new Map(offers.map((offer) => [offer.sku, offer]))
    const wanted: SourcingLine[] = lines.map(({ line, quantity }) => ({
      line: line.number,
      sku: line.sku,
      quantity,
      weightGrams: line.weightGrams,
      group: line.group,
      allowSplit: order.allowSplit,
    }))
    return {
      lines: wanted,
      candidates: this.candidates(timeMs, order, lines, bySku),
      destination: {
        country: order.shipTo.country,
        latitude: order.shipTo.latitude,
        longitude: order.shipTo.longitude,
      },
      service,
      placedMs: order.placedMs,
      promisedByMs: order.promise?.deliverByMs,
      allowSplit: order.allowSplit,
      takePartial: false,
      useSupply: false,
      only: this.allowed(order),
      excluded: order.excluded,
      timeMs,
      weights: settings.orders.weights,
    }
  }

  private allowed(order: Order): number[] | undefined {
    if (order.delivery.method === 'pickup' && order.delivery.location !== undefined) return [order.delivery.location]
    return order.onlyLocations
  }

  private candidates(
    timeMs: number,
    order: Order,
    lines: { line: Line; quantity: number }[],
    bySku: Map<number, Availability>,
  ): Candidate[] {
    const candidates: Candidate[] = []
    this.available(order, lines, bySku).forEach((available, rank) => {
      const place = this.places.all[rank]!
      if (!place.active || (order.locationTypes && !order.locationTypes.includes(place.type))) return
      const capacityLeft = this.capacity.left(place, shippingDay(place.calendar, timeMs))
      candidates.push({ location: place.location, origin: place, capacityLeft, available })
    })
    return candidates
  }

  /** By the rank of a place that has anything, then by line: units that it may give. */
  private available(
    order: Order,
    lines: { line: Line; quantity: number }[],
    bySku: Map<number, Availability>,
  ): number[][] {
    const allowed = this.allowed(order)
    const mayGive = (location: number): boolean => (allowed?.includes(location) ?? true) && !isExcluded(order, location)
    const wanted = new Map<number, number>()
    for (const { line, quantity } of lines) wanted.set(line.sku, (wanted.get(line.sku) ?? 0) + quantity)
    const units: number[][] = []
    lines.forEach(({ line: { sku } }, at) => {
      const offer = bySku.get(sku)
      if (!offer) return
      const { rows, most } = offer
      // Where more is wanted than may be promised at all, all places together give no more than that.
      const isShared = wanted.get(sku)! > most
      let left = most
      for (let row = 0; row < rows.length && left > 0; row += 2) {
        const location = rows[row]!
        if (!mayGive(location)) continue
        const given = Math.min(rows[row + 1]!, left)
        if (isShared) left -= given
        const rank = this.places.rankOf(location)
        if (rank === undefined) continue
        units[rank] ??= new Array<number>(lines.length).fill(0)
        units[rank][at] = given
      }
    })
    return units
  }
}

export const isExcluded = (order: Order, location: number): boolean =>
  order.excluded.some((exclusion) => exclusion.location === location)

/** As much as there is; of a kit that cannot wait, only what makes whole ones. */
export function planOfPart(order: Order, request: SourcingRequest): Plan {
  const part = plan({ ...request, takePartial: true })
  const given = (line: Line): number =>
    part.assignments.reduce((sum, { line: number, quantity }) => sum + (number === line.number ? quantity : 0), 0)
  const held = (line: Line): number => line.quantity - unitsIn(line, 'cancelled') - unmet(line)
  const useful = (line: Line): number => {
    if (line.parent === undefined || line.mayBackorder) return Number.POSITIVE_INFINITY
    const parts = order.lines.filter(({ parent }) => parent === line.parent)
    const kits = Math.min(...parts.map((one) => Math.floor((held(one) + given(one)) / one.perParent!)))
    return Math.max(0, kits * line.perParent! - held(line))
  }
  const quantities = request.lines.map(({ line, quantity }) => Math.min(quantity, useful(lineOf(order, line))))
  if (request.lines.every(({ quantity }, i) => quantity === quantities[i])) return part
  const isWanted = (_: unknown, i: number): boolean => quantities[i]! > 0
  return plan({
    ...request,
    takePartial: true,
    lines: request.lines.map((line, i) => ({ ...line, quantity: quantities[i]! })).filter(isWanted),
    candidates: request.candidates.map((one) => ({ ...one, available: one.available.filter(isWanted) })),
  })
}
