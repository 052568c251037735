/** What of an order is other than its channel says that it is now: only that is changed. */
import type { OpenedOrder } from '../personal-data/opened-order.js'
import { aliasedLine } from './aliased-line.js'
import type { ChannelOrder } from './channel.js'
import type { Alias } from './channel-desk.js'

/** The body of a revision, none where nothing has changed; `lineIds`: the channel's ids of lines, those that are new behind. */
export function changesOf(
  input: ChannelOrder,
  order: OpenedOrder,
  lineIds: readonly string[],
  aliasOf: (theirSku: string) => Alias,
): { body?: Record<string, unknown>; lineIds: string[] } {
  const own = order.lines.filter(({ parent }) => parent === undefined)
  const lines: object[] = []
  const known = [...lineIds]
  for (const [at, line] of input.lines.entries()) {
    const lineId = input.lineIds[at]!
    const place = lineIds.indexOf(lineId)
    const alias = aliasOf(line.sku)
    const quantity = line.quantity * alias.quantity
    if (place < 0) {
      const { unitPrice, discount, taxes } = aliasedLine(line, alias)
      lines.push({ sku: alias.sku, quantity, unitPrice, discount, taxes })
      known.push(lineId)
      continue
    }
    const ours = own[place]
    if (ours && liveUnits(ours) !== quantity) lines.push({ line: ours.number, quantity })
  }
  for (const [place, lineId] of lineIds.entries()) {
    const ours = own[place]
    if (ours && !input.lineIds.includes(lineId) && liveUnits(ours) > 0) lines.push({ line: ours.number, quantity: 0 })
  }
  const body: Record<string, unknown> = {}
  if (lines.length > 0) body.lines = lines
  if (!isSame(input.shipTo, order.shipTo)) body.shipTo = input.shipTo
  if (!isSame(input.customer, order.customer)) body.customer = input.customer
  if (input.notes !== undefined && input.notes !== order.notes) body.notes = input.notes
  if (input.shippingService !== undefined && input.shippingService !== order.service) {
    body.shippingService = input.shippingService
  }
  return Object.keys(body).length > 0 ? { body, lineIds: known } : { lineIds: known }
}

/** Units that are neither cancelled nor returned. */
const liveUnits = ({ quantity, units }: OpenedOrder['lines'][number]): number => quantity - (units[6] ?? 0)

function isSame(theirs: object, ours: object): boolean {
  const plain = (value: object): string =>
    JSON.stringify(
      Object.entries(value)
        .filter(([, part]) => part !== undefined && part !== '')
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  return plain(theirs) === plain(ours)
}
