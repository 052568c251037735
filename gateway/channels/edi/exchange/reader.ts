/**
 * EDI among the channels that call us: a file becomes orders, changes and cancellations, and what suppliers and warehouses
 * say. The acknowledgement is made where the file is answered; here its stamp does not matter.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { ChannelEvent, ChannelOrder, Connection, Delivery, WebhookChannel } from '../../channel.js'
import type { EdiFile } from '../edi-file.js'
import type { PartnerDocument } from './partner-document.js'
import { readEdi } from './reading.js'

const ANY_STAMP = { controlNumber: 1, atMs: 0 }
const NOTED_MAX = 20

/** `Authorization: Bearer …` with the connection's secret, compared in constant time. Never where there is no secret. */
export function hasSecret({ headers }: Delivery, { secret }: Connection): boolean {
  const [, token] = /^Bearer +(\S.*)$/i.exec(headers.authorization ?? '') ?? []
  if (token === undefined || secret === '') return false
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(token), digest(secret))
}

export const edi: WebhookChannel = {
  type: 'edi',
  isSigned: hasSecret,
  deliveryId: () => undefined,
  async read({ body }, { settings }) {
    const { file, rejected, noted } = await readEdi(body, settings, ANY_STAMP)
    return [
      ...eventsOf(file),
      ...noted.slice(0, NOTED_MAX).map((reason): ChannelEvent => ({ type: 'ignored', reason })),
      ...(rejected.length > 0 ? [faultsOf(rejected)] : []),
    ]
  },
}

function faultsOf(errors: { path: string; message: string }[]): ChannelEvent {
  const [first] = errors
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const message = `parts of the file were refused: ${first!.path}: ${first!.message}${others}`
  return { type: 'partner', document: { kind: 'faults', message, errors } }
}

/** In the order in which they make sense: what is new, what has changed, what is off; then what partners do about ours. */
function eventsOf(file: EdiFile): ChannelEvent[] {
  const origin = originOf(file)
  const withOrigin = (order: ChannelOrder): ChannelOrder => {
    const orderedOn = file.orderedOn.get(order.externalId)
    return { ...order, origin: { ...origin, ...(orderedOn === undefined ? {} : { orderedOn }) } }
  }
  const partner = (document: PartnerDocument): ChannelEvent => ({ type: 'partner', document })
  return [
    ...file.orders.map((order): ChannelEvent => ({ type: 'order', order: withOrigin(order) })),
    ...file.replacements.map((order): ChannelEvent => ({ type: 'update', order: withOrigin(order) })),
    ...file.cancellations.map((cancellation): ChannelEvent => ({ type: 'cancel', ...cancellation })),
    ...file.acknowledgements.map((said) => partner({ kind: 'acknowledgement', said })),
    ...file.shippingAdvices.map((said) => partner({ kind: 'shippingAdvice', said })),
    ...file.shipNotices.map((said) => partner({ kind: 'shipNotice', said })),
    ...file.inventoryAdvices.map((said) => partner({ kind: 'inventoryAdvice', said })),
    ...file.receipts.map((said) => partner({ kind: 'receipt', said })),
  ]
}

/** The ends are remembered where the whole file has the same ones. */
function originOf({ syntax, interchanges }: EdiFile): NonNullable<ChannelOrder['origin']> {
  const [first] = interchanges
  const ends = interchanges.map(({ sender, receiver }) => JSON.stringify([sender, receiver]))
  if (!first || new Set(ends).size > 1) return { syntax }
  return { syntax, sender: first.sender, receiver: first.receiver }
}
