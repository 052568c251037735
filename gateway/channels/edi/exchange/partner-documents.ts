/**
 * Carries out what suppliers and warehouses say: a supplier's answer to an 850, ship notices, stock, a warehouse's 945, and
 * receipts of what we sent. Each names a fulfillment order by the number that we gave it, and only the partner that was
 * given the number may.
 */

import type { Fulfillment, Package } from '../../../../actors/order/order.js'
import { isStanding } from '../../../../actors/order/order-status.js'
import type { Problem } from '../../../../engine/protocol.js'
import { failed, type OperationContext } from '../../../operations/operation.js'
import { type Applied, Refused } from '../../applied.js'
import type { Connection } from '../../channel.js'
import { tenThousandths } from '../decimal.js'
import type {
  InventoryAdvice,
  NoticePackage,
  PurchaseOrderAcknowledgement,
  ShipNotice,
  Source,
  WarehouseShippingAdvice,
} from '../records.js'
import { noteReceipt } from './document-store.js'
import { acceptIfNew, type Hand, type Standing, shipAsSaid, standingOf, take } from './fulfillment-steps.js'
import type { PartnerDocument } from './partner-document.js'
import { doerOf, ediSettingsOf } from './partners.js'
import { fulfillmentOf } from './references.js'

export async function applyPartnerDocument(
  document: PartnerDocument,
  connection: Connection,
  context: OperationContext,
): Promise<Applied> {
  switch (document.kind) {
    case 'acknowledgement':
      return acknowledged(document.said, connection, context)
    case 'shippingAdvice':
      return warehouseShipped(document.said, connection, context)
    case 'shipNotice':
      return supplierShipped(document.said, connection, context)
    case 'inventoryAdvice':
      return counted(document.said, connection, context)
    case 'receipt': {
      const { answers, status } = document.said
      const found = await noteReceipt(connection.id, answers, status, context)
      return { did: found === undefined ? `a receipt for ${answers}, which is none of ours` : `${found}: ${status}` }
    }
    case 'faults':
      throw new Refused(document.message, document.errors)
  }
}

const applied = ({ order }: Standing, did: string): Applied => ({ order: order.id, person: order.person, did })

const nameOf = ({ interchange, group, control }: Source, what: string): string =>
  JSON.stringify([what, interchange, group, control])

/** The fulfillment order that a number of ours stands for, if this partner is still the one that does it. */
async function handFor(
  number: string,
  kind: 'warehouse' | 'supplier',
  source: string,
  connection: Connection,
  context: OperationContext,
): Promise<{ hand: Hand; standing: Standing }> {
  const fulfillment = await fulfillmentOf(connection.id, number, context)
  if (fulfillment === undefined) throw new Refused(`${number.slice(0, 40)} is no number that we gave ${connection.id}`)
  const standing = await standingOf(fulfillment, context)
  const doer = doerOf(standing.fulfillment.location, context)
  if (doer?.connection.id !== connection.id || doer.kind !== kind) {
    throw new Refused(`${fulfillment} is at a location that ${connection.id} is not the ${kind} of`)
  }
  return { hand: { fulfillment, by: connection.id, source }, standing }
}

/** Units by our SKU; what has no name here is found by the line that we gave. */
function unitsBySku(
  items: readonly { sku: string; lineId?: string; units: number }[],
  { order, fulfillment }: Standing,
  connection: Connection,
  { channels, directory }: OperationContext,
): Map<string, number> {
  const wanted = new Set(fulfillment.lines.map(({ sku }) => directory.name('skus', sku)))
  const found = new Map<string, number>()
  for (const { sku: theirs, lineId, units } of items) {
    const alias = channels.connections.alias(connection, theirs)
    const line = order.lines[Number(lineId) - 1]
    const byLine = line && directory.name('skus', line.sku)
    const sku = wanted.has(alias.sku) ? alias.sku : byLine
    if (sku === undefined || !wanted.has(sku)) {
      throw new Refused(`there is no SKU ${theirs.slice(0, 80)} in the order ${order.id}`)
    }
    found.set(sku, (found.get(sku) ?? 0) + units * (sku === alias.sku ? alias.quantity : 1))
  }
  return found
}

