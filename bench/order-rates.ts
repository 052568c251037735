/**
 * Orders of three lines over the 25 places of the demonstration's network, against what they must reach. Each outcome is
 * checked when it is answered, and after each run the books.
 */
import { fillNetwork } from './catalogue.js'
import { assertServed } from './engine-rates.js'
import type { Figure } from './figures.js'
import { runLoad } from './load.js'
import type { LoadReport, OpenOrdersJob, OrdersJob } from './load-protocol.js'
import { OrderBooks } from './order-books.js'
import { LINES_PER_ORDER } from './order-messages.js'
import type { Context, Scenario } from './scenario.js'
import { type Cpu, type Server, withServer } from './server.js'

/** One partition: its answer to an order says that it is allocated. With more, some are only taken by then. */
export const ONE_PARTITION = { env: { DOORBUSTER_PARTITIONS: '1', DOORBUSTER_THREADS: '1' } }

export const ORDER_SKUS = 2_000
/** 250 orders are some 100 KB; a message may have 256 KiB and 500 items. */
const ORDERS_PER_MESSAGE = 250
const SOCKETS = 4
const MESSAGES_IN_FLIGHT = 2
/** The clock starts when the code is compiled: after so many of the orders. */
const WARM_UP_SHARE = 0.2
const PATIENCE_MS = 600_000

const HALF = 0.5
/** What a shop's connector sends together: the orders of a moment. */
const OPEN_ORDERS_PER_MESSAGE = 10
const OPEN_SOCKETS = 4
const OPEN_WARM_UP_MS = 3_000

/** The share of the highest rate at which orders flow beside reservations. */
const BESIDE_SHARE = 0.25
const PACKED = { recordsPerFrame: 256, sockets: 8, framesInFlight: 16 }
const PACKED_WARM_UP_MS = 3_000
/** What this engine reserves in a second at most: memory is ready for the two runs that are measured. */
const RESERVATIONS_PER_SECOND = 2_000_000
/** Of each of the two: together they stay below what one partition remembers. */
const RESERVATIONS_MAX = 25_000_000

export const orderRateScenarios = {
  placed: {
    name: 'orders-placed',
    summary: `order.createMany, ${ORDERS_PER_MESSAGE} orders a message (--orders)`,
    run: (context) => measureClosed(context, 'orders-placed', false, 50_000),
  },
  whole: {
    name: 'orders-whole',
    summary: 'placed, accepted, picked, packed, shipped and delivered in bulk messages (--orders)',
    run: (context) => measureClosed(context, 'orders-whole', true, 20_000),
  },
  latency: {
    name: 'orders-latency',
    summary: `messages of ${OPEN_ORDERS_PER_MESSAGE} orders, due by a Poisson schedule at half of the rate of orders-placed`,
    run: measureLatency,
  },
  told: {
    name: 'orders-told',
    summary: 'placed, and a mail to each customer written, until readers of events have read all (--orders)',
    run: measureTold,
  },
  beside: {
    name: 'orders-beside',
    summary: 'reservations for each second of processor time that orders leave, against reservations alone',
    run: measureBeside,
  },
} satisfies Record<string, Scenario>

/** A closed loop of orders, all of them well. */
export async function runOrders(
  context: Context,
  server: Server,
  skus: readonly string[],
  wish: Pick<OrdersJob, 'isWhole' | 'ordersMax' | 'prefix'> & Partial<OrdersJob>,
): Promise<LoadReport> {
  const report = await runLoad(context.resources, {
    kind: 'orders',
    port: server.port,
    skus,
    sockets: SOCKETS,
    ordersPerMessage: ORDERS_PER_MESSAGE,
    messagesInFlight: MESSAGES_IN_FLIGHT,
    warmUpOrders: 0,
    measureMs: PATIENCE_MS,
    ...wish,
  })
  assertServed(report)
  return report
}

