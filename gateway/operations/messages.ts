/** Messages to customers: what was sent, sending it again, and what comes back from receivers. */
import { z } from 'zod'
import type { Outcome } from '../../engine/protocol.js'
import { UnreadableReport } from '../notify/bounces.js'
import { MEDIA } from '../notify/message-kinds.js'
import { keyAgain, MESSAGE, type MessageRecord, openContent, putOf, stateRef } from '../notify/message-record.js'
import { SMS_STATUS_PATH } from '../notify/providers.js'
import { takeMailReport, takeSmsStatus } from '../notify/report-intake.js'
import { REPORT_CHARACTERS_MAX } from '../notify/report-parts.js'
import * as shapes from '../order-schemas.js'
import type { People } from '../personal-data/people.js'
import { problem } from '../problems.js'
import type { Stored } from '../records.js'
import * as schemas from '../schemas.js'
import { isoTime } from './inventory.js'
import { type OperationContext, operation } from './operation.js'

const STATES = ['queued', 'sent', 'failed', 'suppressed'] as const

/** Without what is sealed. */
function shownMessage({ id, value }: Stored<MessageRecord>): object {
  const { order, event, kind, medium, brand, channel, locale, timeZone, state, attempts, resends, report } = value
  const { createdMs } = value
  return {
    id,
    order,
    event,
    kind,
    medium,
    brand,
    channel,
    locale,
    timeZone,
    state,
    createdAt: isoTime(createdMs),
    attempts,
    resends,
    ...(report === undefined ? {} : { report }),
    ...(value.state === 'queued' ? { sendAt: isoTime(value.sendAtMs) } : {}),
    ...(value.state === 'sent' ? { sentAt: isoTime(value.sentMs), providerId: value.providerId } : {}),
    ...(value.state === 'failed' ? { failedAt: isoTime(value.failedMs), reason: value.code } : {}),
    ...(value.state === 'suppressed' ? { reason: value.reason, detail: value.detail } : {}),
  }
}

function openedMessage(stored: Stored<MessageRecord>, people: People): object {
  const { value } = stored
  const content = openContent(people.vault, value)
  return {
    ...shownMessage(stored),
    ...(value.state === 'failed' ? { detail: people.openText(value.detail, value.person) } : {}),
    ...(content ? { content } : {}),
  }
}

const listQuery = schemas.page.extend({
  order: shapes.orderId.optional(),
  state: z.enum(STATES).optional(),
})

async function list(
  { order, state, limit, cursor }: z.output<typeof listQuery>,
  { records, people, subject }: OperationContext,
): Promise<Outcome> {
  const ref = order ?? (state && stateRef(state))
  const { items, nextCursor } = await records.list<MessageRecord>(MESSAGE, limit, cursor, ref)
  // A person may have the name that an order has: what is found by it is looked at.
  const fitting = items.filter(
    ({ value }) => (order === undefined || value.order === order) && (state === undefined || value.state === state),
  )
  const [first] = fitting
  if (subject && order !== undefined && first) subject.person = first.value.person
  fitting.sort((a, b) => a.value.createdMs - b.value.createdMs)
  return { status: 200, body: { items: fitting.map((item) => openedMessage(item, people)), nextCursor } }
}

