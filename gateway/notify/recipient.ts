/**
 * Whether, where and when one customer may be written to: a pure decision over what the owner keeps (consent, suppression,
 * address), so that why a message was not sent can always be said.
 */
import { emailAddress, phoneNumber, takesSms } from './addresses.js'
import type { Medium, MessageKind, Purpose } from './message-kinds.js'
import { type QuietHours, quietUntil } from './quiet-hours.js'
import { isSuppressed, type Suppression } from './suppression.js'

/** What the customer has said about one medium; what they have not spoken of is absent. The narrower word counts. */
export interface Consent {
  transactional?: boolean | undefined
  marketing?: boolean | undefined
  kinds?: Partial<Record<MessageKind, boolean>> | undefined
}

export interface Wish {
  medium: Medium
  purpose: Purpose
  /** Absent of marketing. */
  kind?: MessageKind
  /** As the order has it; absent where it has none. */
  address?: string | undefined
  /** Of the order's address (ISO 3166-1): national phone numbers are read as of there. */
  country: string
  /** The customer's IANA zone. */
  timeZone: string
  consent: Consent | undefined
  /** Of this address. */
  suppression: Suppression | undefined
  /** For SMS alone; a mail wakes nobody. */
  quietHours?: QuietHours | undefined
  nowMs: number
  /** After it the message says nothing that is still true ("comes today"). */
  usefulUntilMs?: number
}

export type NotSentReason = 'no_address' | 'bad_address' | 'no_consent' | 'suppressed' | 'too_late'

export type Decision =
  | { do: 'send_now'; to: string }
  | { do: 'send_at'; to: string; atMs: number }
  | { do: 'not_send'; reason: NotSentReason; detail: string }

const not = (reason: NotSentReason, detail: string): Decision => ({ do: 'not_send', reason, detail })

/** What the address must be looked up by among the suppressed: E.164, or a mail address in lower case; undefined where it is none. */
export function suppressionKey(medium: Medium, address: string, country: string): string | undefined {
  return medium === 'sms' ? phoneNumber(address, country) : emailAddress(address)?.toLowerCase()
}

/**
 * A message about an order is sent unless the customer has said no; marketing only if the customer has said yes. A
 * suppressed address gets nothing, whatever was agreed.
 */
export function decide(wish: Wish): Decision {
  const { medium, address, nowMs, suppression } = wish
  if (address === undefined || address.trim() === '')
    return not('no_address', `The order has no address for ${medium}.`)
  const to = medium === 'sms' ? phoneNumber(address, wish.country) : emailAddress(address)
  if (to === undefined) return not('bad_address', `What the order has as address for ${medium} is none.`)
  if (medium === 'sms' && !takesSms(to)) return not('bad_address', 'The number is a fixed line or a special number.')
  if (!agrees(wish)) return not('no_consent', consentMissing(wish))
  if (suppression && isSuppressed(suppression, nowMs)) {
    return not('suppressed', `The address is suppressed after a ${suppression.kind}: ${suppression.reason}`)
  }
  const atMs = medium === 'sms' && wish.quietHours ? quietUntil(nowMs, wish.quietHours, wish.timeZone) : nowMs
  if (wish.usefulUntilMs !== undefined && atMs > wish.usefulUntilMs) {
    return not('too_late', 'By the time it may be sent, it would no longer be true.')
  }
  return atMs > nowMs ? { do: 'send_at', to, atMs } : { do: 'send_now', to }
}

function agrees({ consent, purpose, kind }: Wish): boolean {
  const ofKind = kind === undefined ? undefined : consent?.kinds?.[kind]
  return ofKind ?? consent?.[purpose] ?? purpose === 'transactional'
}

const consentMissing = ({ medium, purpose, kind }: Wish): string =>
  purpose === 'marketing'
    ? `The customer has not agreed to marketing by ${medium}.`
    : `The customer does not want ${kind ?? 'messages about orders'} by ${medium}.`
