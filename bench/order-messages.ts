/**
 * Prepared control messages of orders: packed once, then only what differs is written over in place, because what the
 * generator spends is missing from the figure. A message may be written anew once its answer has come.
 */
import { Packr } from 'msgpackr'
import { type DemoLocation, demoLocations } from '../gateway/cli/demo-network.js'
import { frameHeadBytes, writeFrameHead } from './socket.js'

const packr = new Packr({ useRecords: false })

export const LINES_PER_ORDER = 3
const UNITS_MAX = 3
const NUMBER_DIGITS = 12
/** The length of an order's id that stands for its external id: a UUID. */
const ORDER_ID_CHARACTERS = 36

export const STEPS = ['accept', 'pick', 'pack', 'ship', 'deliver'] as const
export type OrderStep = (typeof STEPS)[number]

export interface OrderLine {
  /** The place of the SKU in the list that the orders are made of. */
  readonly sku: number
  readonly quantity: number
}

/** A message with places in it that are written over: texts that keep their length. */
class Prepared {
  readonly bytes: Buffer
  readonly #places: readonly number[]

  constructor(message: object, texts: readonly string[]) {
    const payload = packr.pack(message)
    const headBytes = frameHeadBytes(payload.length)
    this.bytes = Buffer.alloc(headBytes + payload.length)
    writeFrameHead(this.bytes, 0, payload.length)
    payload.copy(this.bytes, headBytes)
    let from = 0
    this.#places = texts.map((text) => {
      const at = this.bytes.indexOf(text, from, 'latin1')
      if (at < 0) throw new Error(`A prepared message has no ${text}.`)
      from = at + text.length
      return at
    })
  }

  write(place: number, text: string): void {
    this.bytes.write(text, this.#places[place] as number, 'latin1')
  }
}

/** `order.createMany` with orders of three lines each to addresses all over the network. */
export class PlaceMessage {
  readonly bytes: Buffer
  readonly orders: readonly (readonly OrderLine[])[]
  readonly #prepared: Prepared
  readonly #prefix: string

  /** `prefix` keeps the external ids of several generators apart. */
  constructor(ref: number, orders: number, skus: readonly string[], prefix: string) {
    this.#prefix = prefix
    this.orders = Array.from({ length: orders }, () => randomLines(skus.length))
    const places = this.orders.map((_, i) => numbered(prefix, i))
    const bodies = this.orders.map((lines, i) => orderBody(places[i] as string, lines, skus))
    const message = { op: 'command', ref, name: 'order.createMany', body: { orders: bodies } }
    this.#prepared = new Prepared(message, places)
    this.bytes = this.#prepared.bytes
  }

  /** New orders of the same lines, numbered from `first`. */
  number(first: number): void {
    for (let i = 0; i < this.orders.length; i++) this.#prepared.write(i, numbered(this.#prefix, first + i))
  }
}

/** `fulfillment.advanceMany` with one step of the first fulfillment of each order. */
export class StepMessage {
  readonly bytes: Buffer
  readonly #prepared: Prepared

  constructor(ref: number, step: OrderStep, orders: number) {
    const places = Array.from({ length: orders }, (_, i) => String(i).padStart(ORDER_ID_CHARACTERS, '0'))
    const more = step === 'ship' ? { carrier: 'simulated', packages: [{ weightGrams: 1_500 }] } : {}
    const commands = places.map((order) => ({
      fulfillment: `${order}-1`,
      action: step,
      ...more,
      ...(step === 'ship' ? { trackingNumber: `T-${order.slice(-10)}` } : {}),
    }))
    this.#prepared = new Prepared({ op: 'command', ref, name: 'fulfillment.advanceMany', body: { commands } }, places)
    this.bytes = this.#prepared.bytes
  }

  address(orders: readonly string[]): void {
    for (let i = 0; i < orders.length; i++) this.#prepared.write(i, orders[i] as string)
  }
}

function numbered(prefix: string, number: number): string {
  return `${prefix}-${String(number).padStart(NUMBER_DIGITS, '0')}`
}

function randomLines(skus: number): OrderLine[] {
  const chosen = new Set<number>()
  while (chosen.size < Math.min(LINES_PER_ORDER, skus)) chosen.add(Math.floor(Math.random() * skus))
  return [...chosen].map((sku) => ({ sku, quantity: 1 + Math.floor(Math.random() * UNITS_MAX) }))
}

/** An order as a web shop sends it. */
function orderBody(externalId: string, lines: readonly OrderLine[], skus: readonly string[]): object {
  // The network is not empty.
  const near = demoLocations[Math.floor(Math.random() * demoLocations.length)] as DemoLocation
  const buyer = Math.floor(Math.random() * 1_000_000)
  return {
    channel: 'web',
    externalId,
    currency: 'GBP',
    customer: { name: `Buyer ${buyer}`, email: `buyer-${buyer}@example.com` },
    shipTo: {
      ...near.address,
      line1: `${1 + (buyer % 200)} High Street`,
      latitude: near.latitude + (Math.random() - 0.5) / 2,
      longitude: near.longitude + (Math.random() - 0.5) / 2,
    },
    lines: lines.map(({ sku, quantity }) => ({
      sku: skus[sku],
      quantity,
      unitPrice: { amount: '9.99', currency: 'GBP' },
    })),
  }
}
