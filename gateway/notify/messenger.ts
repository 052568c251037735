/**
 * Tells customers of what happens to their orders: for each event that concerns them one message by each medium, written
 * once under an id made of the event's, and handed to the sender.
 */
import type { Logger } from 'pino'
import type { EngineEvent } from '../../engine/protocol.js'
import type { OperationContext } from '../operations/operation.js'
import { isOutcome, openedOrder } from '../operations/orders.js'
import { EventConsumer, GiveUp } from '../outbox/event-consumer.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import { RecordRefused } from '../records.js'
import { type Brand, QUIET_HOURS, sends } from './brands.js'
import { type CustomerWishes, customerKeys } from './customer-wishes.js'
import { localeOf, timeZoneOf } from './locality.js'
import { contentOf } from './message-content.js'
import { isNotifiable, kindOf, type Medium, type MessageKind } from './message-kinds.js'
import { MESSAGE, type MessageRecord, messageKey, putOf, sealContent } from './message-record.js'
import { type RenderedMessage, renderMessage, UnrenderableMessage } from './templates/render.js'
import { chooseTemplate } from './templates/template.js'
import { PARTS_OF } from './templates/template-parts.js'

const HOUR_MS = 3_600_000
/** After so long a message would be a puzzle to its reader. */
const USEFUL_MS = 72 * HOUR_MS
const COMES_TODAY_USEFUL_MS = 16 * HOUR_MS

export function messageConsumer(context: OperationContext, logger: Logger): EventConsumer {
  const { dispatch, records } = context
  return new EventConsumer({
    name: 'messages',
    dispatch,
    records,
    logger,
    wants: isNotifiable,
    handle: (event) => tell(event, context),
  })
}

/** What all media of one event have in common. */
interface Occasion {
  event: EngineEvent
  kind: MessageKind
  order: OpenedOrder
  brandId: string
  brand: Brand
  wishes: CustomerWishes
  customerKeys: string[]
  locale: string
  timeZone: string
  usefulUntilMs: number
  /** Once for all media. */
  rendered?: Promise<RenderedMessage>
}

