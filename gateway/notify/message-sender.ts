/**
 * Sends messages that are due. What waits, waits in the records and not here. A message is marked as sent after the provider
 * has taken it: a crash in between sends it once more under the same key, by which the receiver's side knows it.
 */
import PQueue from 'p-queue'
import type { Logger } from 'pino'
import { readerPace } from '../outbox/reader-pace.js'
import type { Vault } from '../personal-data/vault.js'
import type { RecordStore, Stored } from '../records.js'
import type { Medium } from './message-kinds.js'
import { keysOf, MESSAGE, type MessageContent, type MessageRecord, openContent, putOf } from './message-record.js'
import { type Message, type Provider, SendError } from './provider.js'
import type { QuietHours } from './quiet-hours.js'
import type { Decision } from './recipient.js'
import type { Recipients } from './recipients.js'

export interface MessageSenderOptions {
  records: RecordStore
  vault: Vault
  providers: ReadonlyMap<Medium, Provider>
  recipients: Recipients
  quietHours: (channel: string) => Promise<QuietHours>
  logger: Logger
  now: () => number
}

type Queued = Extract<MessageRecord, { state: 'queued' }>

const PAGE = 64
const AT_ONCE = 8
/** The records are asked again after so long at the latest, and after so long where that failed. */
const LOOK_MS_MAX = 60_000
const PAUSE_MS = 5_000
/** From seconds to hours: a server that is down over a night gets its mails in the morning. */
const RETRY_FIRST_MS = 5_000
const RETRY_MS_MAX = 2 * 3_600_000
const ATTEMPTS_MAX = 20

export class MessageSender {
  private readonly queue = new PQueue({ concurrency: AT_ONCE })
  private looking: Promise<void> | undefined
  private again = false
  private readonly stopping = new AbortController()
  private timer: NodeJS.Timeout | undefined

  constructor(private readonly options: MessageSenderOptions) {}

  private get stopped(): boolean {
    return this.stopping.signal.aborted
  }

  /** There may be something due: called when a message was queued, and at the start. */
  wake(): void {
    this.again = true
    if (this.stopped) return
    this.looking ??= this.look().finally(() => {
      this.looking = undefined
      if (this.again) this.wake()
    })
  }

  /** Ends after the messages that are under way. */
  async stop(): Promise<void> {
    this.stopping.abort()
    clearTimeout(this.timer)
    await this.looking
  }

  private async look(): Promise<void> {
    clearTimeout(this.timer)
    let nextMs = Number.POSITIVE_INFINITY
    try {
      while (this.again && !this.stopped) {
        this.again = false
        const { now, records } = this.options
        const due = await records.due<MessageRecord>(MESSAGE, now(), PAGE)
        const done = await this.queue.addAll(due.items.map((item) => () => this.handle(item)))
        if (done.includes(false)) {
          this.again = false
          return this.sleep(PAUSE_MS)
        }
        if (due.items.length > 0) this.again = true
        nextMs = due.nextMs ?? Number.POSITIVE_INFINITY
      }
      this.sleep(Math.min(LOOK_MS_MAX, nextMs - this.options.now()))
    } catch (error) {
      if (this.stopped) return
      this.options.logger.error({ err: error }, 'messages cannot be read or kept; tried again shortly')
      this.again = false
      this.sleep(PAUSE_MS)
    }
  }

