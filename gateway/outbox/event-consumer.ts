/**
 * A reader of published events that does something outside for each: messages, webhooks, NATS, the ERP. It keeps its own
 * cursor durably and moves it only behind what it has done, so each event reaches it at least once whatever crashes; what
 * must not happen twice is told apart by the event's id where it is done.
 */
import PQueue from 'p-queue'
import pRetry, { AbortError } from 'p-retry'
import type { Logger } from 'pino'
import { EVENTS_KEPT } from '../../engine/limits.js'
import type { EngineEvent } from '../../engine/protocol.js'
import type { Dispatch } from '../dispatch.js'
import { EventCursor } from '../events.js'
import type { RecordStore } from '../records.js'
import { readerPace } from './reader-pace.js'

export interface EventConsumerOptions {
  /** For ever: the cursor is kept under it. */
  name: string
  dispatch: Dispatch
  records: RecordStore
  logger: Logger
  /** Types it wants; the others are passed over. */
  wants: (type: string) => boolean
  /** Rejects where it is to be tried again; `GiveUp` where that is of no use. Not used where there is `handlePage`. */
  handle?: (event: EngineEvent) => Promise<void>
  /**
   * Takes what is wanted of a page at once, in the order of the log. Rejects where all of it is to be tried again, which is
   * done until it resolves or the consumer stops (`signal`): nothing of a page goes to the dead letters.
   */
  handlePage?: (events: EngineEvent[], signal: AbortSignal) => Promise<void>
  /** Subjects at once. Events of one subject are handled one after the other, in their order. */
  concurrency?: number
  /** Tries of one event before it goes to the dead letters; Infinity where waiting is right (the receiver is away). */
  attemptsMax?: number
}

/** An event that this consumer can do nothing with: it goes to the dead letters at once. */
export class GiveUp extends Error {}

export interface DeadLetter {
  consumer: string
  event: EngineEvent
  reason: string
  atMs: number
}

export const DEAD_LETTER = 'dead-letter'
const CURSOR = 'consumer'
const PAGE = 256
/** A cursor is a command in the log: not one for each event. */
const SAVE_EVENTS = 512
const SAVE_MS = 1_000
/** After what went wrong around the events, such as a partition that had too much to do. */
const RETRY_MS = 1_000
const RETRIES = { minTimeout: 200, maxTimeout: 30_000, randomize: true, unref: true }
/** Behind a page waits everything else. */
const PAGE_RETRY_MS_MAX = 5_000
const FOREVER = { retries: Number.POSITIVE_INFINITY }

export class EventConsumer {
  private cursor: EventCursor | undefined
  private unsaved = 0
  private savedMs = 0
  private running: Promise<void> | undefined
  private again = false
  private isFarBehind = false
  private readonly stopping = new AbortController()
  private readonly unlisten: () => void
  private saving: NodeJS.Timeout | undefined
  private retrying: NodeJS.Timeout | undefined

  constructor(private readonly options: EventConsumerOptions) {
    this.unlisten = options.dispatch.onEvent(({ type }) => {
      if (options.wants(type)) this.wake()
    })
  }

  get name(): string {
    return this.options.name
  }

  /** Events that it has still to read, as far as is known; none while nothing that it wants is there. */
  get lag(): number {
    const isReading = this.running !== undefined || this.again
    return isReading ? Math.max(1, this.options.dispatch.events.behind(this.cursor?.numbers ?? [])) : 0
  }

  /** Handles an event once more that it had given up. Rejects where that fails again. */
  async redo(event: EngineEvent): Promise<void> {
    const { handle, handlePage } = this.options
    if (handle) await handle(event)
    else await handlePage?.([event], this.stopping.signal)
  }

  /** Reads what there is; called once at the start, and by each event. */
  wake(): void {
    this.again = true
    if (this.running || this.stopping.signal.aborted) return
    this.running = this.run()
      .catch((error: unknown) => {
        if (this.stopping.signal.aborted) return
        this.options.logger.error({ err: error, consumer: this.options.name }, 'an event consumer failed; it goes on')
        this.again = true
        this.retrying ??= setTimeout(() => {
          this.retrying = undefined
          this.wake()
        }, RETRY_MS).unref()
      })
      .finally(() => {
        this.running = undefined
      })
  }

  /** Ends after the events that are under way; what they have done is remembered. */
  async stop(): Promise<void> {
    this.unlisten()
    clearTimeout(this.saving)
    clearTimeout(this.retrying)
    this.stopping.abort()
    await this.running
    await this.save().catch(() => {})
  }

  private async run(): Promise<void> {
    this.cursor ??= await this.load()
    while (this.again && !this.stopping.signal.aborted) {
      this.again = false
      for (let partition = 0; partition < this.cursor.numbers.length; partition++) {
        while (!this.stopping.signal.aborted && (await this.readPage(this.cursor, partition))) this.again = true
      }
    }
    if (this.unsaved > 0 && !this.saving) {
      this.saving = setTimeout(() => {
        this.saving = undefined
        void this.save().catch((error: unknown) => this.options.logger.warn({ err: error }, 'a cursor was not saved'))
      }, SAVE_MS).unref()
    }
  }

