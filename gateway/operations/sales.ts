/** Flash sales. */
import { z } from 'zod'
import { ALL } from '../../actors/inventory/pools.js'
import type { Sale } from '../../actors/inventory/sales.js'
import type { Outcome } from '../../engine/protocol.js'
import { unknownSku } from '../problems.js'
import * as schemas from '../schemas.js'
import { isoTime } from './inventory.js'
import { failed, type OperationContext, operation, pageFrom } from './operation.js'

const id = z.object({ id: schemas.entityId })

/** A sale with what was taken of it, names for indices. */
async function saleView(sale: Sale, { directory, dispatch, now }: OperationContext): Promise<object> {
  const answers = await dispatch.queryAll('sale.taken', { id: sale.id })
  const taken = new Map<number, number>()
  for (const { body } of answers.filter((answer) => !failed(answer))) {
    for (const item of (body as { items: { sku: number; taken: number }[] }).items) taken.set(item.sku, item.taken)
  }
  const nowMs = now()
  const status = nowMs < sale.opensAtMs ? 'scheduled' : nowMs < sale.closesAtMs ? 'open' : 'closed'
  return {
    id: sale.id,
    name: sale.name,
    status,
    opensAt: isoTime(sale.opensAtMs),
    closesAt: isoTime(sale.closesAtMs),
    ...(sale.limitPerBuyer > 0 ? { limitPerBuyer: sale.limitPerBuyer } : {}),
    channels: sale.channels.map((channel) => directory.name('channels', channel)),
    skus: sale.items.map(({ sku, quantity }) => ({
      sku: directory.name('skus', sku),
      ...(quantity === ALL ? {} : { quantity }),
      taken: taken.get(sku) ?? 0,
    })),
  }
}

async function put(input: z.output<typeof schemas.sale> & { id: string }, context: OperationContext): Promise<Outcome> {
  const { directory, dispatch } = context
  const quantities = new Map<number, number>()
  for (const entry of input.skus) {
    const { sku, quantity = input.quantity ?? ALL } = typeof entry === 'string' ? { sku: entry } : entry
    const index = directory.find('skus', sku)
    if (index < 0) return unknownSku(sku)
    quantities.set(index, quantity)
  }
  const channels = await directory.intern('channels', input.channels ?? [])
  if (!Array.isArray(channels)) return channels
  const sale: Sale = {
    id: input.id,
    name: input.name ?? input.id,
    opensAtMs: Date.parse(input.opensAt),
    closesAtMs: Date.parse(input.closesAt),
    limitPerBuyer: input.limitPerBuyer ?? 0,
    channels,
    items: [...quantities].map(([sku, quantity]) => ({ sku, quantity })),
  }
  const outcome = await dispatch.command(0, 'sale.put', sale)
  return failed(outcome) ? outcome : { status: 200, body: await saleView(sale, context) }
}

export const saleOperations = [
  operation({
    name: 'sale.put',
    summary: 'A flash sale: SKUs, times, quantity set apart, limit a buyer, channels',
    http: { method: 'PUT', path: '/v1/sales/{id}', status: 200 },
    parameters: id,
    body: schemas.sale,
    run: put,
  }),
  operation({
    name: 'sale.get',
    summary: 'A sale',
    http: { method: 'GET', path: '/v1/sales/{id}', status: 200 },
    parameters: id,
    async run({ id }, context) {
      const outcome = await context.dispatch.query(0, 'sale.get', { id })
      return failed(outcome) ? outcome : { status: 200, body: await saleView(outcome.body as Sale, context) }
    },
  }),
  operation({
    name: 'sale.list',
    summary: 'Sales, in the order in which they were made',
    http: { method: 'GET', path: '/v1/sales', status: 200 },
    query: schemas.page,
    async run({ limit, cursor }, context) {
      const from = pageFrom(cursor)
      if (typeof from !== 'number') return from
      const outcome = await context.dispatch.query(0, 'sale.list', {})
      if (failed(outcome)) return outcome
      const all = (outcome.body as { items: Sale[] }).items
      const items = await Promise.all(all.slice(from, from + limit).map((sale) => saleView(sale, context)))
      return { status: 200, body: { items, nextCursor: from + limit < all.length ? String(from + limit) : null } }
    },
  }),
]