async function tell(event: EngineEvent, context: OperationContext): Promise<void> {
  const kind = kindOf(event)
  const usefulUntilMs = event.timeMs + (kind === 'out_for_delivery' ? COMES_TODAY_USEFUL_MS : USEFUL_MS)
  // A reader that begins on a directory of before, or was away for days, does not tell of what is long over.
  if (!kind || context.now() > usefulUntilMs) return
  const { channel } = event.data as { channel?: string }
  if (channel !== undefined && !(await isToldOf(kind, channel, context))) return
  // The subject of all that have a kind is their order.
  const id = event.subject.replace(/^order\//, '')
  const order = await openedOrder(id, context)
  if (isOutcome(order)) {
    if (order.status === 404) return
    throw new Error(`order ${id} cannot be read`)
  }
  if (!context.people.vault.has(order.person) || isWithoutLabel(kind, event, order)) return
  if (order.customer.email === undefined && order.customer.phone === undefined) return
  const occasion = await occasionOf(event, kind, order, usefulUntilMs, context)
  for (const medium of context.messaging.media) await write(medium, occasion, context)
}

/** Whether a channel's brand tells its customers of such things at all. */
async function isToldOf(kind: MessageKind, channel: string, { messaging }: OperationContext): Promise<boolean> {
  const { brand } = await messaging.brandOf(channel)
  return messaging.media.some((medium) => sends(brand, medium, kind))
}

/** A return that needs no label (goods are brought to a store) has nothing to be sent. */
function isWithoutLabel(kind: MessageKind, { data }: EngineEvent, { returns }: OpenedOrder): boolean {
  if (kind !== 'return_label') return false
  const { return: id } = data as { return?: string }
  return returns?.find((found) => found.id === id)?.label === undefined
}

async function occasionOf(
  event: EngineEvent,
  kind: MessageKind,
  order: OpenedOrder,
  usefulUntilMs: number,
  { messaging, people }: OperationContext,
): Promise<Occasion> {
  const { id: brandId, brand } = await messaging.brandOf(order.channel)
  const keys = customerKeys(order.customer, people)
  const wishes = await messaging.recipients.wishes.of(keys)
  const { country } = order.shipTo
  return {
    event,
    kind,
    order,
    brandId,
    brand,
    wishes,
    customerKeys: keys,
    locale: wishes.locale ?? brand.locale ?? localeOf(country),
    timeZone: wishes.timeZone ?? timeZoneOf(country),
    usefulUntilMs,
  }
}

const addressOf = ({ customer }: OpenedOrder, medium: Medium): string | undefined =>
  medium === 'email' ? customer.email : customer.phone

async function write(medium: Medium, occasion: Occasion, context: OperationContext): Promise<void> {
  const { event, kind, order, brand, timeZone, usefulUntilMs } = occasion
  const { messaging, people, records, now } = context
  const address = addressOf(order, medium)
  if (address === undefined || !sends(brand, medium, kind)) return
  const id = `${event.partition}-${event.number}-${medium}`
  if (await records.get(MESSAGE, id)) return
  const nowMs = now()
  const { country } = order.shipTo
  const decision = await messaging.recipients.decide({
    medium,
    kind,
    address,
    country,
    timeZone,
    customerKeys: occasion.customerKeys,
    quietHours: brand.quietHours ?? QUIET_HOURS,
    usefulUntilMs,
    nowMs,
  })
  const facts = {
    order: order.id,
    event: `${event.partition}-${event.number}`,
    kind,
    medium,
    brand: occasion.brandId,
    channel: order.channel,
    locale: occasion.locale,
    country,
    timeZone,
    person: order.person,
    customerKeys: occasion.customerKeys,
    createdMs: nowMs,
    usefulUntilMs,
    // Of the event's time, so that another try of the same event has the same one.
    key: messageKey(people.vault, id, event.timeMs, 0),
    resends: 0,
    attempts: 0,
  }
  if (decision.do === 'not_send') {
    const { reason, detail } = decision
    return create(id, { ...facts, state: 'suppressed', reason, detail }, context)
  }
  occasion.rendered ??= render(occasion, context)
  const rendered = await occasion.rendered
  const isEmpty = (medium === 'email' ? rendered.text : rendered.sms) === ''
  if (isEmpty) return
  const content = sealContent(people.vault, order.person, {
    to: decision.to,
    ...(medium === 'email' ? mailOf(occasion, rendered, context) : smsOf(occasion, rendered, context)),
  })
  await create(
    id,
    { ...facts, content, state: 'queued', sendAtMs: 'atMs' in decision ? decision.atMs : nowMs },
    context,
  )
  messaging.sender.wake()
}

async function create(id: string, record: MessageRecord, { records, now }: OperationContext): Promise<void> {
  try {
    await records.create({ kind: MESSAGE, id, ...putOf(record, now()) })
  } catch (error) {
    if (error instanceof RecordRefused && error.outcome.status === 413) throw new GiveUp('The message is too long.')
    throw error
  }
}

async function render(occasion: Occasion, context: OperationContext): Promise<RenderedMessage> {
  const { event, kind, order, brand, brandId, locale, timeZone } = occasion
  const { messaging } = context
  const kept = [...(await messaging.templates.all()).values()].filter(({ enabled }) => enabled)
  const template = chooseTemplate(kept, { kind, brand: brandId, channel: order.channel, locale })
  const data = await contentOf(event, kind, order, brand, context)
  try {
    const reached = messaging.media.filter((medium) => addressOf(order, medium) !== undefined)
    const wanted = reached.flatMap((medium) => PARTS_OF[medium])
    return renderMessage(template, withoutAbsent(data), { locale, timeZone }, wanted)
  } catch (error) {
    if (error instanceof UnrenderableMessage) throw new GiveUp(error.message)
    throw error
  }
}

/** Undefined fields left out at every depth, as the schema of the data wants it. */
const withoutAbsent = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

function mailOf({ order, brand }: Occasion, { subject, text, html }: RenderedMessage, { messaging }: OperationContext) {
  const from = brand.from ?? messaging.mailSender
  return {
    toName: order.customer.name,
    from: from.address,
    fromName: from.name ?? brand.name,
    ...(brand.replyTo === undefined ? {} : { replyTo: brand.replyTo }),
    subject,
    text,
    html,
  }
}

const smsOf = ({ brand }: Occasion, { sms }: RenderedMessage, { messaging }: OperationContext) => ({
  from: brand.smsFrom ?? messaging.smsFrom,
  subject: '',
  text: sms,
  html: '',
})
