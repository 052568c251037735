/** Products and locations. */
import { z } from 'zod'
import type { LocationEntry, ProductEntry } from '../../actors/catalog/catalog.js'
import type { Calendar } from '../../actors/sourcing/calendar.js'
import type { Outcome } from '../../engine/protocol.js'
import { BULK_ITEMS_MAX } from '../limits.js'
import { unknownLocation, unknownSku } from '../problems.js'
import { reassignLocation } from '../reoptimisation/reoptimiser.js'
import * as schemas from '../schemas.js'
import { holidaysOf, zoneOffsets } from '../time-zones.js'
import { failed, type OperationContext, operation, pageFrom } from './operation.js'

const sku = z.object({ sku: schemas.skuName })
const id = z.object({ id: schemas.locationName })

const productView = ({ sku, product }: ProductEntry): object => ({ sku, ...product })

/** Years of a location's calendar: as long as nobody puts it again. */
const CALENDAR_YEARS = 10

/** When a location ships, as data: its log needs no time zone database. */
function calendarOf(location: z.output<typeof schemas.location>, nowMs: number): Calendar {
  const { timeZone, cutoff, workingDays, holidays, address } = location
  const year = new Date(nowMs).getUTCFullYear()
  const [hour, minute] = cutoff.split(':').map(Number)
  return {
    offsets: zoneOffsets(timeZone, Date.UTC(year - 1, 0), Date.UTC(year + CALENDAR_YEARS, 0)),
    cutoffMinutes: hour! * 60 + minute!,
    workingDays: workingDays.reduce((mask, day) => mask | (1 << (day - 1)), 0),
    holidays: holidays
      ? holidays.map((day) => Date.parse(day) / DAY_MS).sort((a, b) => a - b)
      : holidaysOf(address.country, year, year + CALENDAR_YEARS),
  }
}
const DAY_MS = 86_400_000
const locationView = ({ index, id, location }: LocationEntry): object => {
  const { calendar: _calendar, ...shown } = location
  return { id, index, ...shown }
}

/** Products by SKU index, each asked of the partition that owns it; without those that are not known. */
export async function readProducts(
  indices: number[],
  { directory, dispatch }: OperationContext,
): Promise<Map<number, ProductEntry> | Outcome> {
  const entries = new Map<number, ProductEntry>()
  for (const [partition, own] of directory.byPartition(indices, (index) => index)) {
    for (let at = 0; at < own.length; at += BULK_ITEMS_MAX) {
      const ask = { indices: own.slice(at, at + BULK_ITEMS_MAX) }
      const outcome = await dispatch.query(partition, 'product.getMany', ask)
      if (failed(outcome)) return outcome
      for (const entry of (outcome.body as { items: (ProductEntry | null)[] }).items) {
        if (entry) entries.set(entry.index, entry)
      }
    }
  }
  return entries
}

/** Puts products, each with the partition that owns it; the outcomes in the order of the products. */
async function putProducts(
  products: (z.output<typeof schemas.product> & { sku: string })[],
  { directory, dispatch }: OperationContext,
): Promise<{ indices: number[]; outcomes: Outcome[] } | Outcome> {
  const indices = await directory.intern(
    'skus',
    products.map(({ sku }) => sku),
  )
  if (!Array.isArray(indices)) return indices
  const parts = products.flatMap(({ kit }) => kit?.map(({ sku }) => sku) ?? [])
  const unknown = parts.find((sku) => directory.find('skus', sku) < 0)
  if (unknown !== undefined) return unknownSku(unknown)
  const outcomes: Outcome[] = new Array(products.length)
  const byPartition = directory.byPartition([...indices.keys()], (i) => indices[i]!)
  for (const outcome of await Promise.all(
    [...byPartition].map(async ([partition, places]) => {
      const items = places.map((i): ProductEntry => {
        const { sku, ...rest } = products[i]!
        const kit = rest.kit?.map((part) => ({ sku: directory.find('skus', part.sku), quantity: part.quantity }))
        const product = JSON.parse(JSON.stringify(rest)) as ProductEntry['product']
        return { index: indices[i]!, sku, product, ...(kit ? { kit } : {}) }
      })
      const answer = await dispatch.command(partition, 'product.put', { items })
      const results = failed(answer) ? places.map(() => answer) : (answer.body as { results: Outcome[] }).results
      places.forEach((i, k) => {
        outcomes[i] = results[k]!
      })
      return answer
    }),
  )) {
    if (failed(outcome)) return outcome
  }
  return { indices, outcomes }
}

