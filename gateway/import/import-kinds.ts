/**
 * What a file to be imported holds, and how its columns become the bodies that the server takes.
 *
 * The kind is told by the fields (the header of a CSV file, the first object of JSON lines), compared without regard to
 * case, spaces, `_` and `-`:
 *
 * | kind | has |
 * |---|---|
 * | orders | `lines`, or `channel` and `externalId` |
 * | stock | `sku`, `location` and `onHand` |
 * | products | `sku` and `name` |
 * | locations | `id` and `type` |
 *
 * A column of CSV is a field of the body, nested ones written with dots (`address.city`, `attributes.colour`); the short
 * forms in the tables below do as well. Of orders, a row of CSV is one line of an order. JSON lines are the bodies themselves, with `sku` or `id` beside the rest.
 */
import type { z } from 'zod'
import { DoorbusterError } from '../../engine/errors.js'
import * as orderSchemas from '../order-schemas.js'
import * as schemas from '../schemas.js'

export type ImportKind = 'products' | 'locations' | 'stock' | 'orders'

export const IMPORT_KINDS: readonly ImportKind[] = ['products', 'locations', 'stock', 'orders']

/** What one line must be, as the server will look at it. */
const ITEM_SCHEMAS = {
  products: schemas.product.extend({ sku: schemas.skuName }),
  locations: schemas.location.extend({ id: schemas.locationName }),
  stock: schemas.count.extend({ sku: schemas.skuName, location: schemas.locationName }),
  orders: orderSchemas.order,
} as const

type FieldType = 'text' | 'number' | 'boolean' | 'kit'

interface Field {
  readonly path: string
  readonly type: FieldType
}

const text = (path: string): Field => ({ path, type: 'text' })
const number = (path: string): Field => ({ path, type: 'number' })
const boolean = (path: string): Field => ({ path, type: 'boolean' })

const FIELDS: Record<ImportKind, readonly Field[]> = {
  products: [
    text('sku'),
    text('name'),
    number('weightGrams'),
    text('price.amount'),
    text('price.currency'),
    { path: 'kit', type: 'kit' },
    number('limitPerBuyer'),
    boolean('backorder'),
    boolean('finalSale'),
  ],
  locations: [
    text('id'),
    text('name'),
    text('type'),
    text('address.line1'),
    text('address.line2'),
    text('address.city'),
    text('address.postalCode'),
    text('address.region'),
    text('address.country'),
    number('latitude'),
    number('longitude'),
    number('capacityPerDay'),
    text('cutoff'),
    text('timeZone'),
    number('priority'),
    text('handlingCost.amount'),
    text('handlingCost.currency'),
    boolean('active'),
  ],
  stock: [text('sku'), text('location'), number('onHand'), number('safetyStock')],
  // A row is a line of an order.
  orders: [
    text('id'),
    text('channel'),
    text('externalId'),
    text('currency'),
    text('customer.id'),
    text('customer.name'),
    text('customer.email'),
    text('customer.phone'),
    text('shipTo.name'),
    text('shipTo.line1'),
    text('shipTo.line2'),
    text('shipTo.city'),
    text('shipTo.postalCode'),
    text('shipTo.region'),
    text('shipTo.country'),
    text('line.sku'),
    number('line.quantity'),
    text('line.unitPrice.amount'),
    text('shippingService'),
    boolean('allowSplit'),
    boolean('allowBackorder'),
    boolean('allowPartial'),
    number('priority'),
    text('notes'),
  ],
}

/** Columns that may leave out what they are part of. */
const SHORT_FORMS: Record<ImportKind, Readonly<Record<string, string>>> = {
  products: { price: 'price.amount', currency: 'price.currency' },
  locations: {
    line1: 'address.line1',
    line2: 'address.line2',
    city: 'address.city',
    postalcode: 'address.postalCode',
    postcode: 'address.postalCode',
    region: 'address.region',
    country: 'address.country',
    handlingcost: 'handlingCost.amount',
    currency: 'handlingCost.currency',
  },
  stock: {},
  orders: {
    order: 'externalId',
    ordernumber: 'externalId',
    orderno: 'externalId',
    customer: 'customer.name',
    email: 'customer.email',
    phone: 'customer.phone',
    line1: 'shipTo.line1',
    line2: 'shipTo.line2',
    city: 'shipTo.city',
    postalcode: 'shipTo.postalCode',
    postcode: 'shipTo.postalCode',
    region: 'shipTo.region',
    country: 'shipTo.country',
    sku: 'line.sku',
    quantity: 'line.quantity',
    unitprice: 'line.unitPrice.amount',
    price: 'line.unitPrice.amount',
  },
}

