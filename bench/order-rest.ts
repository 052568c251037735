/** Orders at rest: what they cost in memory, open and closed, and how fast they are listed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'hdr-histogram-js'
import { type Catalogue, fillNetwork } from './catalogue.js'
import type { Figure } from './figures.js'
import type { LoadReport } from './load-protocol.js'
import { OrderBooks } from './order-books.js'
import { ONE_PARTITION, ORDER_SKUS, runOrders } from './order-rates.js'
import type { Context, Scenario } from './scenario.js'
import { type Memory, Server, withServer } from './server.js'

/** Beyond what stays decoded in memory whatever there is (20,000), so that this is not booked on the others. */
const WARM_UP_ORDERS = 40_000
/** After the last order, and what is done about it, the log lies still and a checkpoint begins; then buffers are given back. */
const SETTLE_MS = 12_000
const KIB = 1_024
/** None for closed ones: what is left to the noise of a garbage-collected heap. */
const CLOSED_BYTES_MAX = 64
const MIB = 2 ** 20

const PAGE = 50
const STRIDE = 500
const REQUESTS_PER_LIST = 40
/** How deep the pages are that are read besides the first, as shares of the whole list. */
const DEPTHS = [0.5, 0.9]

export const orderRestScenarios = {
  memoryOpen: {
    name: 'orders-memory-open',
    summary: 'bytes for each open order of three lines, at rest (--orders)',
    run: (context) => measureMemory(context, 'orders-memory-open', false, 2 * KIB),
  },
  memoryClosed: {
    name: 'orders-memory-closed',
    summary: 'bytes for each delivered order, at rest (--orders)',
    run: (context) => measureMemory(context, 'orders-memory-closed', true, CLOSED_BYTES_MAX),
  },
  pages: {
    name: 'orders-pages',
    summary: `pages of ${PAGE} orders by GET /v1/orders, first and deep, with and without filters (--orders)`,
    run: measurePages,
  },
} satisfies Record<string, Scenario>

/**
 * What a server needs that was started anew on the data: one that has just taken the orders has not yet been given back all
 * that its garbage collector could; what such a one has in use is in the detail.
 */
async function measureMemory(context: Context, name: string, isWhole: boolean, most: number): Promise<Figure> {
  const { resources } = context
  const options = { ...ONE_PARTITION, directory: resources.directory() }
  /** Has a server on these data, and resolves what it needs when all lies still. */
  const atRest = async (use: (server: Server) => Promise<void>): Promise<Memory> => {
    const server = await Server.start(resources, options)
    try {
      await use(server)
      await server.readersDone()
      await sleep(SETTLE_MS)
      return server.memory()
    } finally {
      await server.kill()
    }
  }
  let catalogue: Catalogue = { names: [], skus: new Uint32Array() }
  let books: OrderBooks | undefined
  await atRest(async (server) => {
    catalogue = await fillNetwork(server, ORDER_SKUS)
    books = await OrderBooks.read(server, catalogue)
  })
  const reports: LoadReport[] = []
  const place = async (server: Server, prefix: string, ordersMax: number): Promise<void> => {
    reports.push(await runOrders(context, server, catalogue.names, { isWhole, ordersMax, prefix }))
  }
  const runningBefore = await atRest((server) => place(server, 'warm', WARM_UP_ORDERS))
  const before = await atRest(() => Promise.resolve())
  const runningAfter = await atRest((server) => place(server, name, context.orders))
  const after = await atRest((server) => books!.expect({ [isWhole ? 'delivered' : 'allocated']: reports }, server))
  resources.remove(options.directory)
  const orders = reports.at(-1)?.orders ?? 0

  return {
    name,
    value: (after.ownBytes - before.ownBytes) / orders,
    unit: 'bytes/order',
    target: { most },
    how: `growth of RssAnon + RssShmem of a server that was started anew, over ${orders.toLocaleString('en')} ${isWhole ? 'delivered' : 'allocated'} orders, after ${WARM_UP_ORDERS.toLocaleString('en')}`,
    detail: {
      beforeMib: before.ownBytes / MIB,
      afterMib: after.ownBytes / MIB,
      runningBeforeMib: runningBefore.ownBytes / MIB,
      runningAfterMib: runningAfter.ownBytes / MIB,
      mappedFilesMib: after.fileBytes / MIB,
    },
  }
}

