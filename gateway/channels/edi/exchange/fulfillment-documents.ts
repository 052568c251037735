/** What a warehouse (940) or a supplier (850) is sent of one fulfillment order, and of what changes of it. */
import type { Fulfillment } from '../../../../actors/order/order.js'
import type { OperationContext } from '../../../operations/operation.js'
import type { OpenedOrder } from '../../../personal-data/opened-order.js'
import type { Connection } from '../../channel.js'
import type { PurchaseOrderDocument, WarehouseOrderDocument } from '../documents.js'
import type { EdiSettings } from '../settings.js'
import { partyOf, placeParty } from './parties.js'
import { day } from './partner-lines.js'

/** The partner that does a location's work. */
export interface Doer {
  connection: Connection
  settings: EdiSettings
  kind: 'warehouse' | 'supplier'
  /** Its number of the place, or of us. */
  code: string
}

/** What a partner was told of a fulfillment order: the lines that it is to send. */
export interface Wanted {
  line: number
  sku: string
  quantity: number
}

/** In the partner's SKUs where one of ours is one of theirs. */
export function wantedOf(
  { lines }: Fulfillment,
  { connection }: Doer,
  { directory, channels }: OperationContext,
): Wanted[] {
  const theirs = channels.connections.theirSkus(connection)
  return lines.map(({ line, sku, quantity }) => {
    const name = directory.name('skus', sku)
    const alias = theirs.get(name)?.find((one) => one.quantity === 1)
    return { line, sku: alias?.theirs ?? name, quantity }
  })
}

interface Told {
  order: OpenedOrder
  fulfillment: Fulfillment
  doer: Doer
  wanted: Wanted[]
  number: string
  purpose: 'changed' | 'cancelled' | undefined
  atMs: number
}

export async function fulfillmentDocument(
  told: Told,
  context: OperationContext,
): Promise<WarehouseOrderDocument | PurchaseOrderDocument> {
  return told.doer.kind === 'warehouse' ? warehouseOrder(told, context) : purchaseOrder(told)
}

async function warehouseOrder(
  { order, fulfillment, doer, wanted, number, purpose, atMs }: Told,
  context: OperationContext,
): Promise<WarehouseOrderDocument> {
  const carrier = serviceCode(doer.settings, fulfillment.service)
  // W0503 has room for 22 characters.
  const { externalId } = order
  return {
    type: 'warehouseOrder',
    ...(purpose === undefined ? {} : { purpose }),
    number,
    ...(externalId !== undefined && /^[A-Za-z0-9._-]{1,22}$/.test(externalId) ? { purchaseOrder: externalId } : {}),
    date: day(atMs),
    shipTo: partyOf(order),
    warehouse: await placeParty(fulfillment.location, context, doer.code),
    ...(carrier !== undefined && carrier.length <= 4
      ? { carrier: { code: carrier, service: fulfillment.service } }
      : {}),
    shipOn: day(fulfillment.shipByMs),
    deliverOn: day(fulfillment.deliverByMs),
    ...(order.notes === undefined ? {} : { note: order.notes }),
    lines: wanted.map(({ line, sku, quantity }) => ({ lineId: String(line), sku, quantity })),
  }
}

function purchaseOrder({ order, fulfillment, doer, wanted, number, purpose, atMs }: Told): PurchaseOrderDocument {
  const { settings, code } = doer
  const service = serviceCode(settings, fulfillment.service)
  const customerOrder = order.externalId ?? order.id
  return {
    type: 'purchaseOrder',
    ...(purpose === undefined ? {} : { purpose }),
    number,
    date: day(atMs),
    dropShip: true,
    currency: order.currency,
    ...(/^[A-Za-z0-9._-]{1,30}$/.test(customerOrder) ? { customerOrder } : {}),
    buyer: { name: settings.ours?.name ?? settings.ours?.id ?? 'Buyer', code },
    shipTo: partyOf(order),
    ...(service === undefined ? {} : { service }),
    shipOn: day(fulfillment.shipByMs),
    deliverOn: day(fulfillment.deliverByMs),
    ...(order.notes === undefined ? {} : { note: order.notes }),
    // Without prices: what it costs us is agreed elsewhere, and what we sell it for is no business of the supplier's.
    lines: wanted.map(({ line, sku, quantity }) => ({ lineId: String(line), sku, quantity })),
  }
}

/** The partner's code of our service. */
const serviceCode = ({ services }: EdiSettings, service: string): string | undefined =>
  Object.entries(services).find(([, ours]) => ours === service)?.[0]