const ATTRIBUTES = 'attributes.'

/** What the fields say; throws a sentence where they say nothing. */
export function detectKind(fields: readonly string[]): ImportKind {
  const names = new Set(fields.map(plain))
  const has = (...wanted: string[]) => wanted.every((name) => names.has(name))
  if (has('lines') || has('channel', 'externalid')) return 'orders'
  if (has('sku', 'location', 'onhand')) return 'stock'
  if (has('sku', 'name')) return 'products'
  if (has('id', 'type')) return 'locations'
  throw new DoorbusterError(
    'bad_file',
    `cannot tell what the fields ${fields.join(', ')} are; say --kind ${IMPORT_KINDS.join(' | ')}`,
  )
}

/** Where each column of a CSV file goes. */
export interface Columns {
  readonly fields: readonly (Field | undefined)[]
  /** Names of columns that are no field of the kind. */
  readonly ignored: readonly string[]
}

export function readColumns(header: readonly string[], kind: ImportKind): Columns {
  const byName = new Map(FIELDS[kind].map((field) => [plain(field.path), field]))
  const fields = header.map((column): Field | undefined => {
    const trimmed = column.trim()
    if (kind === 'products' && trimmed.startsWith(ATTRIBUTES)) return text(trimmed)
    const name = plain(trimmed)
    return byName.get(plain(SHORT_FORMS[kind][name] ?? name))
  })
  return { fields, ignored: header.filter((_, i) => fields[i] === undefined) }
}

/** A record of CSV as a body, not looked at yet. Empty fields are left out. */
export function bodyOf(record: readonly string[], columns: Columns): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  columns.fields.forEach((field, i) => {
    const value = record[i]?.trim() ?? ''
    if (field && value !== '') setPath(body, field.path, convert(value, field.type))
  })
  return body
}

/** The item, or why it is none. */
export function readItem(kind: ImportKind, body: unknown): { item: Item } | { reason: string } {
  const result = ITEM_SCHEMAS[kind].safeParse(body)
  if (result.success) return { item: result.data }
  const issue = result.error.issues[0]
  if (!issue) return { reason: 'not a valid item' }
  const field = issue.path.join('.')
  const isMissing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
  return { reason: isMissing ? `${field} is missing` : `${field || 'line'}: ${issue.message}` }
}

export type Item = z.infer<(typeof ITEM_SCHEMAS)[ImportKind]>

// What does not convert stays text: the schema then says what was expected.
function convert(value: string, type: FieldType): unknown {
  switch (type) {
    case 'text':
      return value
    case 'number':
      return Number.isNaN(Number(value)) ? value : Number(value)
    case 'boolean':
      if (/^(true|yes|1)$/i.test(value)) return true
      return /^(false|no|0)$/i.test(value) ? false : value
    case 'kit':
      return value.split(';').map((part) => {
        const colon = part.lastIndexOf(':')
        if (colon < 0) return { sku: part.trim(), quantity: 1 }
        return { sku: part.slice(0, colon).trim(), quantity: Number(part.slice(colon + 1)) }
      })
  }
}

function setPath(body: Record<string, unknown>, path: string, value: unknown): void {
  const dot = path.indexOf('.')
  if (dot < 0) {
    body[path] = value
    return
  }
  const parent = path.slice(0, dot)
  const nested = body[parent]
  const child = typeof nested === 'object' && nested !== null ? (nested as Record<string, unknown>) : {} // made here
  body[parent] = child
  // Whatever an attribute is called is its name, dots and all.
  if (path.startsWith(ATTRIBUTES)) child[path.slice(dot + 1)] = value
  else setPath(child, path.slice(dot + 1), value)
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '')
}

/** By what rows of an order are known: its id, or its channel and external id; undefined: the row is one by itself. */
export function orderKey({ id, channel, externalId }: Record<string, unknown>): string | undefined {
  if (id !== undefined) return JSON.stringify([id])
  return externalId === undefined ? undefined : JSON.stringify([channel, externalId])
}

/** An order of the rows of its lines. */
export function orderOfRows(rows: readonly Record<string, unknown>[]): Record<string, unknown> {
  const { line: _line, ...head } = rows[0]!
  const lines = rows.map(({ line }) => {
    const { unitPrice, ...rest } = (line ?? {}) as { unitPrice?: { amount?: string } }
    const { amount } = unitPrice ?? {}
    return { ...rest, ...(amount === undefined ? {} : { unitPrice: { amount, currency: head.currency } }) }
  })
  return { ...head, lines }
}
