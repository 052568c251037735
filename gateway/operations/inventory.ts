/** Stock: counts, adjustments, supply, channel pools, what can be promised. */
import { z } from 'zod'
import type { ProductEntry } from '../../actors/catalog/catalog.js'
import type { CountItem } from '../../actors/inventory/counts.js'
import type { SupplyLine } from '../../actors/inventory/supply.js'
import type { StockRow, StockView } from '../../actors/inventory/views.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Directory } from '../directory.js'
import { unknownLocation, unknownSku } from '../problems.js'
import * as schemas from '../schemas.js'
import { type Addressed, commandMany, resultsOf } from './command-many.js'
import { failed, type OperationContext, operation } from './operation.js'
import { promiseOf } from './promise.js'

export const isoTime = (ms: number): string => new Date(ms).toISOString()

function rowView(directory: Directory, row: StockRow): object {
  const { location, incoming, ...figures } = row
  return {
    location: directory.name('locations', location),
    ...figures,
    incoming: incoming.map(({ id, quantity, expectedAtMs }) => ({ id, quantity, expectedAt: isoTime(expectedAtMs) })),
  }
}

/** Stock as clients see it: names for indices. */
export function stockView(directory: Directory, { sku, rows, ...totals }: StockView): object {
  return {
    sku: directory.name('skus', sku),
    ...totals,
    locations: rows.map((row) => rowView(directory, row)),
  }
}

/** The indices that a SKU and a location stand for, or who is unknown. */
function resolve(directory: Directory, sku: string, location: string): { sku: number; location: number } | Outcome {
  const found = { sku: directory.find('skus', sku), location: directory.find('locations', location) }
  if (found.sku < 0) return unknownSku(sku)
  if (found.location < 0) return unknownLocation(location)
  return found
}

async function readStock(name: string, { directory, dispatch }: OperationContext): Promise<StockView | Outcome> {
  const index = directory.find('skus', name)
  if (index < 0) return unknownSku(name)
  const outcome = await dispatch.query(directory.partitionOfSku(index), 'inventory.get', { index })
  return failed(outcome) ? outcome : (outcome.body as StockView)
}

/** Counts stock, each item with the partition that owns it; the outcomes in the order of the items. */
function putCounts(
  items: (z.output<typeof schemas.count> & { sku: string; location: string })[],
  { directory, dispatch }: OperationContext,
): Promise<Outcome[]> {
  const addressed = items.map(({ sku, location, onHand, safetyStock }): Addressed<CountItem> => {
    const found = resolve(directory, sku, location)
    if ('status' in found) return { outcome: found }
    return { partition: directory.partitionOfSku(found.sku), item: { ...found, onHand, safetyStock } }
  })
  return commandMany(dispatch, 'inventory.count', addressed, (own) => ({ items: own }))
}

/** What a kit is made of; nothing for a product that is none. */
async function kitOf(name: string, { directory, dispatch }: OperationContext): Promise<KitPart[]> {
  const index = directory.find('skus', name)
  const outcome = await dispatch.query(directory.partitionOfSku(index), 'product.get', { index })
  return failed(outcome) ? [] : ((outcome.body as ProductEntry).kit ?? [])
}

interface KitPart {
  sku: number
  quantity: number
}

/** A kit can be promised as often as its scarcest component allows, and when its last one is there. */
async function kitPromise(
  sku: string,
  kit: KitPart[],
  quantity: number,
  country: string | undefined,
  context: OperationContext,
): Promise<Outcome> {
  let atp = Number.POSITIVE_INFINITY
  let promise: Promised | null = null
  for (const part of kit) {
    const view = await readStock(context.directory.name('skus', part.sku), context)
    if ('status' in view) return view
    atp = Math.min(atp, Math.floor(view.atp / part.quantity))
    const own = await promiseOf(view, quantity * part.quantity, country, context)
    if (own && 'status' in own) return own as Outcome
    if (own === null) return { status: 200, body: { sku, atp, promise: null } }
    const promised = own as Promised
    if (!promise || promised.deliverBy > promise.deliverBy) promise = promised
  }
  return { status: 200, body: { sku, atp, promise } }
}

interface Promised {
  canShipAt: string
  location: string
  deliverBy: string
}

const supplyView = (directory: Directory, line: SupplyLine): object => ({
  id: line.id,
  sku: directory.name('skus', line.sku),
  location: directory.name('locations', line.location),
  quantity: line.quantity,
  received: line.received,
  expectedAt: isoTime(line.expectedAtMs),
  reference: line.reference,
})

