/** Which providers carry messages, by the server's options: SMTP, an SMS gateway, or a folder where there is neither. */
import { join } from 'node:path'
import addressparser from 'nodemailer/lib/addressparser/index.js'
import { DoorbusterError } from '../../engine/errors.js'
import { emailAddress } from './addresses.js'
import { folderProvider } from './folder/folder-provider.js'
import type { MailIdentity } from './mail-content.js'
import type { Medium } from './message-kinds.js'
import type { Provider } from './provider.js'
import { type SmtpSettings, smtpProvider } from './smtp/smtp-provider.js'
import { twilioProvider } from './twilio/twilio-provider.js'

export interface MessagingOptions {
  /** smtp[s]://user:password@host:port, with ?tls=required, opportunistic or none. */
  smtpUrl?: string
  /** Whom mails come from: an address, or `Name <address>`. */
  mailFrom?: string
  smsUrl?: string
  smsAccount?: string
  smsToken?: string
  smsFrom?: string
  /** Under which customers reach this server, for links in messages: https. */
  publicUrl?: string
}

export interface MailSender {
  address: string
  name?: string
}

export const SMS_STATUS_PATH = '/v1/messages/sms-status'
const bad = (detail: string): DoorbusterError => new DoorbusterError('bad_option', detail)

/** Whom mails come from; a name that cannot be reached where nothing is sent anyway. Throws DoorbusterError. */
export function mailSender({ mailFrom, smtpUrl }: MessagingOptions): MailSender {
  if (mailFrom === undefined) {
    if (smtpUrl !== undefined) throw bad('--smtp-url needs --mail-from, the address that mails come from')
    return { address: 'orders@doorbuster.invalid' }
  }
  const [parsed, ...more] = addressparser(mailFrom, { flatten: true })
  const address = parsed && more.length === 0 ? emailAddress(parsed.address) : undefined
  if (address === undefined) throw bad(`--mail-from is an address, or "Name <orders@shop.example>", not ${mailFrom}`)
  return { address, ...(parsed?.name ? { name: parsed.name } : {}) }
}

/** The origin of links in messages, without a slash at its end; undefined where there is none. Throws DoorbusterError. */
export function publicOrigin({ publicUrl }: MessagingOptions): string | undefined {
  if (publicUrl === undefined) return undefined
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined
  if (url?.protocol !== 'https:' || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw bad('--public-url is the https address under which customers reach this server, such as https://shop.example')
  }
  return url.href.replace(/\/$/, '')
}

/** The provider of each medium that has one. Throws DoorbusterError where an option cannot be used. */
export function openProviders(
  options: MessagingOptions,
  dataDir: string,
  messageIdSecret: string,
): ReadonlyMap<Medium, Provider> {
  const sender = mailSender(options)
  const identity = { domain: sender.address.slice(sender.address.lastIndexOf('@') + 1), messageIdSecret }
  const providers = new Map<Medium, Provider>()
  if (options.smtpUrl !== undefined) providers.set('email', smtpProvider(smtpSettings(options.smtpUrl, identity)))
  const sms = smsProvider(options)
  if (sms) providers.set('sms', sms)
  if (providers.size > 0) return providers
  const folder = folderProvider({ directory: join(dataDir, 'outbox'), ...identity })
  return new Map(folder.media.map((medium): [Medium, Provider] => [medium, folder]))
}

function smtpSettings(text: string, identity: MailIdentity): SmtpSettings {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // What is given is not said back: there is a password in it.
  if (!url || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '') {
    throw bad('--smtp-url is smtp://user:password@host:port, or smtps:// for TLS from the first byte')
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const hasUser = url.username !== ''
  if (hasUser !== (url.password !== '')) throw bad('--smtp-url has a user and a password, or neither')
  const isHere = ['127.0.0.1', 'localhost', '::1'].includes(host)
  const wanted = url.searchParams.get('tls') ?? (hasUser && !isHere ? 'required' : 'opportunistic')
  if (wanted !== 'required' && wanted !== 'opportunistic' && wanted !== 'none') {
    throw bad(`--smtp-url: tls is required, opportunistic or none, not ${wanted}`)
  }
  const isImplicit = url.protocol === 'smtps:'
  return {
    ...identity,
    host,
    port: Number(url.port) || (isImplicit ? 465 : 587),
    tls: isImplicit ? 'implicit' : wanted,
    ...(hasUser ? { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) } : {}),
  }
}

function smsProvider(options: MessagingOptions): Provider | undefined {
  const { smsUrl, smsAccount, smsToken, smsFrom } = options
  if (smsUrl === undefined && smsAccount === undefined && smsToken === undefined) return undefined
  if (smsAccount === undefined || smsToken === undefined || smsFrom === undefined) {
    throw bad('an SMS gateway needs --sms-account, --sms-token and --sms-from')
  }
  const origin = publicOrigin(options)
  try {
    return twilioProvider({
      accountSid: smsAccount,
      authToken: smsToken,
      ...(smsUrl === undefined ? {} : { baseUrl: smsUrl }),
      ...(origin === undefined ? {} : { statusCallbackUrl: `${origin}${SMS_STATUS_PATH}` }),
    })
  } catch (error) {
    throw bad(`the SMS gateway cannot be used: ${(error as Error).message}`)
  }
}
