/** Orders as the API shows them, and reading all of them. */
import { setTimeout } from 'node:timers/promises'
import type { PageDocument } from './http-call.js'
import type { TestServer } from './test-server.js'

export interface OrderLineDocument {
  readonly line: number
  readonly sku: string
  readonly quantity: number
  readonly status: string
  readonly unitPrice: { readonly amount: string; readonly currency: string }
  readonly kit?: boolean
  /** The line of the kit that it is a part of. */
  readonly partOf?: number
  /** How many units are in which state; a kit has none itself. */
  readonly units?: Readonly<Record<string, number>>
}

export interface FulfillmentDocument {
  readonly id: string
  readonly order: string
  readonly location: string
  readonly status: string
  readonly lines: readonly { line: number; sku: string; quantity: number; picked: number }[]
  /** Once it was shipped. */
  readonly carrier?: string
}

export interface TimelineDocument {
  readonly at: string
  readonly type: string
  readonly by: string
  readonly detail?: string
}

export interface OrderDocument {
  readonly id: string
  readonly channel: string
  readonly externalId: string | null
  readonly status: string
  readonly customer: { readonly id?: string; readonly name: string }
  readonly notes: string | null
  readonly allowSplit: boolean
  readonly allowBackorder: boolean
  readonly allowPartial: boolean
  readonly lines: readonly OrderLineDocument[]
  readonly fulfillments: readonly FulfillmentDocument[]
  readonly exceptions: readonly { type: string }[]
  readonly timeline: readonly TimelineDocument[]
}

const PAGE = 500

/** All orders, page by page, as the list gives them. */
export async function listOrders(server: TestServer): Promise<OrderDocument[]> {
  const all: OrderDocument[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const from: string = cursor === '' ? '' : `&cursor=${cursor}`
    const { status, body } = await server.call<PageDocument<OrderDocument>>('GET', `/v1/orders?limit=${PAGE}${from}`)
    if (status !== 200) throw new Error(`orders cannot be listed: ${status} ${JSON.stringify(body)}`)
    all.push(...body.items)
    cursor = body.nextCursor
  }
  return all
}

/** As a list shows it: without why rules and plans did what they did. */
export function asListed<T extends object>(order: T): Omit<T, 'notChosen' | 'rules'> {
  const { notChosen: _notChosen, rules: _rules, ...listed } = order as T & { notChosen?: unknown; rules?: unknown }
  return listed
}

/** All orders, as they are exported. */
export async function exportOrders(server: TestServer): Promise<OrderDocument[]> {
  const text = await (await fetch(`${server.url}/v1/orders/export?format=jsonl`)).text()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as OrderDocument)
}

export async function orderCounts(server: TestServer): Promise<Record<string, number>> {
  return (await server.call<Record<string, number>>('GET', '/v1/order-counts')).body
}

/** Until no order asks for anything and no message is under way, three times in a row. */
export async function untilQuiet(server: TestServer, withinMs = 20_000): Promise<void> {
  const until = performance.now() + withinMs
  for (let quiet = 0; quiet < 3; ) {
    const waiting = await server.metric('doorbuster_partition_messages_waiting')
    const { validating, sourcing } = await orderCounts(server)
    quiet = waiting + validating! + sourcing! === 0 ? quiet + 1 : 0
    if (performance.now() > until)
      throw new Error(`not quiet: ${waiting} messages wait, ${validating} orders validating, ${sourcing} sourcing`)
    await setTimeout(20)
  }
}