  /** Handles one page of a partition's events; whether there may be more. */
  private async readPage(cursor: EventCursor, partition: number): Promise<boolean> {
    const { dispatch, wants, logger, name, concurrency = 8 } = this.options
    const after = cursor.numbers[partition]!
    await this.takeTurn()
    const page = await dispatch.events.page(partition, after, PAGE)
    if (!page) throw new Error(`events of partition ${partition} cannot be read`)
    const { events, missed, last } = page
    if (missed && after > 0) {
      logger.error(
        { consumer: name, partition, after },
        'events were no longer kept, or are of another time: some were missed',
      )
    }
    this.isFarBehind = last - after > EVENTS_KEPT / 2
    const wanted = events.filter(({ type }) => wants(type))
    const done = this.options.handlePage ? await this.handleWhole(wanted) : await this.handleEach(wanted, concurrency)
    if (!done) return false
    const next = events.at(-1)?.number ?? last
    if (next !== after) {
      cursor.numbers[partition] = next
      this.unsaved += Math.max(1, events.length)
    }
    const now = performance.now()
    if (this.unsaved >= SAVE_EVENTS && now - this.savedMs >= SAVE_MS / 4) await this.save()
    return events.length === PAGE
  }

  /** Where it is stopped meanwhile, whoever goes on finds that out. */
  private async takeTurn(): Promise<void> {
    if (!this.isFarBehind) await readerPace.turn(this.stopping.signal).catch(() => {})
  }

  private async handleEach(events: EngineEvent[], concurrency: number): Promise<boolean> {
    const queue = new PQueue({ concurrency })
    const bySubject = new Map<string, EngineEvent[]>()
    for (const event of events) {
      const own = bySubject.get(event.subject)
      if (own) own.push(event)
      else bySubject.set(event.subject, [event])
    }
    const done = await Promise.all(
      [...bySubject.values()].map((own) =>
        queue.add(async () => {
          for (const event of own) {
            await this.takeTurn()
            if (!(await this.handle(event))) return false
          }
          return true
        }),
      ),
    )
    return !done.includes(false)
  }

  /** False where it was stopped before it was done. */
  private async handleWhole(events: EngineEvent[]): Promise<boolean> {
    const { handlePage, name, logger } = this.options
    if (events.length === 0 || !handlePage) return true
    const { signal } = this.stopping
    try {
      await pRetry(() => handlePage(events, signal), {
        ...RETRIES,
        ...FOREVER,
        maxTimeout: PAGE_RETRY_MS_MAX,
        signal,
        onFailedAttempt: ({ attemptNumber, error }) => {
          if (attemptNumber === 1) logger.warn({ consumer: name, reason: error.message }, 'events are tried again')
        },
      })
      return true
    } catch (error) {
      if (signal.aborted) return false
      throw error
    }
  }

  /** False where it was stopped before it was done. */
  private async handle(event: EngineEvent): Promise<boolean> {
    const { handle, attemptsMax = 8, name, records, logger } = this.options
    if (!handle) throw new Error(`the event consumer ${name} handles nothing`)
    const { signal } = this.stopping
    const tries = { ...RETRIES, retries: attemptsMax - 1, signal }
    try {
      await pRetry(
        () =>
          handle(event).catch((error: unknown) => {
            throw error instanceof GiveUp ? new AbortError(error) : error
          }),
        { ...tries, ...(attemptsMax === Number.POSITIVE_INFINITY ? FOREVER : {}) },
      )
      return true
    } catch (error) {
      if (signal.aborted) return false
      const id = `${name}/${event.partition}-${event.number}`
      const reason = (error as Error).message
      logger.warn({ consumer: name, event: `${event.partition}-${event.number}`, reason }, 'given up')
      const letter: DeadLetter = { consumer: name, event, reason, atMs: Date.now() }
      await records.put({ kind: DEAD_LETTER, id, value: letter, refs: [name] })
      return true
    }
  }

  private async load(): Promise<EventCursor> {
    const { records, dispatch, name } = this.options
    const { partitions } = dispatch.links
    const kept = await records.get<number[]>(CURSOR, name)
    // Of a directory that was made for another number of partitions: events went on behind the highest number there was.
    if (kept?.value.length === partitions) return new EventCursor(kept.value)
    return new EventCursor(new Array<number>(partitions).fill(kept ? Math.max(...kept.value) : 0))
  }

  private async save(): Promise<void> {
    if (this.unsaved === 0 || !this.cursor) return
    this.unsaved = 0
    this.savedMs = performance.now()
    await this.options.records.put({ kind: CURSOR, id: this.options.name, value: [...this.cursor.numbers] })
  }
}