  private sleep(ms: number): void {
    if (this.stopped) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.wake(), Math.max(1, ms)).unref()
  }

  /** False where the records failed: what is due stays so, and is not begun again at once. */
  private async handle({ id, value }: Stored<MessageRecord>): Promise<boolean> {
    await readerPace.turn(this.stopping.signal).catch(() => {})
    if (this.stopped) return true
    try {
      // One that is over is due when it has been kept for long enough.
      if (value.state === 'queued') await this.carryOut(id, value)
      else await this.forget(id, value)
      return true
    } catch (error) {
      this.options.logger.error({ err: error, message: id }, 'a message could not be dealt with; tried again shortly')
      return false
    }
  }

  /** Deletes a message, and before it what its provider keeps of it here, which is found by it. */
  async forget(id: string, message: MessageRecord): Promise<void> {
    const { providers, records } = this.options
    await providers.get(message.medium)?.forget?.(keysOf(id, message))
    await records.delete(MESSAGE, id)
  }

  private async carryOut(id: string, message: Queued): Promise<void> {
    const { providers, vault, now } = this.options
    const content = openContent(vault, message)
    const { sendAtMs: _sendAtMs, ...facts } = message
    if (!content) return this.erased(id, message)
    const decision = await this.decide(message, content)
    if (decision.do === 'send_at') return this.become(id, message, { ...message, sendAtMs: decision.atMs })
    if (decision.do === 'not_send') {
      const { reason, detail } = decision
      return this.become(id, message, { ...facts, state: 'suppressed', reason, detail })
    }
    try {
      const provider = providers.get(message.medium)
      if (!provider)
        throw new SendError('misconfigured', `No provider for ${message.medium} is configured.`, { permanent: true })
      // Deciding has taken time. From here to the provider nothing is waited for, so an erasure finds it there.
      if (!openContent(vault, message)) return await this.erased(id, message)
      const { providerId } = await provider.send(sendable(message, content), message.key)
      await this.become(id, message, { ...facts, state: 'sent', sentMs: now(), providerId })
    } catch (error) {
      if (!(error instanceof SendError)) throw error
      await this.notSent(id, message, content, error)
    }
  }

  private erased(id: string, message: Queued): Promise<void> {
    const { content: _content, sendAtMs: _sendAtMs, ...facts } = message
    const detail = 'The customer’s data were erased before it was sent.'
    return this.become(id, message, { ...facts, state: 'suppressed', reason: 'no_address', detail })
  }

  private async decide(message: Queued, { to }: MessageContent): Promise<Decision> {
    const { recipients, quietHours, now } = this.options
    return recipients.decide({
      ...message,
      address: to,
      quietHours: await quietHours(message.channel),
      nowMs: now(),
    })
  }

  private async notSent(id: string, message: Queued, { to }: MessageContent, error: SendError): Promise<void> {
    const { recipients, vault, now, logger } = this.options
    const attempts = message.attempts + 1
    if (!error.permanent && attempts < ATTEMPTS_MAX) {
      const delayMs = Math.min(RETRY_MS_MAX, RETRY_FIRST_MS * 2 ** (attempts - 1)) * (0.8 + 0.4 * Math.random())
      const sendAtMs = Math.round(now() + Math.max(delayMs, Math.min(error.retryAfterMs ?? 0, RETRY_MS_MAX)))
      return this.become(id, message, { ...message, attempts, sendAtMs })
    }
    if (error.code === 'bad_address') {
      const failure = { kind: 'bounce', permanent: true, reason: error.message } as const
      await recipients.suppressed.failed(message.medium, to, message.person, failure, now())
    }
    const { sendAtMs: _sendAtMs, ...facts } = message
    const { code } = error
    // What servers say of an address often repeats it.
    const detail = vault.seal(message.person, error.message)
    await this.become(id, message, { ...facts, attempts, state: 'failed', failedMs: now(), code, detail })
    logger.warn({ message: id, medium: message.medium, code }, 'a message was not sent; it can be sent again')
  }

  /** Unless somebody has queued it anew meanwhile. */
  private become(id: string, { key }: Queued, next: MessageRecord): Promise<void> {
    const { records, now } = this.options
    return records.update<MessageRecord>(MESSAGE, id, (known) =>
      known?.state === 'queued' && known.key === key ? putOf(next, now()) : undefined,
    )
  }
}

function sendable({ medium }: Queued, content: MessageContent): Message {
  const { to, toName, from, fromName, replyTo, subject, text, html } = content
  if (medium === 'sms') return { medium, from, to, text }
  return {
    medium,
    from: { address: from, ...(fromName === undefined ? {} : { name: fromName }) },
    to: { address: to, ...(toName === undefined ? {} : { name: toName }) },
    ...(replyTo === undefined ? {} : { replyTo }),
    subject,
    text,
    html,
    purpose: 'transactional',
  }
}
