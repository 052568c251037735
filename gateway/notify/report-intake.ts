/**
 * What comes back from receivers: bounces, complaints, statuses of SMS. Anybody can write such a report, so it counts only
 * where it has the key of a message of ours, and is about the address that this message was really sent to.
 */
import type { OperationContext } from '../operations/operation.js'
import { readMailReport } from './bounces.js'
import type { Medium } from './message-kinds.js'
import { idOfKey, MESSAGE, type MessageRecord, openContent, putOf } from './message-record.js'
import { suppressionKey } from './recipient.js'
import type { DeliveryFailure } from './suppression.js'
import { readStatusCallback } from './twilio/status-callback.js'

/** How many of the failures that a mail report tells of were believed. Throws UnreadableReport. */
export async function takeMailReport(
  raw: string,
  context: OperationContext,
): Promise<{ applied: number; ignored: number }> {
  const reports = readMailReport(raw, context.messaging.messageIdSecret)
  let applied = 0
  for (const { key, address, ...failure } of reports)
    if (await apply('email', key, address, failure, context)) applied++
  return { applied, ignored: reports.length - applied }
}

export type SmsStatusTaken = 'applied' | 'ignored' | 'forged' | 'malformed' | 'unconfigured'

/** `url`: the callback's as the gateway was told it, with its query. */
export async function takeSmsStatus(
  url: string,
  form: string,
  signature: string | undefined,
  context: OperationContext,
): Promise<SmsStatusTaken> {
  const { smsToken } = context.messaging
  if (smsToken === undefined) return 'unconfigured'
  const read = readStatusCallback(url, form, signature, smsToken)
  if (!read.ok) return read.reason === 'forged' ? 'forged' : 'malformed'
  const { key, status, failure } = read.status
  if (failure) return (await apply('sms', key, failure.address, failure, context)) ? 'applied' : 'ignored'
  if (status !== 'delivered' || key === undefined) return 'ignored'
  await note(key, 'delivered', context)
  return 'applied'
}

/** Whether a failure was believed: the message is marked, the address suppressed by suppression.ts. */
async function apply(
  medium: Medium,
  key: string | undefined,
  address: string | undefined,
  { kind, permanent, reason }: DeliveryFailure,
  context: OperationContext,
): Promise<boolean> {
  const { records, people, messaging, now } = context
  const found = key === undefined ? undefined : await records.get<MessageRecord>(MESSAGE, idOfKey(key))
  if (key === undefined || found?.value.medium !== medium || !isKeyOf(found.value, key)) return false
  const content = openContent(people.vault, found.value)
  if (!content) return false
  const told = address === undefined ? undefined : suppressionKey(medium, address, '')
  if (address !== undefined && told !== suppressionKey(medium, content.to, '')) return false
  await messaging.recipients.suppressed.failed(
    medium,
    content.to,
    found.value.person,
    { kind, permanent, reason },
    now(),
  )
  await note(key, kind, context)
  return true
}

/** Also one that it had before it was sent again; the hash at its end cannot be guessed. */
function isKeyOf(message: MessageRecord, key: string): boolean {
  const [id, resends, mark] = key.split('.')
  const [ownId, , ownMark] = message.key.split('.')
  return id === ownId && mark === ownMark && Number(resends) <= message.resends
}

async function note(key: string, report: NonNullable<MessageRecord['report']>, { records, now }: OperationContext) {
  await records.update<MessageRecord>(MESSAGE, idOfKey(key), (known) =>
    known && isKeyOf(known, key) ? putOf({ ...known, report }, now()) : undefined,
  )
}