export const catalogOperations = [
  operation({
    name: 'product.put',
    summary: 'Makes a product known, or changes it',
    http: { method: 'PUT', path: '/v1/products/{sku}', status: 200 },
    parameters: sku,
    body: schemas.product,
    async run(input, context) {
      const put = await putProducts([input], context)
      if ('status' in put) return put
      const [outcome] = put.outcomes
      return failed(outcome!) ? outcome! : { status: 200, body: input }
    },
  }),
  operation({
    name: 'product.putMany',
    summary: 'Makes many products known in one message',
    body: schemas.products,
    async run({ products }, context) {
      const put = await putProducts(products, context)
      if ('status' in put) return put
      const errors = put.outcomes.flatMap((outcome, index) =>
        failed(outcome) ? [{ index, message: (outcome.body as { detail: string }).detail }] : [],
      )
      return { status: 200, body: { indices: put.indices, ...(errors.length > 0 ? { errors } : {}) } }
    },
  }),
  operation({
    name: 'product.get',
    summary: 'A product',
    http: { method: 'GET', path: '/v1/products/{sku}', status: 200 },
    parameters: sku,
    async run({ sku }, { directory, dispatch }) {
      const index = directory.find('skus', sku)
      if (index < 0) return unknownSku(sku)
      const outcome = await dispatch.query(directory.partitionOfSku(index), 'product.get', { index })
      return failed(outcome) ? outcome : { status: 200, body: productView(outcome.body as ProductEntry) }
    },
  }),
  operation({
    name: 'product.list',
    summary: 'Products, in the order in which they were made known',
    http: { method: 'GET', path: '/v1/products', status: 200 },
    query: schemas.page,
    async run({ limit, cursor }, context) {
      const { directory } = context
      const from = pageFrom(cursor)
      if (typeof from !== 'number') return from
      const end = Math.min(from + limit, directory.count('skus'))
      const indices = Array.from({ length: Math.max(0, end - from) }, (_, i) => from + i)
      const entries = await readProducts(indices, context)
      if ('status' in entries) return entries
      const items = indices.flatMap((index) => (entries.has(index) ? [productView(entries.get(index)!)] : []))
      return { status: 200, body: { items, nextCursor: end < directory.count('skus') ? String(end) : null } }
    },
  }),
  operation({
    name: 'location.put',
    summary: 'Makes a location known, or changes it',
    http: { method: 'PUT', path: '/v1/locations/{id}', status: 200 },
    parameters: id,
    body: schemas.location,
    async run({ id, ...location }, context) {
      const { directory, dispatch, now } = context
      const indices = await directory.intern('locations', [id])
      if (!Array.isArray(indices)) return indices
      const calendar = calendarOf(location, now())
      const entry: LocationEntry = { index: indices[0]!, id, location: { ...location, calendar } }
      const before = await dispatch.query(0, 'location.get', { index: entry.index })
      const outcome = await dispatch.command(0, 'location.put', entry)
      const wasActive = !failed(before) && (before.body as LocationEntry).location.active
      if (!failed(outcome) && wasActive && !location.active) {
        // What it has not begun goes elsewhere. The answer does not wait for it: it may be thousands of orders.
        void reassignLocation(entry.index, 'out_of_service', context).catch((error) => context.fault(error))
      }
      return failed(outcome) ? outcome : { status: 200, body: locationView(entry) }
    },
  }),
  operation({
    name: 'location.get',
    summary: 'A location',
    http: { method: 'GET', path: '/v1/locations/{id}', status: 200 },
    parameters: id,
    async run({ id }, { directory, dispatch }) {
      const index = directory.find('locations', id)
      if (index < 0) return unknownLocation(id)
      const outcome = await dispatch.query(0, 'location.get', { index })
      return failed(outcome) ? outcome : { status: 200, body: locationView(outcome.body as LocationEntry) }
    },
  }),
  operation({
    name: 'location.list',
    summary: 'Locations, in the order in which they were made known',
    http: { method: 'GET', path: '/v1/locations', status: 200 },
    query: schemas.page,
    async run({ limit, cursor }, { dispatch }) {
      const from = pageFrom(cursor)
      if (typeof from !== 'number') return from
      const outcome = await dispatch.query(0, 'location.list', {})
      if (failed(outcome)) return outcome
      const all = (outcome.body as { items: LocationEntry[] }).items
      const items = all.slice(from, from + limit).map(locationView)
      return { status: 200, body: { items, nextCursor: from + limit < all.length ? String(from + limit) : null } }
    },
  }),
]
