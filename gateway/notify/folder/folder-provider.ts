/**
 * Where nothing else is configured: each message becomes a file that a person can open, and nothing leaves the machine. A
 * file is named after its message's key, so the same message sent again is the same file.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Transporter } from 'nodemailer'
import type StreamTransport from 'nodemailer/lib/stream-transport/index.js'
import PQueue from 'p-queue'
import { nodemailer } from '../../lazy-libraries.js'
import { type MailIdentity, mailContent } from '../mail-content.js'
import { MEDIA, type Medium } from '../message-kinds.js'
import { plainLine } from '../plain-line.js'
import { assertSendable, type Message, type Provider, SendError, type Sent, type SmsMessage } from '../provider.js'

export interface FolderSettings extends MailIdentity {
  /** Made where it is missing. It should be the outbox's alone: the oldest of its messages are deleted. */
  directory: string
  /** The newest so many messages are kept. */
  filesMax?: number
}

const FILES_MAX = 1_000
/** Messages that may wait to be written: more are refused, to be tried again. */
const WAITING_MAX = 1_000
/** The disk makes so many durable in hardly more time than one, and who waits behind it for the log's flush waits once. */
const WRITTEN_TOGETHER_MAX = 32
const EXTENSIONS: Record<Medium, string> = { email: 'eml', sms: 'sms.txt' }
const OWN_FILE = /^[0-9a-f]{40}\.(?:eml|sms\.txt)$/
const OWN_REMAINS = /^\.[0-9a-f]{40}\.[0-9a-f]{8}\.part$/

const stemOf = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 40)

interface Waiting {
  message: Message
  key: string
  resolve: (sent: Sent) => void
  reject: (reason: unknown) => void
}

export function folderProvider(settings: FolderSettings): Provider {
  const outbox = new Outbox(settings)
  const queue = new PQueue({ concurrency: 1 })
  const waiting: Waiting[] = []
  let isClosed = false

  async function writeWaiting(): Promise<void> {
    const batch = waiting.splice(0, WRITTEN_TOGETHER_MAX)
    // Its own turn came when it was written with others already.
    if (batch.length === 0) return
    const outcomes = await outbox.put(batch)
    batch.forEach(({ resolve, reject }, at) => {
      const outcome = outcomes[at]!
      if (outcome.status === 'fulfilled') resolve({ providerId: outcome.value })
      else reject(outcome.reason)
    })
  }

  return {
    media: MEDIA,
    async send(message, key) {
      assertSendable(message, key, MEDIA)
      if (isClosed) throw new SendError('unreachable', 'The outbox folder is closed.', { permanent: false })
      if (waiting.length >= WAITING_MAX) {
        throw new SendError('overloaded', `${WAITING_MAX} messages wait to be written already.`, { permanent: false })
      }
      return new Promise<Sent>((resolve, reject) => {
        waiting.push({ message, key, resolve, reject })
        void queue.add(writeWaiting)
      })
    },
    // Behind what is being written.
    forget: (keys) => queue.add(() => outbox.remove(keys)),
    async close() {
      isClosed = true
      await queue.onIdle()
    },
  }
}

class Outbox {
  /** Oldest first; what is written again goes to the end. Undefined until the folder has been read. */
  private files: Set<string> | undefined
  /** Made with the first mail. */
  private transport: Transporter<StreamTransport.SentMessageInfo, StreamTransport.Options> | undefined

  constructor(private readonly settings: FolderSettings) {}

  /** The files' names, or a SendError each, once all of them are durable. */
  async put(messages: readonly Pick<Waiting, 'message' | 'key'>[]): Promise<PromiseSettledResult<string>[]> {
    try {
      this.files ??= await this.read()
      const outcomes = await Promise.allSettled(messages.map(({ message, key }) => this.write(message, key)))
      const names = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
      await this.keepNewest(this.files, names)
      await syncFolder(this.settings.directory)
      // The folder may be another one by the time it can be written to again.
      if (names.length < messages.length) this.files = undefined
      return outcomes
    } catch (error) {
      this.files = undefined
      return messages.map(() => ({ status: 'rejected', reason: unwritten(error) }))
    }
  }

  private async keepNewest(files: Set<string>, names: readonly string[]): Promise<void> {
    const { directory, filesMax = FILES_MAX } = this.settings
    for (const name of names) {
      files.delete(name)
      files.add(name)
    }
    for (const oldest of files) {
      if (files.size <= filesMax) break
      await rm(join(directory, oldest), { force: true })
      files.delete(oldest)
    }
  }

  /** Durably, whatever a crash has left of them as well. */
  async remove(keys: readonly string[]): Promise<void> {
    this.files ??= await this.read()
    for (const key of keys) {
      for (const extension of Object.values(EXTENSIONS)) {
        const name = `${stemOf(key)}.${extension}`
        await rm(join(this.settings.directory, name), { force: true })
        this.files.delete(name)
      }
    }
    await syncFolder(this.settings.directory)
  }

  private async contentOf(message: Message, key: string): Promise<Uint8Array> {
    if (message.medium === 'sms') return Buffer.from(smsText(message))
    this.transport ??= nodemailer().createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
    const { message: mail } = await this.transport.sendMail(mailContent(message, key, this.settings))
    if (!Buffer.isBuffer(mail)) throw new TypeError('the stream transport was asked for a buffer')
    return mail
  }

  /** Messages that are there from before, oldest first; what a crash has left half written goes. */
  private async read(): Promise<Set<string>> {
    const { directory } = this.settings
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const names = await readdir(directory)
    for (const name of names) if (OWN_REMAINS.test(name)) await rm(join(directory, name), { force: true })
    const dated: { name: string; ms: number }[] = []
    for (const name of names) {
      if (OWN_FILE.test(name)) dated.push({ name, ms: (await stat(join(directory, name))).mtimeMs })
    }
    return new Set(dated.sort((a, b) => a.ms - b.ms).map(({ name }) => name))
  }

  /**
   * Whole or not at all: a reader never sees a part of a message, and a link that lies in its place is not followed. The
   * file's name; rejects with SendError.
   */
  private async write(message: Message, key: string): Promise<string> {
    const { directory } = this.settings
    const stem = stemOf(key)
    const name = `${stem}.${EXTENSIONS[message.medium]}`
    const part = join(directory, `.${stem}.${randomBytes(4).toString('hex')}.part`)
    try {
      const content = await this.contentOf(message, key)
      const file = await open(part, 'wx', 0o600)
      try {
        await file.writeFile(content)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(part, join(directory, name))
      return name
    } catch (error) {
      await rm(part, { force: true }).catch(() => undefined)
      throw unwritten(error)
    }
  }
}

async function syncFolder(directory: string): Promise<void> {
  const folder = await open(directory, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function unwritten(error: unknown): SendError {
  const reason = error instanceof Error ? error.message : String(error)
  return new SendError('unreachable', `The message cannot be written to the outbox folder: ${reason}`, {
    permanent: false,
    cause: error,
  })
}

const smsText = ({ from, to, text }: SmsMessage): string => `To: ${to}\nFrom: ${plainLine(from, 100)}\n\n${text}\n`
