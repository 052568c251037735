/** The slip that lies in a parcel: what is in it, what comes apart from it, for whom and from where. It shows no prices. */
import { type Column, Pages } from './page.js'

export interface Address {
  line1: string
  line2?: string
  city: string
  postalCode: string
  region?: string
  country: string
}

export interface PackingSlip {
  order: string
  /** The order's number in the shop, where the buyer knows it by that. */
  externalId?: string
  fulfillment: string
  /** ISO 8601 */
  placedAt: string
  shipFrom: { name: string; address: Address }
  shipTo: Address & { name?: string }
  service: string
  carrier?: string
  trackingNumber?: string
  lines: { sku: string; name: string; quantity: number; ordered: number; gift?: boolean; note?: string }[]
  giftMessage?: string
  notes?: string
  /** What comes in other parcels or later. */
  rest: { sku: string; name: string; quantity: number }[]
}

const IN_PARCEL: Column[] = [
  { title: 'SKU', widthPoints: 120 },
  { title: 'Item' },
  { title: 'In this parcel', widthPoints: 75, align: 'right' },
  { title: 'Ordered', widthPoints: 60, align: 'right' },
]

const IN_OTHERS: Column[] = [
  { title: 'SKU', widthPoints: 120 },
  { title: 'Item' },
  { title: 'Quantity', widthPoints: 60, align: 'right' },
]

const present = (lines: (string | undefined)[], separator = '\n'): string => lines.filter(Boolean).join(separator)

function addressLines(name: string | undefined, { line1, line2, city, postalCode, region, country }: Address): string {
  return present([name, line1, line2, present([postalCode, city], ' '), region, country])
}

/** An A4 PDF; the same slip makes the same bytes. */
export function packingSlip(slip: PackingSlip): Promise<Buffer> {
  const pages = new Pages(`Packing slip ${slip.fulfillment}`, slip.placedAt)
  const units = slip.lines.reduce((sum, { quantity }) => sum + quantity, 0)
  pages.blocks([
    { title: 'Ship to', text: addressLines(slip.shipTo.name, slip.shipTo) },
    { title: 'Ship from', text: addressLines(slip.shipFrom.name, slip.shipFrom.address) },
  ])
  pages.blocks([
    {
      title: 'Order',
      text: present([slip.externalId, slip.order, `Placed ${pages.created}`, `Fulfillment ${slip.fulfillment}`]),
    },
    {
      title: 'Shipment',
      text: present([present([slip.carrier, slip.service], ', '), slip.trackingNumber, `Units ${units}`]),
    },
  ])
  if (slip.giftMessage) pages.paragraph({ title: 'Gift message', text: slip.giftMessage })
  if (slip.notes) pages.paragraph({ title: 'Notes', text: slip.notes })
  pages.table(
    'In this parcel',
    IN_PARCEL,
    slip.lines.map(({ sku, name, quantity, ordered, gift, note }) => [
      sku,
      present([name, gift ? 'Gift' : undefined, note]),
      String(quantity),
      String(ordered),
    ]),
  )
  if (slip.rest.length > 0) {
    pages.table(
      'In other parcels or later',
      IN_OTHERS,
      slip.rest.map(({ sku, name, quantity }) => [sku, name, String(quantity)]),
    )
  }
  return pages.finish()
}
