/** One mail as nodemailer takes it: the same for each provider that makes mails, so that what is looked at is what is sent. */
import type { SendMailOptions } from 'nodemailer'
import { messageIdOf } from './message-id.js'
import { plainLine } from './plain-line.js'
import type { EmailMessage } from './provider.js'

const NAME_CHARACTERS_MAX = 200
const SUBJECT_CHARACTERS_MAX = 500

export interface MailIdentity {
  /** The sender's domain, at which Message-IDs are made. */
  domain: string
  /** At least 16 bytes; the reader of bounces needs the same. */
  messageIdSecret: string
}

/** The message must have passed `assertSendable`. */
export function mailContent(
  message: EmailMessage,
  key: string,
  { domain, messageIdSecret }: MailIdentity,
): SendMailOptions {
  const { from, to, replyTo, subject, text, html, purpose, unsubscribeUrl } = message
  const named = ({ name, address }: EmailMessage['from']) => ({
    name: plainLine(name ?? '', NAME_CHARACTERS_MAX),
    address,
  })
  const canUnsubscribe = purpose === 'marketing' && unsubscribeUrl !== undefined
  return {
    messageId: messageIdOf(key, domain, messageIdSecret),
    from: named(from),
    to: named(to),
    ...(replyTo === undefined ? {} : { replyTo: { name: '', address: replyTo } }),
    subject: plainLine(subject, SUBJECT_CHARACTERS_MAX),
    text,
    ...(html === '' ? {} : { html }),
    // RFC 3834: so that a notice of absence does not answer it.
    headers: [
      { key: 'Auto-Submitted', value: 'auto-generated' },
      ...(canUnsubscribe ? [{ key: 'List-Unsubscribe-Post', value: 'List-Unsubscribe=One-Click' }] : []),
    ],
    ...(canUnsubscribe ? { list: { unsubscribe: { url: new URL(unsubscribeUrl).href, comment: '' } } } : {}),
    xMailer: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}