async function acknowledged(
  said: PurchaseOrderAcknowledgement,
  connection: Connection,
  context: OperationContext,
): Promise<Applied> {
  const source = nameOf(said.source, '855')
  const { hand, standing } = await handFor(said.purchaseOrder, 'supplier', source, connection, context)
  if (!isStanding(standing.fulfillment)) return applied(standing, `it is ${standing.fulfillment.status} already`)
  const kept = keptUnits(said, standing.fulfillment, standing, connection, context)
  if (kept.size > 0 && [...kept.values()].every((units) => units === 0)) {
    if (!['pending', 'accepted'].includes(standing.fulfillment.status)) {
      throw new Refused(
        `fulfillment ${hand.fulfillment} is ${standing.fulfillment.status} and can't be rejected any more`,
      )
    }
    await take('reject', hand, { reason: 'rejected by the supplier' }, context)
    return applied(standing, 'rejected')
  }
  await acceptIfNew(hand, context)
  const short = [...kept].filter(([sku, units]) => units < wantedUnits(standing.fulfillment, sku, context))
  const { fulfillment: now } = await standingOf(hand.fulfillment, context)
  if (short.length > 0 && now.status === 'accepted') {
    const lines = short.map(([sku, quantity]) => ({ sku, quantity }))
    await take('pick', hand, { lines }, context)
  }
  return applied(standing, short.length > 0 ? 'accepted in part' : 'accepted')
}

const wantedUnits = ({ lines }: Fulfillment, name: string, { directory }: OperationContext): number =>
  lines.reduce((sum, { sku, quantity }) => sum + (directory.name('skus', sku) === name ? quantity : 0), 0)

/** What the supplier will send of each SKU; a line of which it says nothing is as the whole answer is. */
function keptUnits(
  { answer, lines }: PurchaseOrderAcknowledgement,
  fulfillment: Fulfillment,
  standing: Standing,
  connection: Connection,
  context: OperationContext,
): Map<string, number> {
  const { directory } = context
  const isNo = answer === 'rejected'
  const kept = new Map<string, number>()
  for (const { sku, quantity } of fulfillment.lines) {
    const name = directory.name('skus', sku)
    kept.set(name, (kept.get(name) ?? 0) + (isNo ? 0 : quantity))
  }
  if (isNo) return kept
  for (const { sku, lineId, ordered, parts } of lines) {
    if (parts.length === 0) continue
    const [[name, each] = ['', 1]] = unitsBySku([{ sku, lineId, units: 1 }], standing, connection, context)
    const all = wantedUnits(fulfillment, name, context)
    const units = parts.reduce((sum, part) => {
      const isKept = part.answer !== 'rejected' && part.answer !== 'substituted'
      return sum + (isKept ? (part.quantity ?? ordered ?? Math.ceil(all / each)) : 0)
    }, 0)
    kept.set(name, Math.min(all, units * each))
  }
  return kept
}

async function warehouseShipped(
  said: WarehouseShippingAdvice,
  connection: Connection,
  context: OperationContext,
): Promise<Applied> {
  const { hand, standing } = await handFor(said.order, 'warehouse', nameOf(said.source, '945'), connection, context)
  const items = said.lines.map(({ sku, lineId, shipped }) => ({ sku, lineId, units: shipped }))
  const found = unitsBySku(items, standing, connection, context)
  const sent = sentOf(said, said.packages, said.weight)
  const { standing: now, did } = await shipAsSaid(hand, found, sent, context)
  return applied(now, did)
}

async function supplierShipped(said: ShipNotice, connection: Connection, context: OperationContext): Promise<Applied> {
  if (said.purpose === 'cancelled') throw new Refused(`shipment ${said.shipment} is taken back: settle it by hand`)
  const numbers = [...new Set(said.items.map(({ purchaseOrder }) => purchaseOrder))]
  const did: string[] = []
  let last: Standing | undefined
  for (const number of numbers) {
    const source = nameOf(said.source, `856 ${number}`)
    const { hand, standing } = await handFor(number, 'supplier', source, connection, context)
    const own = said.items.filter(({ purchaseOrder }) => purchaseOrder === number)
    const items = own.map(({ sku, lineId, quantity }) => ({
      sku,
      units: quantity,
      ...(lineId === undefined ? {} : { lineId }),
    }))
    const places = new Set(own.flatMap((item) => item.package ?? []))
    const packages = said.packages.filter((_, at) => places.size === 0 || places.has(at))
    // The weight is of the whole shipment.
    const sent = sentOf(said, packages, numbers.length === 1 ? said.weight : undefined)
    const shipped = await shipAsSaid(hand, unitsBySku(items, standing, connection, context), sent, context)
    last = shipped.standing
    did.push(shipped.did)
  }
  if (!last) throw new Refused(`shipment ${said.shipment} names no order`)
  return applied(last, did.join('; '))
}

