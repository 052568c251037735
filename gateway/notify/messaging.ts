/** All that messages to customers need, in one place: brands, templates, whom not to write to, the sender, links. */
import type { Logger } from 'pino'
import { KnownRecords } from '../known-records.js'
import type { People } from '../personal-data/people.js'
import type { RecordStore } from '../records.js'
import { BRAND, BRANDS_MAX, type Brand, brandOf, QUIET_HOURS } from './brands.js'
import type { Medium } from './message-kinds.js'
import { MessageSender } from './message-sender.js'
import type { Provider } from './provider.js'
import { type MailSender, type MessagingOptions, mailSender, openProviders, publicOrigin } from './providers.js'
import { Recipients } from './recipients.js'
import type { Template } from './templates/template-parts.js'
import { signLink, type VerifiedLink, verifyLink } from './tracking-page/signed-link.js'

const TEMPLATES_MAX = 2_000
const LINK_MS = 180 * 86_400_000

export interface KeptTemplate extends Template {
  enabled: boolean
}

export class Messaging {
  readonly brands: KnownRecords<Brand>
  readonly templates: KnownRecords<KeptTemplate>
  readonly recipients: Recipients
  readonly sender: MessageSender
  readonly mailSender: MailSender
  readonly smsFrom: string
  readonly smsToken: string | undefined
  /** With which the Message-IDs of mails are signed. */
  readonly messageIdSecret: string
  readonly publicOrigin: string | undefined
  private readonly providers: ReadonlyMap<Medium, Provider>
  private readonly linkSecret: string
  private readonly labelLinkSecret: string

  /** Throws DoorbusterError where an option cannot be used. */
  constructor(
    options: MessagingOptions,
    dataDir: string,
    readonly records: RecordStore,
    readonly people: People,
    logger: Logger,
    now: () => number,
  ) {
    const secret = (purpose: string): string => people.vault.signingKey(purpose).toString('base64url')
    this.messageIdSecret = secret('message-id')
    this.linkSecret = secret('tracking')
    this.labelLinkSecret = secret('return-label')
    this.mailSender = mailSender(options)
    this.smsFrom = options.smsFrom ?? 'Doorbuster'
    this.smsToken = options.smsToken
    this.publicOrigin = publicOrigin(options)
    this.providers = openProviders(options, dataDir, this.messageIdSecret)
    this.brands = new KnownRecords(records, BRAND, BRANDS_MAX)
    this.templates = new KnownRecords(records, 'message-template', TEMPLATES_MAX)
    this.recipients = new Recipients(records, people)
    this.sender = new MessageSender({
      records,
      vault: people.vault,
      providers: this.providers,
      recipients: this.recipients,
      quietHours: async (channel) => (await this.brandOf(channel)).brand.quietHours ?? QUIET_HOURS,
      logger,
      now,
    })
  }

  get media(): Medium[] {
    return [...this.providers.keys()]
  }

  brandOf(channel: string): Promise<{ id: string; brand: Brand }> {
    return brandOf(channel, this.brands, this.mailSender.name)
  }

  /** The address of an order's page; undefined where the server does not know under which name it is reached. */
  trackingUrl(order: string, nowMs: number): string | undefined {
    return this.signedUrl('track', order, this.linkSecret, nowMs)
  }

  verifyLink(token: string, nowMs: number): VerifiedLink {
    return verifyLink(token, this.linkSecret, nowMs)
  }

  /** The address under which the customer gets the label of a return; undefined as above. */
  returnLabelUrl(returnId: string, nowMs: number): string | undefined {
    return this.signedUrl('return-labels', returnId, this.labelLinkSecret, nowMs)
  }

  verifyReturnLabelLink(token: string, nowMs: number): VerifiedLink {
    return verifyLink(token, this.labelLinkSecret, nowMs)
  }

  private signedUrl(path: string, payload: string, secret: string, nowMs: number): string | undefined {
    if (this.publicOrigin === undefined) return undefined
    return `${this.publicOrigin}/v1/${path}/${signLink(payload, secret, nowMs + LINK_MS)}`
  }

  async stop(): Promise<void> {
    await this.sender.stop()
    await Promise.all([...new Set(this.providers.values())].map((provider) => provider.close()))
  }
}
