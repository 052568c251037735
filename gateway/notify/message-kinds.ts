/**
 * What customers are told, and which published event says that it is time to tell them. An event that no customer needs
 * to hear of (stock, picking, reservations) has no kind.
 */
export const MESSAGE_KINDS = [
  'order_confirmation',
  'order_changed',
  'order_on_hold',
  'ready_for_pickup',
  'shipped',
  'out_for_delivery',
  'delivered',
  'delayed',
  'cancelled',
  'return_label',
  'return_received',
  'refunded',
] as const
export type MessageKind = (typeof MESSAGE_KINDS)[number]

export const MEDIA = ['email', 'sms'] as const
export type Medium = (typeof MEDIA)[number]

/** Transactional: about an order of the receiver's own. All of `MESSAGE_KINDS` are. */
export type Purpose = 'transactional' | 'marketing'

/** Of a published event, only what decides. */
export interface NotifiableEvent {
  type: string
  data: unknown
}

const KINDS = new Map<string, MessageKind>([
  ['order.received', 'order_confirmation'],
  ['order.changed', 'order_changed'],
  ['order.on_hold', 'order_on_hold'],
  ['order.cancelled', 'cancelled'],
  ['order.rejected', 'cancelled'],
  ['fulfillment.ready_for_pickup', 'ready_for_pickup'],
  ['fulfillment.shipped', 'shipped'],
  ['fulfillment.delivered', 'delivered'],
  ['tracking.out_for_delivery', 'out_for_delivery'],
  ['order.promise_changed', 'delayed'],
  ['promise.changed', 'delayed'],
  ['return.authorized', 'return_label'],
  ['return.received', 'return_received'],
  ['payment.refunded', 'refunded'],
])

/**
 * The kind of message that an event gives, undefined where it gives none. A changed promise is a delay only if it is later
 * than what was promised before (`deliverByMs` and `before`, both ms): good news can wait for the parcel. `tracking.delivered`
 * gives none, since the fulfillment order that it closes says `fulfillment.delivered`. Who collects goods in a store stands
 * there: of a pick-up (`kind`) only that it is ready is told. A parcel that is out for delivery to us is a customer's return.
 */
export function kindOf({ type, data }: NotifiableEvent): MessageKind | undefined {
  const kind = KINDS.get(type)
  if (kind === 'delayed' && isEarlier(data)) return undefined
  if (kind === 'out_for_delivery' && isOfReturn(data)) return undefined
  return (kind === 'shipped' || kind === 'delivered') && isPickup(data) ? undefined : kind
}

/** Whether some event of this type gives a message. */
export const isNotifiable = (type: string): boolean => KINDS.has(type)

const isPickup = (data: unknown): boolean =>
  typeof data === 'object' && data !== null && 'kind' in data && data.kind === 'pickup'

const isOfReturn = (data: unknown): boolean => typeof data === 'object' && data !== null && 'return' in data

function isEarlier(data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return false
  if (!('deliverByMs' in data && 'before' in data)) return false
  return typeof data.deliverByMs === 'number' && typeof data.before === 'number' && data.deliverByMs <= data.before
}