const PACKAGES_MAX = 100
const WEIGHT_MAX = 10_000_000

function sentOf(
  { carrier, trackingNumber }: { carrier?: string; trackingNumber?: string },
  marks: readonly NoticePackage[],
  weight: { value: string; unit: string } | undefined,
) {
  const some = marks.length === 0 ? [{} as NoticePackage] : marks.slice(0, PACKAGES_MAX)
  const grams = weight === undefined ? 0 : gramsOf(weight)
  const each = Math.floor(grams / some.length)
  const packages = some.map((mark, at): Package => {
    const tracking = mark.trackingNumber ?? (some.length === 1 ? trackingNumber : undefined)
    return {
      // The weight is known of them all together.
      weightGrams: Math.min(WEIGHT_MAX, each + (at === 0 ? grams - each * some.length : 0)),
      ...(tracking === undefined ? {} : { trackingNumber: tracking.slice(0, 100) }),
    }
  })
  const first = trackingNumber ?? packages.find((one) => one.trackingNumber !== undefined)?.trackingNumber
  return {
    carrier: (carrier ?? 'unknown').slice(0, 100),
    packages,
    ...(first === undefined ? {} : { trackingNumber: first.slice(0, 100) }),
  }
}

/** Element 188 and 355: grams of one, in thousandths so that no float is needed. */
const UNITS = new Map([
  ['K', 1_000_000n],
  ['KG', 1_000_000n],
  ['G', 1_000n],
  ['GR', 1_000n],
  ['L', 453_592n],
  ['LB', 453_592n],
  ['O', 28_350n],
  ['OZ', 28_350n],
])

function gramsOf({ value, unit }: { value: string; unit: string }): number {
  const each = UNITS.get(unit.toUpperCase())
  const amount = tenThousandths(value)
  if (each === undefined || amount === undefined || amount < 0n) return 0
  const grams = (amount * each + 5_000_000n) / 10_000_000n
  return Number(grams > BigInt(WEIGHT_MAX * PACKAGES_MAX) ? 0n : grams)
}

/** What it may sell and what is promised here is what is on hand there. */
async function counted(said: InventoryAdvice, connection: Connection, context: OperationContext): Promise<Applied> {
  const errors: { path: string; message: string }[] = []
  let count = 0
  for (const { sku: theirs, available, warehouse } of said.items) {
    if (available === undefined) continue
    const location = placeOf(warehouse ?? said.warehouse, connection)
    const { sku, quantity } = context.channels.connections.alias(connection, theirs)
    const fault = await putStock(sku, location, available * quantity, context)
    if (fault === undefined) count++
    else errors.push({ path: theirs.slice(0, 80), message: fault })
  }
  const [first] = errors
  if (first) {
    throw new Refused(
      `${count} SKUs counted; ${errors.length} were not: ${first.path}: ${first.message}`,
      errors.slice(0, 50),
    )
  }
  return { did: `${count} SKUs counted` }
}

function placeOf(code: string | undefined, connection: Connection): string {
  const { suppliers, warehouses } = ediSettingsOf(connection)
  const places = [...Object.entries(suppliers), ...Object.entries(warehouses)]
  const named = places.find(([, theirs]) => theirs === code)
  const [only] = places
  const found = named ?? (places.length === 1 ? only : undefined)
  if (!found) {
    throw new Refused(
      `the stock is at ${code?.slice(0, 80) ?? 'no named place'}: put it in settings.suppliers or settings.warehouses`,
    )
  }
  return found[0]
}

/** Why it could not be put; undefined where it was. */
async function putStock(
  sku: string,
  location: string,
  available: number,
  { call }: OperationContext,
): Promise<string | undefined> {
  const stock = await call('inventory.get', { sku })
  if (stock.status >= 500) throw new Error('the stock cannot be read')
  if (failed(stock)) return (stock.body as Problem).detail
  const { locations } = stock.body as { locations: { location: string; reserved: number; allocated: number }[] }
  const here = locations.find((row) => row.location === location)
  const onHand = available + (here?.reserved ?? 0) + (here?.allocated ?? 0)
  const outcome = await call('inventory.put', { sku, location, onHand })
  if (outcome.status >= 500) throw new Error('the stock cannot be put')
  return failed(outcome) ? (outcome.body as Problem).detail : undefined
}