function measureClosed(context: Context, name: string, isWhole: boolean, least: number): Promise<Figure> {
  const measure = async (server: Server): Promise<Figure> => {
    const { names, ...rest } = await fillNetwork(server, ORDER_SKUS)
    const books = await OrderBooks.read(server, { names, ...rest })
    const before = server.cpu()
    const report = await runOrders(context, server, names, {
      isWhole,
      ordersMax: context.orders,
      warmUpOrders: Math.floor(context.orders * WARM_UP_SHARE),
      prefix: name,
    })
    const spent = server.cpuSince(before)
    await books.expect(isWhole ? { delivered: [report] } : { allocated: [report] })
    const { orders = 0, generatorLoad } = report
    const how = [
      `${orders.toLocaleString('en')} orders of ${LINES_PER_ORDER} lines`,
      `${SOCKETS} sockets × ${MESSAGES_IN_FLIGHT} messages of ${ORDERS_PER_MESSAGE} in flight`,
      `latency of ${isWhole ? 'a message of orders from placed to delivered' : 'a message'}`,
    ]
    return {
      name,
      value: report.operations / report.seconds,
      unit: 'orders/s',
      target: { least },
      latency: report.latency,
      how: how.join('; '),
      detail: { orders, generatorLoad, ...microseconds(spent, orders) },
    }
  }
  return withServer(context.resources, measure, ONE_PARTITION)
}

/** Processor time for each order: what stays the same when somebody else keeps the machine busy. */
function microseconds(spent: Cpu, orders: number): Record<string, number> {
  return {
    serverMicrosecondsPerOrder: (spent.allSeconds * 1e6) / orders,
    mainMicrosecondsPerOrder: (spent.mainSeconds * 1e6) / orders,
    partitionMicrosecondsPerOrder: (spent.busiestSeconds * 1e6) / orders,
  }
}

async function placedPerSecond(context: Context): Promise<number> {
  const placed = context.figure('orders-placed') ?? (await orderRateScenarios.placed.run(context))
  return placed.value
}

/** Orders that are due by a schedule, all of them well. */
async function runOpenOrders(
  context: Context,
  server: Server,
  skus: readonly string[],
  wish: Pick<OpenOrdersJob, 'prefix' | 'warmUpMs'> & { ordersPerSecond: number },
): Promise<LoadReport> {
  const { ordersPerSecond, ...rest } = wish
  const report = await runLoad(context.resources, {
    kind: 'open-orders',
    port: server.port,
    skus,
    sockets: OPEN_SOCKETS,
    ordersPerMessage: OPEN_ORDERS_PER_MESSAGE,
    messagesPerSecond: ordersPerSecond / OPEN_ORDERS_PER_MESSAGE,
    measureMs: context.seconds * 1_000,
    ...rest,
  })
  assertServed(report)
  return report
}

async function measureLatency(context: Context): Promise<Figure> {
  const ordersPerSecond = (await placedPerSecond(context)) * HALF
  const measure = async (server: Server): Promise<Figure> => {
    const catalogue = await fillNetwork(server, ORDER_SKUS)
    const books = await OrderBooks.read(server, catalogue)
    // Code is compiled at the highest rate, so that the schedule does not begin with a queue.
    const warm = await runOrders(context, server, catalogue.names, {
      isWhole: false,
      ordersMax: Math.floor(context.orders * WARM_UP_SHARE),
      prefix: 'warm',
    })
    const report = await runOpenOrders(context, server, catalogue.names, {
      prefix: 'open',
      ordersPerSecond,
      warmUpMs: OPEN_WARM_UP_MS,
    })
    await books.expect({ allocated: [warm, report] })
    const { frames = 0, lateFrames = 0, latestMs = 0, generatorLoad, orders = 0, latency } = report
    return {
      name: 'orders-latency',
      value: latency.p99Ms,
      unit: 'ms',
      target: { most: 20 },
      latency,
      how: `p99 from due to allocated and durable, ${Math.round(ordersPerSecond)} orders a second in messages of ${OPEN_ORDERS_PER_MESSAGE}, ${context.seconds} s`,
      detail: { orders, ordersPerSecond, frames, lateFrames, latestMs, generatorLoad },
    }
  }
  return withServer(context.resources, measure, ONE_PARTITION)
}

