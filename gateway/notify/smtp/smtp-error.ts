/** What a mail server, or the way to it, has said: whether to try again, and whether the address is to blame. */
import { SendError } from '../provider.js'

/** Enhanced codes (RFC 3463) of a mailbox that is not there; of a 5xx to RCPT without one it is taken to be. */
const BAD_ADDRESS = /^5\.1\.(?:0|1|2|3|6|10)$|^5\.2\.1$|^5\.4\.1$/
/** What a person who runs us can mend. A server that has no TLS today, or not its own certificate, may have it tomorrow. */
const CREDENTIALS = new Set(['EAUTH', 'ENOAUTH', 'EOAUTH2'])
const ENCRYPTION = new Set(['ETLS', 'EREQUIRETLS'])

interface SmtpFailure {
  code: string
  command: string
  response: string
  responseCode: number
}

/** An error of nodemailer as one of ours. 4xx and whatever concerns the connection is tried again (RFC 5321, 4.2.1), 5xx is not. */
export function sendErrorOf(error: unknown): SendError {
  const { code, command, response, responseCode } = failureOf(error)
  const detail = response || (error instanceof Error ? error.message : String(error))
  const isFinal = responseCode >= 500 && responseCode < 600
  if (CREDENTIALS.has(code)) return new SendError('misconfigured', detail, { permanent: isFinal, cause: error })
  if (ENCRYPTION.has(code)) return new SendError('misconfigured', detail, { permanent: false, cause: error })
  if (isFinal) {
    const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1]
    const isAddress = command.startsWith('RCPT') && (enhanced === undefined || BAD_ADDRESS.test(enhanced))
    return new SendError(isAddress ? 'bad_address' : 'refused', detail, { permanent: true, cause: error })
  }
  // 421 and 450 to 452: the server has too much to do, or wants to be asked again later (greylisting).
  return new SendError(responseCode >= 400 ? 'overloaded' : 'unreachable', detail, { permanent: false, cause: error })
}

function failureOf(error: unknown): SmtpFailure {
  const fields: object = typeof error === 'object' && error !== null ? error : {}
  const text = (name: string): string => {
    const value: unknown = Reflect.get(fields, name)
    return typeof value === 'string' ? value.slice(0, 1_000) : ''
  }
  const responseCode: unknown = Reflect.get(fields, 'responseCode')
  return {
    code: text('code'),
    command: text('command'),
    response: text('response'),
    responseCode: typeof responseCode === 'number' ? responseCode : 0,
  }
}
