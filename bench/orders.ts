/**
 * Orders of three lines over the 25 places of the demonstration's network, against what they must reach. Each outcome is
 * checked when it is answered, and after each run the books: how many orders have which status, and each SKU's units.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Catalogue, fillNetwork } from './catalogue.js'
import { assertServed } from './engine-rates.js'
import type { Figure } from './figures.js'
import { runLoad } from './load.js'
import type { LoadReport, OrdersJob } from './load-protocol.js'
import { LINES_PER_ORDER } from './order-messages.js'
import type { Context, Scenario } from './scenario.js'
import { type Server, withServer } from './server.js'

const SKUS = 2_000
/** 250 orders are some 100 KB; a message may have 256 KiB and 500 items. */
const ORDERS_PER_MESSAGE = 250
const SOCKETS = 4
const MESSAGES_IN_FLIGHT = 2
const WARM_UP_SHARE = 0.2
const PATIENCE_MS = 300_000
const SKUS_PER_QUERY = 500

export const orderScenarios = {
  placed: {
    name: 'orders-placed',
    summary: `order.createMany, ${ORDERS_PER_MESSAGE} orders a message, ${SOCKETS * MESSAGES_IN_FLIGHT} in flight (--orders)`,
    run: measurePlaced,
  },
  whole: {
    name: 'orders-whole',
    summary: 'placed, accepted, picked, packed, shipped and delivered in messages of 250 (--orders)',
    run: measureWhole,
  },
} satisfies Record<string, Scenario>

/** A run of orders in a closed loop, all of them well. */
async function runOrders(
  context: Context,
  server: Server,
  catalogue: Catalogue,
  wish: Pick<OrdersJob, 'isWhole' | 'ordersMax' | 'warmUpOrders' | 'prefix'>,
): Promise<LoadReport> {
  const report = await runLoad(context.resources, {
    kind: 'orders',
    port: server.port,
    skus: catalogue.names,
    sockets: SOCKETS,
    ordersPerMessage: ORDERS_PER_MESSAGE,
    messagesInFlight: MESSAGES_IN_FLIGHT,
    measureMs: PATIENCE_MS,
    ...wish,
  })
  assertServed(report)
  return report
}

function measurePlaced(context: Context): Promise<Figure> {
  return measureRun(context, 'orders-placed', false, 50_000)
}

function measureWhole(context: Context): Promise<Figure> {
  return measureRun(context, 'orders-whole', true, 20_000)
}

function measureRun(context: Context, name: string, isWhole: boolean, least: number): Promise<Figure> {
  return withServer(context.resources, async (server) => {
    const catalogue = await fillNetwork(server, SKUS)
    const books = await Books.read(server, catalogue)
    const warmUpOrders = Math.floor(context.orders * WARM_UP_SHARE)
    const report = await runOrders(context, server, catalogue, {
      isWhole,
      ordersMax: context.orders,
      warmUpOrders,
      prefix: name,
    })
    await books.expect(isWhole ? 'delivered' : 'allocated', report)
    const { orders = 0, generatorLoad, latency } = report
    const how = `${orders.toLocaleString('en')} orders of ${LINES_PER_ORDER} lines, ${SOCKETS} sockets × ${MESSAGES_IN_FLIGHT} messages of ${ORDERS_PER_MESSAGE} in flight; books right`
    return {
      name,
      value: report.operations / report.seconds,
      unit: 'orders/s',
      target: { least },
      latency,
      how,
      detail: { orders, generatorLoad },
    }
  })
}

interface Stock {
  readonly onHand: number
  readonly allocated: number
  readonly reserved: number
}

/** The stock before a run, and whether it is right after it. */
class Books {
  private constructor(
    private readonly server: Server,
    private readonly catalogue: Catalogue,
    private readonly before: readonly Stock[],
  ) {}

  static async read(server: Server, catalogue: Catalogue): Promise<Books> {
    return new Books(server, catalogue, await stockOf(server, catalogue))
  }

  /** Throws where an order has another status, or a SKU other stock, than these runs explain. */
  async expect(status: 'allocated' | 'delivered', ...reports: readonly LoadReport[]): Promise<void> {
    const orders = reports.reduce((sum, report) => sum + (report.orders ?? 0), 0)
    const counts = await countsOf(this.server)
    if (counts[status] !== orders) {
      throw new Error(`${orders} orders were placed, but order.counts says ${JSON.stringify(counts)}.`)
    }
    const after = await stockOf(this.server, this.catalogue)
    for (const [i, name] of this.catalogue.names.entries()) {
      const units = reports.reduce((sum, report) => sum + (report.units?.[i] ?? 0), 0)
      const { onHand, allocated } = this.before[i] as Stock
      const now = after[i] as Stock
      const wanted = status === 'delivered' ? { onHand: onHand - units, allocated } : { onHand, allocated: allocated + units }
      if (now.onHand !== wanted.onHand || now.allocated !== wanted.allocated) {
        throw new Error(`${name}: ${units} units were ordered of ${JSON.stringify(this.before[i])}, now ${JSON.stringify(now)}.`)
      }
    }
  }
}

async function countsOf(server: Server): Promise<Record<string, number>> {
  const response = await fetch(`${server.url}/v1/order-counts`)
  // The body that this path answers with; another one fails the comparison.
  return (await response.json()) as Record<string, number>
}

async function stockOf(server: Server, { names }: Catalogue): Promise<Stock[]> {
  const client = await server.client()
  try {
    const stock: Stock[] = []
    for (let from = 0; from < names.length; from += SKUS_PER_QUERY) {
      const reply = await client.command('inventory.getMany', { skus: names.slice(from, from + SKUS_PER_QUERY) })
      if (reply.status !== 200) throw new Error(`inventory.getMany answered ${reply.status}.`)
      for (const { onHand, allocated, reserved } of (reply.body as { items: Stock[] }).items) {
        stock.push({ onHand, allocated, reserved })
      }
    }
    return stock
  } finally {
    client.close()
  }
}
void sleep
