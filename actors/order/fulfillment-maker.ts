/** Fulfillment orders of what is held for an order, the days of locations that they take, and what is promised by them. */
import type { Step } from '../../engine/actors.js'
import type { Place, Places } from '../catalog/places.js'
import { afterWorkingDays, localDay, nextCutoff, shippingDay } from '../sourcing/calendar.js'
import type { ShippingService } from '../sourcing/costs.js'
import type { Capacity } from './capacity.js'
import { lineOf, moveUnits, unitsIn } from './lines.js'
import type { DeliveryPromise, Fulfillment, Order, Saga } from './order.js'
import { isStanding } from './order-status.js'
import type { Settings } from './settings.js'
import { note, SYSTEM } from './transitions.js'

export class FulfillmentMaker {
  constructor(
    private readonly places: Places,
    private readonly capacity: Capacity,
    private readonly settings: Settings,
  ) {}

  /** While others are asked to hold, the days of the locations are taken already, or many orders at once would overfill them. */
  takeDays(step: Step, saga: Saga): void {
    for (const location of new Set(saga.holds.map((hold) => hold.location))) {
      const place = this.places.get(location)
      if (!place) continue
      const day = shippingDay(place.calendar, step.timeMs)
      this.capacity.take(location, day)
      saga.days.push({ location, day })
    }
  }

  returnDays(days: Saga['days']): void {
    for (const { location, day } of days.splice(0)) this.capacity.giveBack(location, day)
  }

  /** Makes fulfillment orders of what is held: one for each location and group of goods. */
  make(step: Step, order: Order, { holds, promises, days }: Saga): void {
    this.returnDays(days)
    const made = new Map<string, Fulfillment>()
    for (const hold of holds) {
      const line = lineOf(order, hold.line)
      delete line.reservation
      const location = hold.location
      const key = `${location}/${line.group}`
      let fulfillment = made.get(key)
      if (!fulfillment) {
        const promised = promises.find((promise) => promise.location === location)
        fulfillment = this.newFulfillment(step, order, location, promised)
        made.set(key, fulfillment)
        order.fulfillments.push(fulfillment)
      }
      const { sku, quantity, allocation } = hold
      fulfillment.lines.push({ line: line.number, sku, quantity, picked: 0, isPicked: false, allocation })
      const fromOpen = Math.min(quantity, unitsIn(line, 'open'))
      moveUnits(line, 'open', 'ALLOCATE', fromOpen)
      moveUnits(line, 'backordered', 'ALLOCATE', quantity - fromOpen)
    }
    for (const { number, location, status } of made.values()) {
      step.publish('fulfillment.created', `order/${order.id}`, {
        order: order.id,
        fulfillment: `${order.id}-${number}`,
        location,
        status,
      })
    }
    if (made.size > 0) this.promise(step, order)
  }

  private newFulfillment(
    step: Step,
    order: Order,
    location: number,
    promised: DeliveryPromise | undefined,
  ): Fulfillment {
    const place = this.places.get(location)!
    const service = this.settings.service(order.service) ?? this.settings.orders.services[0]!
    const { shipByMs, deliverByMs } = promised ?? promiseOf(place, order.shipTo.country, service, step.timeMs)
    const capacityDay = localDay(place.calendar, shipByMs)
    this.capacity.take(location, capacityDay)
    const kind = order.delivery.method === 'pickup' ? 'pickup' : place.type === 'dropship' ? 'dropship' : 'ship'
    return {
      number: order.fulfillments.length + 1,
      location,
      kind,
      status: 'pending',
      service: service.name,
      createdMs: step.timeMs,
      sinceMs: step.timeMs,
      shipByMs,
      deliverByMs,
      lines: [],
      packages: [],
      capacityDay,
    }
  }

  /** What is promised is when the last of it comes. A promise that was given and cannot be kept changes by an event. */
  private promise(step: Step, order: Order): void {
    const live = order.fulfillments.filter(isStanding)
    const promise = {
      shipByMs: Math.max(...live.map(({ shipByMs }) => shipByMs)),
      deliverByMs: Math.max(...live.map(({ deliverByMs }) => deliverByMs)),
    }
    const before = order.promise
    if (before && promise.deliverByMs <= before.deliverByMs) return
    order.promise = promise
    if (!before) return
    note(order, step.timeMs, 'order.promise_changed', SYSTEM)
    step.publish('order.promise_changed', `order/${order.id}`, {
      order: order.id,
      shipByMs: promise.shipByMs,
      deliverByMs: promise.deliverByMs,
      before: before.deliverByMs,
    })
  }
}

/** Where no plan has said so. */
function promiseOf(
  { calendar, country }: Place,
  destination: string,
  { transitDays }: ShippingService,
  timeMs: number,
): DeliveryPromise {
  const shipByMs = nextCutoff(calendar, timeMs)
  const days = country === destination ? transitDays.domestic : transitDays.foreign
  return { shipByMs, deliverByMs: afterWorkingDays(calendar, shipByMs, days) }
}
