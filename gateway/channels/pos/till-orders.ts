/** What tills do with orders: they find the one that a receipt stands for, save a sale from elsewhere, hand over what waits. */
import { homeId } from '../../order-request.js'
import { receiptName, refuse, type TillStep } from './till-step.js'
import { type SoldLine, type Transaction, type TransactionResult, totalOf } from './transactions.js'

type Of<Type extends Transaction['type']> = Extract<Transaction, { type: Type }>
type Done = Omit<TransactionResult, 'id' | 'type'>

/** What is read here of an order as clients see it. */
export interface SeenOrder {
  id: string
  channel: string
  externalId: string | null
  status: string
  delivery: { method: string; location?: string }
  lines: {
    line: number
    sku: string
    quantity: number
    kit?: boolean
    partOf?: number
    unitPrice: { amount: string }
    discount?: { amount: string }
    taxes?: { amount: { amount: string } }[]
    units?: Partial<Record<string, number>>
  }[]
  fulfillments: { id: string; location: string; kind: string; status: string }[]
  holds: unknown[]
}

/** The order that was made of a sale of a till. */
export const orderOfReceipt = (connection: string, till: string, id: string): string =>
  homeId(connection, receiptName(till, id))

export async function readOrder(order: string, { context }: TillStep): Promise<SeenOrder | undefined> {
  const { status, body } = await context.call('order.get', { id: order })
  return status === 200 ? (body as SeenOrder) : undefined // as order.get shows it
}

/** The order that a transaction names, by its number or by the receipt of a sale. */
export async function namedOrder(
  { order, receipt }: Pick<Of<'return'>, 'order' | 'receipt'>,
  step: TillStep,
): Promise<SeenOrder> {
  const id = order ?? orderOfReceipt(receipt!.connection ?? step.connection, receipt!.till, receipt!.id)
  const found = await readOrder(id, step)
  if (found) return found
  return order === undefined
    ? refuse(
        'unknown_receipt',
        `There is no sale ${receipt!.id} of till ${receipt!.till}; if that till was offline, send its queue first.`,
      )
    : refuse('unknown_order', `There is no order ${order}.`)
}

/** What an order is made of besides its lines; refuses amounts that are not in the till's currency or do not add up. */
export async function orderOf(
  {
    lines,
    total,
    shipping,
    customer,
    by,
    paymentReference,
  }: Pick<Of<'sale'>, 'lines' | 'total' | 'customer' | 'by' | 'paymentReference'> & {
    shipping?: { amount: string; currency: string } | undefined
  },
  { connection, till, settings, entry, context, must }: TillStep,
) {
  const { currency, location } = settings
  const unknown = lines.find(({ sku }) => context.directory.find('skus', sku) < 0)
  if (unknown) refuse('unknown_sku', `There is no SKU ${unknown.sku}; put the product first, then send this again.`)
  const amount = totalOf(lines, shipping, currency)
  if (!amount || amount.amount.startsWith('-')) {
    return refuse('invalid', `The lines do not make an amount in ${currency}, the currency of this till.`)
  }
  if (total && (total.currency !== currency || Number(total.amount) !== Number(amount.amount))) {
    return refuse(
      'invalid',
      `The till took ${total.amount} ${total.currency}, but the lines make ${amount.amount} ${currency}.`,
    )
  }
  const store = await must<{ address: object; latitude: number; longitude: number }>('location.get', { id: location })
  const receipt = receiptName(till, entry.id)
  return {
    channel: connection,
    externalId: receipt,
    currency,
    customer: customer ?? settings.customer,
    shipTo: { ...store.address, latitude: store.latitude, longitude: store.longitude },
    payment: { status: 'captured', amount, reference: paymentReference ?? receipt },
    by: by ?? receiptName(connection, till).slice(0, 100),
    ...(shipping ? { shipping } : {}),
  }
}

const NO_STOCK = 'No location has the goods: give the customer the money back.'

