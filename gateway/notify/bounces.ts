/**
 * What comes back to the address that mails are sent from: that a mail could not be delivered (a delivery status
 * notification, RFC 3464), or that its receiver calls it spam (an abuse report, RFC 5965).
 */
import { emailAddress } from './addresses.js'
import { keyOfMessageId } from './message-id.js'
import { plainLine } from './plain-line.js'
import { fieldGroups, headersOf, type ReportPart, reportParts } from './report-parts.js'
import type { DeliveryFailure } from './suppression.js'

export interface MailReport extends DeliveryFailure {
  /** Whom our mail was for; absent where the reporter has blacked it out and only the key is left. */
  address?: string
  /**
   * Of the mail that it is about. Anybody can write such a report; only one with the key of a mail that we have sent to this
   * address should stop us from writing there.
   */
  key?: string
}

/** The text is neither a bounce nor an abuse report. */
export class UnreadableReport extends Error {}

const REASON_CHARACTERS_MAX = 300
/** Our mails have one receiver; a report that names more is about a list behind it. */
const REPORTS_MAX = 20

/**
 * What a report says; empty where it says that nothing has gone wrong (delivered, still trying, "not spam").
 * `messageIdSecret`: the one that the mails' Message-IDs were signed with. Throws UnreadableReport.
 */
export function readMailReport(raw: string, messageIdSecret: string): MailReport[] {
  const report = reportParts(raw)
  if (!report) throw new UnreadableReport('This is no multipart/report (RFC 6522).')
  const { reportType, parts } = report
  const status = partOf(parts, 'message/delivery-status', 'message/global-delivery-status')
  const feedback = partOf(parts, 'message/feedback-report')
  const original = originalHeaders(parts)
  const key = keyOfMessageId(original.get('message-id') ?? '', messageIdSecret)
  if (reportType === 'delivery-status' && status) return bounces(status, original, key)
  if (reportType === 'feedback-report' && feedback) return complaints(feedback, original, key)
  throw new UnreadableReport('This report is neither a delivery status (RFC 3464) nor an abuse report (RFC 5965).')
}

const partOf = (parts: ReportPart[], ...types: string[]): ReportPart | undefined =>
  parts.find(({ type }) => types.includes(type))

function originalHeaders(parts: ReportPart[]): ReadonlyMap<string, string> {
  const part = partOf(parts, 'message/rfc822', 'text/rfc822-headers', 'message/global', 'message/global-headers')
  return part ? headersOf(part.body.split('\n')).headers : new Map()
}

function bounces(part: ReportPart, original: ReadonlyMap<string, string>, key: string | undefined): MailReport[] {
  const [, ...recipients] = fieldGroups(part.body)
  const failed = recipients.filter((fields) => fields.get('action')?.toLowerCase().startsWith('failed'))
  return failed.slice(0, REPORTS_MAX).flatMap((fields) => {
    // Who was written to goes before where that is forwarded to.
    const address =
      typedAddress(fields.get('original-recipient')) ??
      typedAddress(fields.get('final-recipient')) ??
      headerAddress(original.get('to'))
    const status = /^\d\.\d{1,3}\.\d{1,3}/.exec(fields.get('status') ?? '')?.[0] ?? ''
    const diagnostic = (fields.get('diagnostic-code') ?? '').replace(/^[^;]{0,50};/, '')
    const reason = plainLine(`${status} ${diagnostic}`, REASON_CHARACTERS_MAX) || 'no reason given'
    return identified({ kind: 'bounce', permanent: isDeadAddress(status), reason }, address, key)
  })
}

/**
 * Of the codes of RFC 3463: 5.x.x is for good, but a full mailbox (5.2.2), a mail that is too long (5.2.3), the other system
 * (5.3.x), its content (5.6.x) and a policy against the sender (5.7.x) say nothing against the address.
 */
const isDeadAddress = (status: string): boolean => /^5\./.test(status) && !/^5\.(?:2\.[23]$|[367]\.)/.test(status)

function complaints(part: ReportPart, original: ReadonlyMap<string, string>, key: string | undefined): MailReport[] {
  const fields = fieldGroups(part.body)[0] ?? new Map<string, string>()
  const type = plainLine(fields.get('feedback-type') ?? '', 50).toLowerCase()
  if (type === '') throw new UnreadableReport('The abuse report has no Feedback-Type (RFC 5965, 3.1).')
  if (type === 'not-spam') return []
  const address = headerAddress(fields.get('original-rcpt-to')) ?? headerAddress(original.get('to'))
  return identified({ kind: 'complaint', permanent: true, reason: type }, address, key)
}

/** What names neither an address nor a mail of ours is about nobody. */
function identified(failure: DeliveryFailure, address: string | undefined, key: string | undefined): MailReport[] {
  if (address === undefined && key === undefined) return []
  return [{ ...failure, ...(address === undefined ? {} : { address }), ...(key === undefined ? {} : { key }) }]
}

/** Of `rfc822; ada@example.com`. */
function typedAddress(field: string | undefined): string | undefined {
  const [type, ...rest] = (field ?? '').split(';')
  return type?.trim().toLowerCase() === 'rfc822' || type?.trim().toLowerCase() === 'utf-8'
    ? headerAddress(rest.join(';'))
    : undefined
}

/** Of `ada@example.com`, `<ada@example.com>` or `Ada Byron <ada@example.com>`. */
function headerAddress(field: string | undefined): string | undefined {
  const text = (field ?? '').trim()
  const open = text.lastIndexOf('<')
  return emailAddress(open !== -1 && text.endsWith('>') ? text.slice(open + 1, -1) : text)
}
