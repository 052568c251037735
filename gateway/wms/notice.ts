/** What a warehouse is told of a fulfillment order, and whether that is anything new to it. */
import { createHash } from 'node:crypto'
import type { ProductEntry } from '../../actors/catalog/catalog.js'
import type { Fulfillment } from '../../actors/order/order.js'
import { fulfillmentId } from '../../actors/order/order-id.js'
import { failed, type OperationContext } from '../operations/operation.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import type { WmsConnection } from './connection.js'
import type { FulfillmentNotice, NoticeLine } from './wms.js'

export const WMS_NOTICE = 'wms-notice'

/** What a WMS was told last of a fulfillment order. */
export interface Told {
  version: number
  fingerprint: string
  isDelivered: boolean
  isCancelled: boolean
}

export const toldId = (connection: string, fulfillment: string): string => `${connection}/${fulfillment}`

const OPEN = ['pending', 'accepted', 'picking', 'packed']
const ENDED = ['cancelled', 'rejected', 'failed']

/** What it is to be told; undefined where that is nothing that it does not know. */
export async function noticeOf(
  order: OpenedOrder,
  fulfillment: Fulfillment,
  { id: connection }: Pick<WmsConnection, 'id'>,
  told: Told | undefined,
  context: OperationContext,
): Promise<{ notice: FulfillmentNotice; told: Told } | undefined> {
  const isOpen = OPEN.includes(fulfillment.status)
  const isCancelled = ENDED.includes(fulfillment.status)
  // What it never knew of, or has sent off, is none of its business any more.
  if (!isOpen && !(isCancelled && told && !(told.isCancelled && told.isDelivered))) return undefined
  const content = await contentOf(order, fulfillment, connection, context)
  // What a warehouse does itself (accepting, picking) is no news to it.
  const { status: _status, lines, ...news } = content
  const wanted = lines.map(({ picked: _picked, ...line }) => line)
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([news, wanted, isCancelled]))
    .digest('base64url')
  const isRepeat = told?.fingerprint === fingerprint
  if (isRepeat && told.isDelivered) return undefined
  const version = isRepeat ? told.version : (told?.version ?? 0) + 1
  const type = isCancelled ? 'cancelled' : version === 1 ? 'created' : 'changed'
  return {
    notice: { type, version, ...content },
    told: { version, fingerprint, isDelivered: false, isCancelled },
  }
}

export async function contentOf(
  order: OpenedOrder,
  fulfillment: Fulfillment,
  connection: string,
  context: OperationContext,
): Promise<Omit<FulfillmentNotice, 'type' | 'version'>> {
  const { directory } = context
  const names = await namesOf(
    fulfillment.lines.map(({ sku }) => sku),
    context,
  )
  const { customer } = order
  return {
    connection,
    fulfillment: fulfillmentId(order.id, fulfillment.number),
    order: order.id,
    externalId: order.externalId ?? null,
    channel: order.channel,
    location: directory.name('locations', fulfillment.location),
    kind: fulfillment.kind,
    status: fulfillment.status,
    isHeld: order.holds.length > 0,
    service: fulfillment.service,
    shipBy: new Date(fulfillment.shipByMs).toISOString(),
    deliverBy: new Date(fulfillment.deliverByMs).toISOString(),
    shipTo: order.shipTo,
    customer: {
      name: customer.name,
      ...(customer.phone === undefined ? {} : { phone: customer.phone }),
      ...(customer.email === undefined ? {} : { email: customer.email }),
    },
    notes: order.notes ?? null,
    lines: fulfillment.lines.map(({ line, sku, quantity, picked }): NoticeLine => {
      const ordered = order.lines[line - 1]
      return {
        line,
        sku: directory.name('skus', sku),
        name: names.get(sku) ?? null,
        quantity,
        picked,
        weightGrams: ordered?.weightGrams ?? 0,
        ...(ordered?.gift ? { gift: ordered.gift } : {}),
        ...(ordered?.note === undefined ? {} : { note: ordered.note }),
      }
    }),
  }
}

async function namesOf(skus: number[], { directory, dispatch }: OperationContext): Promise<Map<number, string>> {
  const names = new Map<number, string>()
  for (const [partition, indices] of directory.byPartition([...new Set(skus)], (sku) => sku)) {
    const outcome = await dispatch.query(partition, 'product.getMany', { indices })
    if (failed(outcome)) throw new Error('products cannot be read')
    // What the catalogue answers, in the order of the indices.
    const { items } = outcome.body as { items: (ProductEntry | null)[] }
    indices.forEach((sku, at) => {
      const { name } = (items[at]?.product ?? {}) as { name?: string }
      if (name !== undefined) names.set(sku, name)
    })
  }
  return names
}
