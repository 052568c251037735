/** Orders and fulfillment orders as clients see them: names for indices, text for money and times. */
import { LEVELS } from '../actors/order/exceptions.js'
import type { Fulfillment, OrderException } from '../actors/order/order.js'
import { fulfillmentId } from '../actors/order/order-id.js'
import { isStanding } from '../actors/order/order-status.js'
import type { OrderReturn } from '../actors/return/order-return.js'
import type { Directory } from './directory.js'
import { money } from './money.js'
import type { OpenedLine, OpenedOrder } from './personal-data/opened-order.js'

const isoTime = (ms: number): string => new Date(ms).toISOString()

export function fulfillmentView(directory: Directory, order: string, fulfillment: Fulfillment): object {
  const { number, location, kind, status, lines, commands: _commands, capacityDay: _day, ...rest } = fulfillment
  const { createdMs, sinceMs, shipByMs, deliverByMs, ...shown } = rest
  const id = fulfillmentId(order, number)
  return {
    id,
    order,
    location: directory.name('locations', location),
    kind,
    status,
    createdAt: isoTime(createdMs),
    since: isoTime(sinceMs),
    dueAt: isoTime(shipByMs),
    deliverBy: isoTime(deliverByMs),
    lines: lines.map(({ line, sku, quantity, picked }) => ({
      line,
      sku: directory.name('skus', sku),
      quantity,
      picked,
    })),
    ...shown,
    ...(kind === 'dropship' ? { purchaseOrder: purchaseOrder(id, status) } : {}),
  }
}

/** What a drop-ship supplier is sent, in the words of purchase orders. */
function purchaseOrder(id: string, status: string): object {
  const states: Record<string, string> = {
    pending: 'raised',
    accepted: 'acknowledged',
    picking: 'acknowledged',
    packed: 'acknowledged',
    shipped: 'shipped',
    delivered: 'closed',
  }
  return { id: `PO-${id}`, status: states[status] ?? 'cancelled' }
}

export function exceptionView(order: string, exception: OrderException): object {
  const { number, raisedMs, escalatesMs, level, fulfillment, ...rest } = exception
  return {
    id: `${order}-${number}`,
    order,
    ...(fulfillment === undefined ? {} : { fulfillment: fulfillmentId(order, fulfillment) }),
    ...rest,
    level: LEVELS[level],
    raisedAt: isoTime(raisedMs),
    ...(Number.isFinite(escalatesMs) && rest.status === 'open' ? { escalatesAt: isoTime(escalatesMs) } : {}),
  }
}

export function returnView(directory: Directory, order: string, currency: string, found: OrderReturn): object {
  const { createdMs, sinceMs, location, lines, pieces, refunds, label, exchange, labelCharged, cameByLabel, ...rest } =
    found
  const { fingerprint: _fingerprint, key: _key, commands: _commands, number: _number, ...shown } = rest
  const sku = (index: number): string => directory.name('skus', index)
  return {
    ...shown,
    order,
    createdAt: isoTime(createdMs),
    since: isoTime(sinceMs),
    location: location === undefined ? null : directory.name('locations', location),
    lines: lines.map(({ sku: index, fee, ...line }) => ({ sku: sku(index), ...line, ...(fee > 0 ? { fee } : {}) })),
    received: pieces.map(({ sku: index, location: place, atMs, at, ...piece }) => ({
      sku: sku(index),
      location: directory.name('locations', place),
      at: isoTime(atMs),
      ...piece,
      ...(at === undefined ? { unexpected: true } : {}),
    })),
    refunds: refunds.map(({ amount, fee, by, atMs, isRest }) => ({
      amount: money(amount, currency),
      ...(fee > 0 ? { fee: money(fee, currency) } : {}),
      by,
      at: isoTime(atMs),
      ...(isRest ? { isRest } : {}),
    })),
    label: label
      ? {
          carrier: label.carrier,
          service: label.service,
          trackingNumber: label.trackingNumber,
          cost: money(label.cost, currency),
        }
      : null,
    ...(exchange
      ? {
          exchange: {
            lines: exchange.lines.map(({ sku: index, quantity, unitPrice }) => ({
              sku: sku(index),
              quantity,
              unitPrice: money(unitPrice, currency),
            })),
            total: money(exchange.total, currency),
            order: exchange.order ?? null,
          },
        }
      : {}),
  }
}

