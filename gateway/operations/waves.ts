/**
 * Waves: what a location picks in one walk for many fulfillments. A wave is worked out of the fulfillments as they are now,
 * those due first, and kept nowhere; picking them is what takes them out of the next.
 */
import type { z } from 'zod'
import type { ProductEntry } from '../../actors/catalog/catalog.js'
import type { Fulfillment } from '../../actors/order/order.js'
import { fulfillmentId } from '../../actors/order/order-id.js'
import type { Page } from '../../actors/order/order-views.js'
import type { Outcome } from '../../engine/protocol.js'
import type { PickList } from '../documents/pick-list.js'
import { printPickList } from '../documents/printer.js'
import { WAVE_LINES_MAX } from '../limits.js'
import * as shapes from '../order-schemas.js'
import { unknownLocation } from '../problems.js'
import { readProducts } from './catalog.js'
import { failed, type OperationContext, operation } from './operation.js'

type WaveInput = z.output<typeof shapes.waveRequest>

interface Wave extends PickList {
  /** Ids, in the order in which they are due. */
  fulfillments: string[]
}

interface Due {
  id: string
  dueMs: number
  /** SKU index and units of it that are still to be picked. */
  picks: { sku: number; quantity: number }[]
}

/** Fulfillments read at once from each partition. */
const PAGE = 200
const NO_ZONE = 'none'
const BIN = 'bin'

/** Shelf 10 comes behind shelf 9. */
const { compare } = new Intl.Collator('en', { numeric: true })
const isDueBefore = (a: Due, b: Due): number => a.dueMs - b.dueMs || compare(a.id, b.id)

function dueOf({ order, fulfillment }: { order: string; fulfillment: Fulfillment }): Due {
  const open = fulfillment.lines.filter(({ quantity, picked }) => quantity > picked)
  return {
    id: fulfillmentId(order, fulfillment.number),
    dueMs: fulfillment.shipByMs,
    picks: open.map(({ sku, quantity, picked }) => ({ sku, quantity: quantity - picked })),
  }
}

/** Those due first. All are looked at, since their index is in the order in which they were made; few are kept. */
async function firstDue(
  location: number,
  { statuses, limit }: WaveInput,
  { dispatch }: OperationContext,
): Promise<Due[] | Outcome> {
  let first: Due[] = []
  for (let partition = 0; partition < dispatch.links.partitions; partition++) {
    let before: string | undefined
    for (;;) {
      const ask = { location, statuses, limit: PAGE, ...(before === undefined ? {} : { before }) }
      const outcome = await dispatch.query(partition, 'fulfillment.list', ask)
      if (failed(outcome)) return outcome
      const { items } = outcome.body as Page<{ entry: string; order: string; fulfillment: Fulfillment }>
      first = [...first, ...items.map(dueOf).filter(({ picks }) => picks.length > 0)].sort(isDueBefore).slice(0, limit)
      before = items.at(-1)?.entry
      if (before === undefined) break
    }
  }
  let lines = 0
  const end = first.findIndex(({ picks }, at) => {
    lines += picks.length
    return at > 0 && lines > WAVE_LINES_MAX
  })
  return end < 0 ? first : first.slice(0, end)
}

function attributeOf(entry: ProductEntry | undefined, name: string): string | undefined {
  const attributes = entry?.product.attributes as Record<string, string | number | boolean> | undefined
  return attributes && Object.hasOwn(attributes, name) ? String(attributes[name]) : undefined
}

/** One line for each SKU, in the order of zones and bins. */
function zonesOf(due: Due[], zone: string, products: Map<number, ProductEntry>, { directory }: OperationContext) {
  const bySku = new Map<number, Map<string, number>>()
  for (const { id, picks } of due) {
    for (const { sku, quantity } of picks) {
      const parts = bySku.get(sku) ?? new Map<string, number>()
      bySku.set(sku, parts.set(id, (parts.get(id) ?? 0) + quantity))
    }
  }
  const zones = new Map<string, Wave['zones'][number]['lines']>()
  for (const [index, parts] of bySku) {
    const product = products.get(index)
    const sku = directory.name('skus', index)
    const bin = attributeOf(product, BIN)
    const line = {
      sku,
      name: String(product?.product.name ?? sku),
      quantity: [...parts.values()].reduce((sum, quantity) => sum + quantity, 0),
      ...(bin === undefined ? {} : { bin }),
      fulfillments: [...parts].map(([fulfillment, quantity]) => ({ fulfillment, quantity })),
    }
    const name = attributeOf(product, zone) ?? NO_ZONE
    zones.set(name, [...(zones.get(name) ?? []), line])
  }
  return [...zones]
    .sort(([a], [b]) => compare(a, b))
    .map(([name, lines]) => ({
      zone: name,
      lines: lines.sort((a, b) => compare(a.bin ?? '', b.bin ?? '') || compare(a.sku, b.sku)),
    }))
}

async function makeWave(input: WaveInput, context: OperationContext): Promise<Wave | Outcome> {
  const location = context.directory.find('locations', input.location)
  if (location < 0) return unknownLocation(input.location)
  const due = await firstDue(location, input, context)
  if ('status' in due) return due
  const skus = new Set(due.flatMap(({ picks }) => picks.map(({ sku }) => sku)))
  const products = await readProducts([...skus], context)
  if ('status' in products) return products
  const createdAt = new Date(context.now()).toISOString()
  return {
    id: `${input.location}-${createdAt.replaceAll(/\D/g, '')}`,
    location: input.location,
    createdAt,
    fulfillments: due.map(({ id }) => id),
    zones: zonesOf(due, input.zone, products, context),
  }
}

export const waveOperations = [
  operation({
    name: 'wave.create',
    summary: 'What a location picks in one walk: its fulfillments due first, by zone, one line for each SKU',
    http: { method: 'POST', path: '/v1/waves', status: 200 },
    body: shapes.waveRequest,
    async run(input, context) {
      const wave = await makeWave(input, context)
      return 'status' in wave ? wave : { status: 200, body: wave }
    },
  }),
  operation({
    name: 'wave.pickList',
    summary: 'The same, made anew of what is accepted, as PDF',
    http: { method: 'GET', path: '/v1/waves/pick-list.pdf', status: 200, produces: 'application/pdf' },
    query: shapes.wave,
    async run(input, context) {
      const wave = await makeWave({ ...input, statuses: ['accepted'] }, context)
      return 'status' in wave ? wave : printPickList(wave)
    },
  }),
]