/** How long it takes until all customers of a rush are written to: messages give way to orders, and go on behind them. */
function measureTold(context: Context): Promise<Figure> {
  const measure = async (server: Server): Promise<Figure> => {
    const { names } = await fillNetwork(server, ORDER_SKUS, true)
    await server.readersDone()
    const before = server.cpu()
    const startedMs = performance.now()
    const report = await runOrders(context, server, names, {
      isWhole: false,
      ordersMax: context.orders,
      prefix: 'told',
    })
    const placedMs = performance.now() - startedMs
    await server.readersDone()
    const seconds = (performance.now() - startedMs) / 1_000
    const { orders = 0 } = report
    return {
      name: 'orders-told',
      value: orders / seconds,
      unit: 'orders/s',
      how: `${orders.toLocaleString('en')} orders, each confirmed by a mail into the outbox folder`,
      detail: { orders, placedSeconds: placedMs / 1_000, ...microseconds(server.cpuSince(before), orders) },
    }
  }
  return withServer(context.resources, measure, ONE_PARTITION)
}

/**
 * Reservations for each second of the server's processor time that is theirs: what the orders take, each as much as in a
 * run of its own with messages of the same size, is taken off.
 */
async function measureBeside(context: Context): Promise<Figure> {
  const ordersPerSecond = (await placedPerSecond(context)) * BESIDE_SHARE
  const measureMs = context.seconds * 1_000
  const packedSeconds = 2 * context.seconds + PACKED_WARM_UP_MS / 1_000
  const warmReservations = Math.min(2 * RESERVATIONS_MAX, Math.ceil(packedSeconds * RESERVATIONS_PER_SECOND))
  return withServer(
    context.resources,
    async (server) => {
      const catalogue = await fillNetwork(server, ORDER_SKUS)
      const books = await OrderBooks.read(server, catalogue)
      const reserve = (milliseconds: number) =>
        runLoad(context.resources, {
          kind: 'closed',
          port: server.port,
          skus: catalogue.skus,
          ...PACKED,
          warmUpMs: 0,
          measureMs: milliseconds,
          reservationsMax: RESERVATIONS_MAX,
        })
      const place = (prefix: string) =>
        runOrders(context, server, catalogue.names, {
          isWhole: false,
          ordersMax: Math.floor(context.orders * WARM_UP_SHARE),
          prefix,
          ordersPerMessage: OPEN_ORDERS_PER_MESSAGE,
        })
      const flow = { prefix: 'beside', ordersPerSecond, warmUpMs: 0 }

      const warm = await place('warm')
      const [ordersAlone, ordersCpu] = await server.cpuOf(() => place('alone'))
      await reserve(PACKED_WARM_UP_MS)
      const [alone, aloneCpu] = await server.cpuOf(() => reserve(measureMs))
      const [[beside, orders], bothCpu] = await server.cpuOf(() =>
        Promise.all([reserve(measureMs), runOpenOrders(context, server, catalogue.names, flow)]),
      )
      for (const report of [alone, beside]) assertServed(report)
      await books.expect({ allocated: [warm, ordersAlone, orders] })

      const secondsPerOrder = ordersCpu.allSeconds / (ordersAlone.orders ?? 1)
      const secondsLeft = bothCpu.allSeconds - secondsPerOrder * (orders.orders ?? 0)
      const perSecond = (report: LoadReport) => report.operations / report.seconds
      return {
        name: 'orders-beside',
        value: beside.operations / secondsLeft / (alone.operations / aloneCpu.allSeconds),
        unit: '× alone',
        target: { least: 0.7 },
        how: `reservations for each second of the server's processor time that ${Math.round(ordersPerSecond)} orders a second leave, frames of ${PACKED.recordsPerFrame}`,
        detail: {
          alonePerSecond: perSecond(alone),
          besidePerSecond: perSecond(beside),
          rawRatio: perSecond(beside) / perSecond(alone),
          ordersPerSecond,
          orderShareOfCpu: 1 - secondsLeft / bothCpu.allSeconds,
          microsecondsPerOrder: secondsPerOrder * 1e6,
          ordersP50Ms: orders.latency.p50Ms,
          ordersP99Ms: orders.latency.p99Ms,
        },
      }
    },
    { ...ONE_PARTITION, warmReservations },
  )
}