/** Where the line's units are, or will come from. */
export function locationsOf(view: OpenedOrder, number: number, directory: Directory): string[] {
  const locations = view.fulfillments.flatMap((fulfillment) =>
    isStanding(fulfillment) && fulfillment.lines.some(({ line }) => line === number)
      ? [directory.name('locations', fulfillment.location)]
      : [],
  )
  return [...new Set(locations)]
}

const UNIT_NAMES = ['open', 'backordered', 'allocated', 'picking', 'shipped', 'delivered', 'cancelled', 'returned']

function lineView(directory: Directory, view: OpenedOrder, line: OpenedLine, status: string): object {
  const locations = locationsOf(view, line.number, directory)
  const units = Object.fromEntries(line.units.flatMap((count, at) => (count > 0 ? [[UNIT_NAMES[at]!, count]] : [])))
  return {
    line: line.number,
    sku: directory.name('skus', line.sku),
    quantity: line.quantity,
    status,
    location: locations[0] ?? null,
    ...(locations.length > 1 ? { locations } : {}),
    unitPrice: money(line.unitPrice, view.currency),
    ...(line.discount > 0 ? { discount: money(line.discount, view.currency) } : {}),
    ...(line.taxes.length > 0
      ? { taxes: line.taxes.map(({ name, amount }) => ({ name, amount: money(amount, view.currency) })) }
      : {}),
    ...(line.isKit ? { kit: true } : { units }),
    ...(line.parent === undefined ? {} : { partOf: line.parent }),
    ...(line.substitutedFor === undefined ? {} : { substitutedFor: directory.name('skus', line.substitutedFor) }),
    ...(line.gift ? { gift: line.gift } : {}),
    ...(line.note === undefined ? {} : { note: line.note }),
    ...(line.group === '' ? {} : { parcel: line.group }),
  }
}

/** An order as a list shows it. */
export function listedOrderView(directory: Directory, view: OpenedOrder): object {
  const { payment, totals, promise, currency } = view
  const shown = (amount: number) => money(amount, currency)
  return {
    id: view.id,
    channel: view.channel,
    externalId: view.externalId ?? null,
    status: view.status,
    placedAt: isoTime(view.placedMs),
    customer: view.customer,
    shipTo: view.shipTo,
    delivery: {
      method: view.delivery.method,
      ...(view.delivery.location === undefined
        ? {}
        : { location: directory.name('locations', view.delivery.location) }),
    },
    shippingService: view.service,
    currency,
    lines: view.lines.map((line, at) => lineView(directory, view, line, view.lineStatuses[at]!)),
    totals: {
      subtotal: shown(totals.subtotal),
      discount: shown(totals.discount),
      shipping: shown(totals.shipping),
      tax: shown(totals.tax),
      total: shown(totals.total),
    },
    payment: payment
      ? {
          status: view.state.split('/')[1],
          provider: payment.provider,
          amount: shown(payment.amount),
          authorized: shown(payment.authorized),
          captured: shown(payment.captured),
          refunded: shown(payment.refunded),
          reference: payment.reference,
        }
      : { status: 'settled' },
    credits: view.credits.map(({ amount, atMs, ...credit }) => ({
      amount: shown(amount),
      at: isoTime(atMs),
      ...credit,
    })),
    holds: view.holds.map(({ sinceMs, ...hold }) => ({ ...hold, since: isoTime(sinceMs) })),
    tags: view.tags,
    priority: view.priority,
    allowSplit: view.allowSplit,
    allowBackorder: view.allowBackorder,
    allowPartial: view.allowPartial,
    notes: view.notes ?? null,
    fulfillments: view.fulfillments.map((fulfillment) => fulfillmentView(directory, view.id, fulfillment)),
    returns: (view.returns ?? []).map((found) => returnView(directory, view.id, currency, found)),
    exceptions: view.exceptions.map((exception) => exceptionView(view.id, exception)),
    shipBy: view.shipByMs === undefined ? null : isoTime(view.shipByMs),
    promise: promise ? { shipBy: isoTime(promise.shipByMs), deliverBy: isoTime(promise.deliverByMs) } : null,
    timeline: view.timeline.map(({ atMs, type, by, detail }) => ({
      at: isoTime(atMs),
      type,
      by,
      ...(detail === undefined ? {} : { detail }),
    })),
  }
}

/** With the reasons of what was done: the locations that its plan did not choose, and what each rule did. */
export const orderView = (directory: Directory, view: OpenedOrder): object => ({
  ...listedOrderView(directory, view),
  notChosen: view.refused.flatMap(({ reason, locations }) =>
    locations.map((location) => ({ location: directory.name('locations', location), reason })),
  ),
  rules: view.trace,
})