function measurePages(context: Context): Promise<Figure> {
  const measure = async (server: Server): Promise<Figure> => {
    const { names } = await fillNetwork(server, ORDER_SKUS)
    const half = Math.ceil(context.orders / 2)
    await runOrders(context, server, names, { isWhole: true, ordersMax: half, prefix: 'closed' })
    await runOrders(context, server, names, { isWhole: false, ordersMax: half, prefix: 'open' })
    await server.readersDone()
    await sleep(SETTLE_MS)
    const [sample] = (await pageOf(server, new URLSearchParams({ limit: '1' }))).items
    if (!sample) throw new Error('There are no orders to list.')

    const all = histogram()
    const detail: Record<string, number> = { orders: 2 * half }
    for (const [label, query] of listsOf(sample)) {
      for (const [place, cursor] of await cursorsOf(server, query)) {
        const own = histogram()
        for (let request = 0; request < REQUESTS_PER_LIST; request++) {
          const startedMs = performance.now()
          await pageOf(server, new URLSearchParams({ ...query, limit: String(PAGE), ...(cursor && { cursor }) }))
          const microseconds = Math.max(1, Math.round((performance.now() - startedMs) * 1_000))
          own.recordValue(microseconds)
          all.recordValue(microseconds)
        }
        detail[`${label} ${place} p50Ms`] = own.getValueAtPercentile(50) / 1_000
        detail[`${label} ${place} maxMs`] = own.maxValue / 1_000
      }
    }
    const at = (percentile: number) => all.getValueAtPercentile(percentile) / 1_000
    return {
      name: 'orders-pages',
      value: at(99),
      unit: 'ms',
      target: { most: 20 },
      latency: { p50Ms: at(50), p99Ms: at(99), p999Ms: at(99.9) },
      how: `p99 of a page of ${PAGE} by HTTP, one request at a time, ${(2 * half).toLocaleString('en')} orders stored, half of them delivered`,
      detail,
    }
  }
  return withServer(context.resources, measure, ONE_PARTITION)
}

const histogram = () => build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, bitBucketSize: 32 })

type Query = Readonly<Record<string, string>>

interface OrderPage {
  readonly items: readonly Listed[]
  readonly nextCursor: string | null
}

/** What is read here of an order in a list. */
interface Listed {
  readonly customer: { readonly email: string; readonly name: string }
  readonly shipTo: { readonly city: string }
  readonly fulfillments: readonly { readonly location: string }[]
}

/** The lists that are read: all, by status, where there is none, and by what an order is looked for by. */
function listsOf({ customer, shipTo, fulfillments }: Listed): [label: string, query: Query][] {
  return [
    ['all', {}],
    ['delivered', { status: 'delivered' }],
    ['allocated', { status: 'allocated' }],
    ['cancelled (none)', { status: 'cancelled' }],
    ['location', { location: fulfillments[0]?.location ?? '' }],
    ['city', { q: shipTo.city }],
    ['city of the delivered', { q: shipTo.city, status: 'delivered' }],
    ['customer', { customer: customer.email }],
  ]
}

/** Where the pages are that are read: the first, and some in the depth of a list that is long enough. */
async function cursorsOf(server: Server, query: Query): Promise<[place: string, cursor: string | undefined][]> {
  const cursors: string[] = []
  let cursor: string | null | undefined
  do {
    const page = await pageOf(
      server,
      new URLSearchParams({ ...query, limit: String(STRIDE), ...(cursor && { cursor }) }),
    )
    cursor = page.nextCursor
    if (cursor) cursors.push(cursor)
  } while (cursor)
  const deep = DEPTHS.map((depth): [string, string | undefined] => [
    `at ${100 * depth} %`,
    cursors[Math.floor(depth * (cursors.length - 1))],
  ])
  return [['first', undefined], ...deep.filter(([, place]) => place !== undefined)]
}

async function pageOf(server: Server, query: URLSearchParams): Promise<OrderPage> {
  const response = await fetch(`${server.url}/v1/orders?${query}`)
  if (response.status !== 200) throw new Error(`GET /v1/orders?${query} answered ${response.status}.`)
  // The body that this path answers with; a server that answers otherwise fails at the first use.
  return (await response.json()) as OrderPage
}
