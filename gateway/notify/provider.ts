/**
 * The port to whoever carries messages. A message is sent under a key: sent again under it, after a crash or an answer that
 * never came, it is recognisable as the same one. Each provider is a folder beside this file.
 */
import { emailAddress, isE164 } from './addresses.js'
import type { Medium, Purpose } from './message-kinds.js'

interface MailboxName {
  name?: string
  address: string
}

export interface EmailMessage {
  medium: 'email'
  from: MailboxName
  to: MailboxName
  replyTo?: string
  /** One line. */
  subject: string
  text: string
  /** Empty: there is only the text. */
  html: string
  purpose: Purpose
  /** https, answering POST (RFC 8058). Said in marketing only: an order's own messages cannot be unsubscribed from. */
  unsubscribeUrl?: string
}

export interface SmsMessage {
  medium: 'sms'
  /** E.164, or a sender's name where the country allows it. */
  from: string
  /** E.164. */
  to: string
  text: string
}

export type Message = EmailMessage | SmsMessage

export interface Sent {
  /** The provider's own id of the message. */
  providerId: string
}

export interface Provider {
  readonly media: readonly Medium[]
  /** Rejects with SendError. `key`: at most 150 bytes of visible ASCII. */
  send(message: Message, key: string): Promise<Sent>
  /**
   * Deletes what is kept here of messages that were sent under these keys, also of those that are being sent just now. Only
   * of a provider that keeps something here.
   */
  forget?(keys: readonly string[]): Promise<void>
  /** What is under way ends; what comes after is refused, to be tried again. */
  close(): Promise<void>
}

/**
 * `bad_address`: nobody can be reached there; do not write to it again. `unsubscribed`: the receiver has said no to the
 * provider. `refused`: this message is not taken. `misconfigured`: credentials, certificates, senders: a person must look.
 * `unreachable`, `overloaded`: later.
 */
export type SendErrorCode = 'bad_address' | 'unsubscribed' | 'refused' | 'misconfigured' | 'unreachable' | 'overloaded'

export class SendError extends Error {
  /** Sending it again ends the same, so it is for a person to see; else it is tried again. */
  readonly permanent: boolean
  /** Not before so many ms, where the provider has said so. */
  readonly retryAfterMs?: number

  constructor(
    readonly code: SendErrorCode,
    detail: string,
    { permanent, retryAfterMs, cause }: { permanent: boolean; retryAfterMs?: number; cause?: unknown },
  ) {
    super(detail, cause === undefined ? {} : { cause })
    this.permanent = permanent
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs
  }
}

/** Beyond this a mail is an attack or a mistake; mail servers take some 10 MB. */
const BODY_CHARACTERS_MAX = 1_048_576
const KEY = /^[\x21-\x7e]{1,150}$/

/** What every provider asks of a message before it sends anything. Throws SendError. */
export function assertSendable(message: Message, key: string, media: readonly Medium[]): void {
  const refuse = (detail: string, code: SendErrorCode = 'refused'): never => {
    throw new SendError(code, detail, { permanent: true })
  }
  if (!KEY.test(key)) refuse('The key must be 1 to 150 visible ASCII characters.')
  if (!media.includes(message.medium)) {
    refuse(`This provider carries ${media.join(' and ')} only; configure one for ${message.medium}.`, 'misconfigured')
  }
  if (message.medium === 'sms') {
    if (!isE164(message.to))
      refuse('The number of the receiver is not in E.164 (+ and up to 15 digits).', 'bad_address')
    if (message.text.trim() === '') refuse('The SMS has no text.')
    if (message.text.length > BODY_CHARACTERS_MAX) refuse('The SMS is too long.')
    return
  }
  if (emailAddress(message.to.address) === undefined)
    refuse('The address of the receiver is no mail address.', 'bad_address')
  for (const address of [message.from.address, message.replyTo]) {
    if (address !== undefined && emailAddress(address) === undefined) {
      refuse(
        `${JSON.stringify(address.slice(0, 254))}, that the mail is to come from, is no mail address.`,
        'misconfigured',
      )
    }
  }
  if (message.text.trim() === '') refuse('The mail has no text.')
  if (message.text.length + message.html.length + message.subject.length > BODY_CHARACTERS_MAX) {
    refuse(`The mail has more than ${BODY_CHARACTERS_MAX} characters.`)
  }
}
