/**
 * What a channel could not be told because it was away: kept durably, and told in its order once the channel is there
 * again. So a shop that does not answer holds up none of the others.
 */
import type { Logger } from 'pino'
import type { EngineEvent } from '../../engine/protocol.js'
import type { OperationContext } from '../operations/operation.js'
import { DEAD_LETTER, type DeadLetter } from '../outbox/event-consumer.js'
import type { Stored } from '../records.js'

/** Rows by connection, and of each connection that something waits for when it is asked again. */
const WAITING = 'channel-waiting'
const AWAY = 'channel-away'
const LOOK_MS = 1_000
const CONNECTIONS_AT_ONCE = 64
const PAGE = 64
const PAUSE_MS = 2_000
const PAUSE_MS_MAX = 600_000
/** What is older is told nobody any more: so no more waits for a channel than happens in a day. */
const USEFUL_MS = 86_400_000
const NUMBER_DIGITS = 16
const NUMBER_MAX = 10 ** NUMBER_DIGITS - 1

interface Waiting {
  event: EngineEvent
  connection: string
}

interface Away {
  /** Since it was there last. */
  attempts: number
}

/** Records are listed from the highest id down, so the oldest event has the highest. */
const idOf = ({ partition, number }: EngineEvent): string =>
  `${String(NUMBER_MAX - number).padStart(NUMBER_DIGITS, '0')}-${partition}`

/** Whether something waits for the channel already: what comes now stands behind it. */
export const isAwaited = async (connection: string, { records }: OperationContext): Promise<boolean> =>
  (await records.list(WAITING, 1, undefined, connection)).items.length > 0

export async function keepWaiting(
  event: EngineEvent,
  connection: string,
  { records, now }: OperationContext,
): Promise<void> {
  const value: Waiting = { event, connection }
  await records.create({ kind: WAITING, id: idOf(event), value, refs: [connection] })
  const away: Away = { attempts: 0 }
  await records.create({ kind: AWAY, id: connection, value: away, dueMs: now() })
}

export class WaitingTellings {
  private timer: NodeJS.Timeout | undefined
  /** Those that are being told, each by itself: one that hangs holds up no other. */
  private readonly underWay = new Map<string, Promise<void>>()
  private isStopping = false

  constructor(
    private readonly context: OperationContext,
    private readonly logger: Logger,
    /** Rejects with what it met; `isFinal`: whether it is of no use to try that again. */
    private readonly tell: (event: EngineEvent) => Promise<void>,
    private readonly isFinal: (error: unknown) => boolean,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref()
  }

  async stop(): Promise<void> {
    this.isStopping = true
    clearInterval(this.timer)
    await Promise.all(this.underWay.values())
  }

  private async look(): Promise<void> {
    const { records, now } = this.context
    try {
      const { items } = await records.due<Away>(AWAY, now(), CONNECTIONS_AT_ONCE)
      for (const { id: connection, value } of items) {
        if (this.isStopping || this.underWay.has(connection)) continue
        const work = this.tellAll(connection, value.attempts)
          .catch((error: unknown) => this.failed(error))
          .finally(() => this.underWay.delete(connection))
        this.underWay.set(connection, work)
      }
    } catch (error) {
      this.failed(error)
    }
  }

  private failed(error: unknown): void {
    this.logger.warn({ err: error }, 'a channel that was away could not be told')
  }

  /** One after the other, the oldest first, until all are told or it is away again. */
  private async tellAll(connection: string, attemptsBefore: number): Promise<void> {
    const { records, now } = this.context
    let attempts = attemptsBefore
    while (!this.isStopping) {
      const { items } = await records.list<Waiting>(WAITING, PAGE, undefined, connection)
      for (const row of items) {
        if (this.isStopping) return
        const fault = await this.faultOf(row.value.event)
        if (fault !== undefined && !fault.isFinal) {
          attempts++
          const dueMs = now() + Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** Math.min(attempts, 12))
          await records.put({ kind: AWAY, id: connection, value: { attempts }, dueMs })
          return
        }
        if (fault) await this.giveUp(row, fault.reason)
        else attempts = 0
        await records.delete(WAITING, row.id)
      }
      if (items.length > 0) continue
      await records.delete(AWAY, connection)
      // What came in between found it still there.
      if (!(await isAwaited(connection, this.context))) return
      await records.create({ kind: AWAY, id: connection, value: { attempts }, dueMs: now() })
    }
  }

  /** What it met when it was told; undefined where that went well. */
  private async faultOf(event: EngineEvent): Promise<{ reason: string; isFinal: boolean } | undefined> {
    const isOld = this.context.now() - event.timeMs > USEFUL_MS
    if (isOld) return { reason: 'the channel was away for more than a day', isFinal: true }
    try {
      await this.tell(event)
      return undefined
    } catch (error) {
      return { reason: (error as Error).message, isFinal: this.isFinal(error) }
    }
  }

  private async giveUp({ value: { event } }: Stored<Waiting>, reason: string): Promise<void> {
    const { records, now } = this.context
    const letter: DeadLetter = { consumer: 'channels', event, reason, atMs: now() }
    const id = `channels/${event.partition}-${event.number}`
    await records.put({ kind: DEAD_LETTER, id, value: letter, refs: ['channels'] })
  }
}