export const inventoryOperations = [
  operation({
    name: 'inventory.put',
    summary: 'A count of the stock of a SKU at a location: absolute',
    http: { method: 'PUT', path: '/v1/inventory/{sku}/{location}', status: 200 },
    parameters: z.object({ sku: schemas.skuName, location: schemas.locationName }),
    body: schemas.count,
    async run(input, context) {
      const [outcome] = await putCounts([input], context)
      return failed(outcome!) ? outcome! : { status: 200, body: input }
    },
  }),
  operation({
    name: 'inventory.putMany',
    summary: 'Many counts in one message',
    body: schemas.counts,
    async run({ items }, context) {
      return resultsOf(await putCounts(items, context))
    },
  }),
  operation({
    name: 'inventory.get',
    summary: 'The stock of a SKU at all its locations',
    http: { method: 'GET', path: '/v1/inventory/{sku}', status: 200 },
    parameters: z.object({ sku: schemas.skuName }),
    async run({ sku }, context) {
      const view = await readStock(sku, context)
      return 'status' in view ? view : { status: 200, body: stockView(context.directory, view) }
    },
  }),
  operation({
    name: 'inventory.getMany',
    summary: 'The stock of many SKUs in one message; null for an unknown one',
    body: schemas.skuList,
    async run({ skus }, { directory, dispatch }) {
      const indices = skus.map((sku) => directory.find('skus', sku))
      const views = new Map<number, StockView>()
      const known = indices.filter((index) => index >= 0)
      for (const [partition, own] of directory.byPartition(known, (index) => index)) {
        const outcome = await dispatch.query(partition, 'inventory.getMany', { indices: own })
        if (failed(outcome)) return outcome
        for (const view of (outcome.body as { items: (StockView | null)[] }).items) if (view) views.set(view.sku, view)
      }
      const items = indices.map((index) => (views.has(index) ? stockView(directory, views.get(index)!) : null))
      return { status: 200, body: { items } }
    },
  }),
  operation({
    name: 'inventory.adjust',
    summary: 'Changes what is on hand by a difference, once for each id',
    http: { method: 'POST', path: '/v1/inventory/adjustments', status: 201 },
    body: schemas.adjustment,
    async run(input, { directory, dispatch }) {
      const found = resolve(directory, input.sku, input.location)
      if ('status' in found) return found
      const { id, delta, reason } = input
      const partition = directory.partitionOfSku(found.sku)
      const outcome = await dispatch.command(partition, 'inventory.adjust', { id, ...found, delta, reason })
      return failed(outcome) ? outcome : { status: 201, body: input }
    },
  }),
  operation({
    name: 'supply.announce',
    summary: 'Announces incoming supply: a purchase order or advice note',
    http: { method: 'POST', path: '/v1/inventory/supply', status: 201 },
    body: schemas.supply,
    async run({ expectedAt, ...input }, { directory, dispatch }) {
      const found = resolve(directory, input.sku, input.location)
      if ('status' in found) return found
      const { id, quantity, reference } = input
      const line: SupplyLine = { id, ...found, quantity, received: 0, expectedAtMs: Date.parse(expectedAt), reference }
      const outcome = await dispatch.command(directory.partitionOfSku(found.sku), 'supply.announce', line)
      return failed(outcome) ? outcome : { status: 201, body: supplyView(directory, outcome.body as SupplyLine) }
    },
  }),
  operation({
    name: 'supply.receive',
    summary: 'Receives announced supply into stock',
    http: { method: 'POST', path: '/v1/inventory/supply/{supply}/receive', status: 200 },
    parameters: z.object({ supply: schemas.entityId }),
    body: schemas.receipt,
    async run({ supply, quantity, id }, { directory, dispatch, idempotencyKey }) {
      const receipt = id ?? (idempotencyKey === undefined ? '' : `key:${idempotencyKey}`)
      const found = await dispatch.queryAll('supply.get', { id: supply })
      const partition = found.findIndex((outcome) => !failed(outcome))
      if (partition < 0) return found[0]!
      const outcome = await dispatch.command(partition, 'supply.receive', { id: supply, quantity, receipt })
      return failed(outcome) ? outcome : { status: 200, body: supplyView(directory, outcome.body as SupplyLine) }
    },
  }),
  operation({
    name: 'pool.put',
    summary: "Sets a channel's own share of a SKU apart; 0 gives it back",
    http: { method: 'PUT', path: '/v1/inventory/{sku}/pools/{channel}', status: 200 },
    parameters: z.object({ sku: schemas.skuName, channel: schemas.channelName }),
    body: schemas.channelPool,
    async run(input, { directory, dispatch }) {
      const sku = directory.find('skus', input.sku)
      if (sku < 0) return unknownSku(input.sku)
      const channels = await directory.intern('channels', [input.channel])
      if (!Array.isArray(channels)) return channels
      const body = { sku, channel: channels[0]!, quantity: input.quantity }
      const outcome = await dispatch.command(directory.partitionOfSku(sku), 'pool.put', body)
      return failed(outcome) ? outcome : { status: 200, body: input }
    },
  }),
  operation({
    name: 'atp.get',
    summary: 'What can be promised of a SKU, from stock and dated supply',
    http: { method: 'GET', path: '/v1/atp', status: 200 },
    query: schemas.atpQuery,
    async run({ sku, quantity, country }, context) {
      const view = await readStock(sku, context)
      if ('status' in view) return view
      const kit = await kitOf(sku, context)
      if (kit.length > 0) return kitPromise(sku, kit, quantity, country, context)
      const promise = await promiseOf(view, quantity, country, context)
      if (promise && 'status' in promise) return promise
      return { status: 200, body: { sku, atp: view.atp, promise } }
    },
  }),
]
