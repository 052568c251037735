/** The list that a picker walks a location with: zone by zone, what to take, how many, and for which fulfillments. */
import { type Column, Pages } from './page.js'

export interface PickList {
  id: string
  location: string
  /** ISO 8601 */
  createdAt: string
  zones: {
    zone: string
    lines: {
      sku: string
      name: string
      quantity: number
      bin?: string
      fulfillments: { fulfillment: string; quantity: number }[]
    }[]
  }[]
}

const PICKS: Column[] = [
  { title: '', widthPoints: 20, tickBox: true },
  { title: 'Bin', widthPoints: 60 },
  { title: 'SKU', widthPoints: 110 },
  { title: 'Item' },
  { title: 'Quantity', widthPoints: 55, align: 'right' },
  { title: 'For', widthPoints: 120 },
]

/** An A4 PDF; the same list makes the same bytes. */
export function pickList(list: PickList): Promise<Buffer> {
  const pages = new Pages(`Pick list ${list.id}`, list.createdAt)
  const lines = list.zones.flatMap((zone) => zone.lines)
  const units = lines.reduce((sum, { quantity }) => sum + quantity, 0)
  pages.blocks([
    { title: 'Location', text: list.location },
    { title: 'Created', text: pages.created },
    { title: 'To pick', text: `${lines.length} lines, ${units} units` },
  ])
  for (const { zone, lines } of list.zones) {
    pages.table(
      `Zone ${zone}`,
      PICKS,
      lines.map(({ sku, name, quantity, bin, fulfillments }) => [
        '',
        bin ?? '',
        sku,
        name,
        String(quantity),
        fulfillments.map((part) => `${part.quantity} × ${part.fulfillment}`).join('\n'),
      ]),
    )
  }
  return pages.finish()
}
