/**
 * Asks for the orders that have changed since the cursor. Each poll reads a window of time whole: from a little before where
 * the last one ended, since a change may show later than its own time, to where the platform says its answer is complete.
 * A window with too many orders is halved, so no page token outlives a poll and what is held in memory stays bounded.
 */
import type { Connection, OutwardHttp } from '../channel.js'
import { readAs } from '../payload.js'
import type { Poll } from '../polled-channel.js'
import { withoutItems } from './orders.js'
import { itemsPage, ordersPage, sellerOrder } from './payloads.js'
import type { ToldOrder } from './read.js'
import { type SellerCall, sellerCall } from './seller-call.js'
import { settingsOf } from './settings.js'

/** Orders of one poll: with their items some megabytes. */
const PAGES_MAX = 5
const PAGE_ORDERS = 100
/** A window that is still too full is not halved further: this many orders in one second are nobody’s. */
const WINDOW_MS_MIN = 1_000
const ITEM_PAGES_MAX = 50

interface Window {
  orders: unknown[]
  /** Up to where the answer is complete; undefined where the platform did not say. */
  completeUntilMs: number | undefined
  /** The platform’s time at the first, unhalved reading. */
  readAtMs: number | undefined
  /** Whether everything of the window has been read. */
  isWhole: boolean
  /** Whether there is more behind it. */
  isPart: boolean
}

async function readWindow(
  after: number,
  before: number | undefined,
  ids: string[],
  call: Pick<SellerCall, 'get'>,
): Promise<Window> {
  const query = new URLSearchParams({
    MarketplaceIds: ids.join(','),
    LastUpdatedAfter: new Date(after).toISOString(),
    MaxResultsPerPage: String(PAGE_ORDERS),
  })
  if (before !== undefined) query.set('LastUpdatedBefore', new Date(before).toISOString())
  const orders: unknown[] = []
  let until: number | undefined
  const whole = () => ({ orders, completeUntilMs: before ?? until, readAtMs: until, isPart: before !== undefined })
  for (let page = 1; page <= PAGES_MAX; page++) {
    const { payload } = readAs(ordersPage, await call.get(`/orders/v0/orders?${query}`), 'a page of orders')
    orders.push(...payload.Orders)
    if (page === 1 && payload.LastUpdatedBefore !== undefined) until = Date.parse(payload.LastUpdatedBefore)
    if (payload.NextToken === undefined) return { ...whole(), isWhole: true }
    query.set('NextToken', payload.NextToken)
  }
  return { ...whole(), isWhole: false }
}

/** The first part of what there is since `after` that can be read whole. */
async function firstWindow(after: number, ids: string[], call: Pick<SellerCall, 'get'>): Promise<Window> {
  let before: number | undefined
  let readAtMs: number | undefined
  for (;;) {
    const window = await readWindow(after, before, ids, call)
    readAtMs ??= window.readAtMs
    if (window.isWhole) return { ...window, readAtMs }
    const end = before ?? window.completeUntilMs
    if (end === undefined) throw new Error('the marketplace does not say until when its orders are complete')
    if (end - after <= WINDOW_MS_MIN)
      throw new Error(`more than ${PAGES_MAX * PAGE_ORDERS} orders changed within one second`)
    before = after + Math.ceil((end - after) / 2)
  }
}

/** The items of an order, page by page; a page that is none stands for itself, and reading it says what is wrong. */
async function itemsOf(id: string, call: SellerCall): Promise<unknown[]> {
  const items: unknown[] = []
  let token = ''
  for (let page = 1; page <= ITEM_PAGES_MAX; page++) {
    const query = token === '' ? '' : `?${new URLSearchParams({ NextToken: token })}`
    const answer = await call.get(`/orders/v0/orders/${id}/orderItems${query}`)
    const { success, data } = itemsPage.safeParse(answer)
    if (!success) return [...items, answer]
    items.push(...data.payload.OrderItems)
    if (data.payload.NextToken === undefined) return items
    token = data.payload.NextToken
  }
  throw new Error(`order ${id} has more than ${ITEM_PAGES_MAX} pages of items`)
}

/** All that is asked of the platform about an order of its list. */
async function toldOf(
  value: unknown,
  { own, withBuyers }: { own: SellerCall; withBuyers: Pick<SellerCall, 'get'> },
): Promise<ToldOrder> {
  const { success, data: order } = sellerOrder.safeParse(value)
  if (!success || withoutItems(order) !== undefined) return { order: value }
  const id = order.AmazonOrderId
  const items = await itemsOf(id, own)
  // A list may come without addresses; then each is asked for by itself.
  if (order.ShippingAddress !== undefined) return { order: value, items }
  return { order: value, items, address: await withBuyers.get(`/orders/v0/orders/${id}/address`) }
}

/**
 * Where a poll begins. As text it is the time up to which all has been seen, `2024-01-31T12:00:00.000Z`; between the parts of
 * a halved window it is where the next part begins and, behind a slash, when the first part was read.
 */
interface Cursor {
  fromMs: number
  /** What changed in the parts after this may have shown too late for them, so the poll after the last part begins here. */
  firstReadMs: number | undefined
}

function parseCursor(text: string): Cursor {
  const [from = '', first] = text.split('/')
  const cursor = { fromMs: Date.parse(from), firstReadMs: first === undefined ? undefined : Date.parse(first) }
  if (!Number.isNaN(cursor.fromMs) && !Number.isNaN(cursor.firstReadMs ?? 0)) return cursor
  throw new Error(`${JSON.stringify(text)} is no cursor of a poll: a time was expected`)
}

const iso = (ms: number): string => new Date(ms).toISOString()

function nextCursor(
  { fromMs, firstReadMs }: Cursor,
  { isPart, completeUntilMs, readAtMs }: Window,
  latest: number,
): string {
  if (isPart) return `${iso(completeUntilMs ?? latest)}/${iso(firstReadMs ?? readAtMs ?? fromMs)}`
  return iso(firstReadMs ?? Math.max(fromMs, completeUntilMs ?? latest))
}

export async function poll(connection: Connection, http: OutwardHttp, text: string | undefined): Promise<Poll> {
  const settings = settingsOf(connection)
  const cursor = parseCursor(text ?? settings.takeFrom)
  // The first poll has nothing behind it to look back at, and a part begins where the one before it ended.
  const looksBack = text !== undefined && cursor.firstReadMs === undefined
  const after = cursor.fromMs - (looksBack ? settings.overlapSeconds * 1_000 : 0)
  const own = await sellerCall(connection, http)
  const withBuyers = await own.withBuyers()
  const window = await firstWindow(after, settings.marketplaceIds, withBuyers)
  const told: ToldOrder[] = []
  let latest = after
  for (const value of window.orders) {
    told.push(await toldOf(value, { own, withBuyers }))
    const changed = sellerOrder.pick({ LastUpdateDate: true }).safeParse(value)
    if (changed.success) latest = Math.max(latest, Date.parse(changed.data.LastUpdateDate))
  }
  return { told, cursor: nextCursor(cursor, window, latest) }
}