/** Goods that the store has not: ordered from elsewhere, shipped home or to the store. */
export async function saveTheSale(sale: Of<'save_the_sale'>, step: TillStep): Promise<Done> {
  const { settings, must, idOf } = step
  const base = await orderOf(sale, step)
  const { from, shipTo, shippingService } = sale
  const reserved = from === undefined ? [] : sale.lines.map((_, at) => idOf(`from/${at}`))
  const known = await readOrder(orderOfReceipt(step.connection, step.till, sale.id), step)
  if (!known && from !== undefined) {
    const reservations = sale.lines.map(({ sku, quantity }, at) => ({
      id: reserved[at]!,
      sku,
      quantity,
      location: from,
      channel: step.connection,
    }))
    await must('reservation.batch', { reservations, allOrNothing: true })
  }
  const lines = sale.lines.map((line: SoldLine, at) =>
    from === undefined ? line : { ...line, reservationId: reserved[at] },
  )
  const order = await must<SeenOrder>('order.create', {
    ...base,
    lines,
    ...(shipTo ? { shipTo } : { delivery: { method: 'ship_to_store', location: settings.location } }),
    ...(shippingService === undefined ? {} : { shippingService }),
  })
  if (order.status !== 'rejected' && order.status !== 'cancelled') return { outcome: 'done', order: order.id }
  return { outcome: 'refused', final: true, order: order.id, code: 'no_stock', detail: NO_STOCK }
}

/** Steps from each status of what is to be collected until the customer has it. */
const STEPS_LEFT: Record<string, string[]> = {
  pending: ['accept', 'pick', 'pack', 'deliver'],
  accepted: ['pick', 'pack', 'deliver'],
  picking: ['pick', 'pack', 'deliver'],
  packed: ['deliver'],
  shipped: ['deliver'],
}

/** Hands fulfillment orders over, whatever was done of them: the customer has the goods in hand. */
export async function handOver(fulfillments: SeenOrder['fulfillments'], step: TillStep, by: string): Promise<void> {
  const commands = fulfillments.flatMap(({ id, status }) =>
    (STEPS_LEFT[status] ?? []).map((action) => ({ fulfillment: id, action, id: step.idOf(`${action}/${id}`), by })),
  )
  for (let at = 0; at < commands.length; at += COMMANDS_AT_ONCE) {
    const some = commands.slice(at, at + COMMANDS_AT_ONCE)
    const { results } = await step.must<{ results: { status: number; code?: string; detail?: string }[] }>(
      'fulfillment.advanceMany',
      { commands: some },
    )
    for (const [i, { status, code, detail }] of results.entries()) {
      // Everything of a fulfillment that was being picked may have been picked already.
      if (status < 300 || (some[i]!.action === 'pick' && status === 409 && code === 'invalid_transition')) continue
      refuse(code ?? 'invalid', detail ?? 'It cannot be handed over.')
    }
  }
}

const COMMANDS_AT_ONCE = 400
const WAITING = ['pending', 'accepted', 'picking', 'packed']

/** A customer collects an order that waits in this store. */
export async function collect(pickup: Of<'pickup'>, step: TillStep): Promise<Done> {
  const { settings, isRepeat } = step
  const order = await namedOrder(pickup, step)
  const { method, location } = order.delivery
  if (method === 'ship') refuse('not_to_collect', `Order ${order.id} is sent to the customer; it is not collected.`)
  if (location !== settings.location) {
    refuse('wrong_location', `Order ${order.id} is to be collected in ${location}, not in ${settings.location}.`)
  }
  const isHere = ({ kind, status }: SeenOrder['fulfillments'][number]): boolean =>
    kind === 'pickup' ? WAITING.includes(status) || status === 'shipped' : status === 'shipped'
  const here = order.fulfillments.filter(isHere)
  const handed = order.fulfillments.filter(({ status }) => status === 'delivered').map(({ id }) => id)
  if (here.length === 0) {
    if (handed.length > 0 && isRepeat) return { outcome: 'done', order: order.id, fulfillments: handed }
    const detail =
      handed.length > 0
        ? `Order ${order.id} was collected already.`
        : `Nothing of order ${order.id} has come to this store yet.`
    refuse(handed.length > 0 ? 'already_collected' : 'not_here_yet', detail)
  }
  await handOver(here, step, pickup.by ?? settings.location)
  const missing = order.fulfillments.filter((one) => WAITING.includes(one.status) && !here.includes(one)).length
  return {
    outcome: 'done',
    order: order.id,
    fulfillments: here.map(({ id }) => id),
    ...(missing > 0 ? { notes: [`${missing} parcels of the order have not come yet`] } : {}),
  }
}