async function resend(id: string, { records, people, messaging, now }: OperationContext): Promise<Outcome> {
  let refused: Outcome | undefined
  await records.update<MessageRecord>(MESSAGE, id, (message) => {
    refused = whyNotAgain(id, message)
    if (refused || !message) return undefined
    const { order, event, kind, medium, brand, channel, locale, country, timeZone, person, customerKeys } = message
    const { createdMs, content, key, resends } = message
    const nowMs = now()
    const next: MessageRecord = {
      ...{ order, event, kind, medium, brand, channel, locale, country, timeZone, person, customerKeys, createdMs },
      ...(content ? { content } : {}),
      key: keyAgain(key, id, resends + 1),
      resends: resends + 1,
      attempts: 0,
      // Who sends it again finds it useful.
      usefulUntilMs: nowMs + 7 * 86_400_000,
      state: 'queued',
      sendAtMs: nowMs,
    }
    return putOf(next, nowMs)
  })
  if (refused) return refused
  messaging.sender.wake()
  const stored = await records.get<MessageRecord>(MESSAGE, id)
  return stored ? { status: 202, body: shownMessage(stored) } : unknown(id)

  function whyNotAgain(name: string, message: MessageRecord | undefined): Outcome | undefined {
    if (!message) return unknown(name)
    if (message.state === 'queued') return problem(409, 'still_queued', `Message ${name} waits to be sent already.`)
    if (!openContent(people.vault, message))
      return problem(409, 'not_written', `Message ${name} has no content: it was not written, or was erased.`)
    return undefined
  }
}

const unknown = (id: string): Outcome => problem(404, 'unknown_message', `There is no message ${id}.`)

async function report(raw: string, context: OperationContext): Promise<Outcome> {
  try {
    return { status: 200, body: await takeMailReport(raw, context) }
  } catch (error) {
    if (!(error instanceof UnreadableReport)) throw error
    return problem(422, 'invalid', `report: ${error.message}`, [{ path: 'report', message: error.message }])
  }
}

async function smsStatus(
  { form, query, signature }: { form: string; query: string; signature?: string | undefined },
  context: OperationContext,
): Promise<Outcome> {
  const url = `${context.messaging.publicOrigin ?? ''}${SMS_STATUS_PATH}${query === '' ? '' : `?${query}`}`
  const taken = await takeSmsStatus(url, form, signature, context)
  switch (taken) {
    case 'unconfigured':
      return problem(404, 'not_found', 'No SMS gateway is configured here.')
    case 'forged':
      return problem(403, 'forged', 'The X-Twilio-Signature does not fit the form and the public address.')
    case 'malformed':
      return problem(422, 'invalid', 'The form is not a status of a message.')
    case 'applied':
    case 'ignored':
      return { status: 200, body: { applied: taken === 'applied' } }
  }
}

export const messageOperations = [
  operation({
    name: 'message.list',
    summary: 'Messages to customers with their content: of an order, or by state',
    http: { method: 'GET', path: '/v1/messages', status: 200 },
    query: listQuery,
    run: list,
  }),
  operation({
    name: 'message.resend',
    summary: 'Sends a message once more that was sent or failed; consent, quiet hours and suppression count again',
    http: { method: 'POST', path: '/v1/messages/{id}/resend', status: 202 },
    parameters: z.object({ id: z.string().min(1).max(100) }),
    run: ({ id }, context) => resend(id, context),
  }),
  operation({
    name: 'message.report',
    summary: 'Takes a bounce (RFC 3464) or an abuse report (RFC 5965) that came to the address that mails come from',
    http: { method: 'POST', path: '/v1/messages/reports', status: 200 },
    body: z.object({ report: z.string().min(1).max(REPORT_CHARACTERS_MAX).meta({ description: 'The mail, raw' }) }),
    run: ({ report: raw }, context) => report(raw, context),
  }),
  operation({
    name: 'message.smsStatus',
    summary: 'The status callback of the SMS gateway: a form, signed in X-Twilio-Signature',
    http: { method: 'POST', path: SMS_STATUS_PATH, status: 200, form: { signature: 'x-twilio-signature' } },
    body: z.object({ form: z.string(), query: z.string().default(''), signature: z.string().optional() }),
    run: smsStatus,
  }),
  operation({
    name: 'suppression.lift',
    summary: 'Lets an address be written to again that bounced or complained',
    http: { method: 'POST', path: '/v1/suppressions/lift', status: 200 },
    body: z.object({ medium: z.enum(MEDIA), address: z.string().min(1).max(254) }),
    async run({ medium, address }, { messaging }) {
      const wasSuppressed = await messaging.recipients.suppressed.lift(medium, address)
      return { status: 200, body: { wasSuppressed } }
    },
  }),
]
