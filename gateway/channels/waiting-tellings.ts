/**
 * What a channel could not be told because it was away: kept durably, and told in its order once the channel is there
 * again. So a shop that does not answer holds up none of the others.
 */
import type { Logger } from 'pino'
import type { EngineEvent } from '../../engine/protocol.js'
import type { OperationContext } from '../operations/operation.js'
import { DEAD_LETTER, type DeadLetter } from '../outbox/event-consumer.js'
import type { Stored } from '../records.js'

const WAITING = 'channel-waiting'
const LOOK_MS = 1_000
const AT_ONCE = 64
const PAUSE_MS = 2_000
const PAUSE_MS_MAX = 600_000
/** Of the one that is next: about a day. */
const ATTEMPTS_MAX = 144

interface Waiting {
  event: EngineEvent
  connection: string
  attempts: number
}

/** Ids sort as the events of a partition do. */
const idOf = ({ partition, number }: EngineEvent): string =>
  `${String(partition).padStart(5, '0')}-${String(number).padStart(16, '0')}`

/** Whether something waits for the channel already: what comes now stands behind it. */
export const isAwaited = async (connection: string, { records }: OperationContext): Promise<boolean> =>
  (await records.list(WAITING, 1, undefined, connection)).items.length > 0

export async function keepWaiting(
  event: EngineEvent,
  connection: string,
  { records, now }: OperationContext,
): Promise<void> {
  const value: Waiting = { event, connection, attempts: 0 }
  await records.create({ kind: WAITING, id: idOf(event), value, refs: [connection], dueMs: now() })
}

export class WaitingTellings {
  private readonly timer: NodeJS.Timeout
  private looking: Promise<void> | undefined
  /** Until when nobody asks whether it is there again. */
  private readonly pausedUntilMs = new Map<string, number>()

  constructor(
    private readonly context: OperationContext,
    private readonly logger: Logger,
    /** Rejects with what it met; `isFinal`: whether it is of no use to try that again. */
    private readonly tell: (event: EngineEvent) => Promise<void>,
    private readonly isFinal: (error: unknown) => boolean,
  ) {
    this.timer = setInterval(() => {
      this.looking ??= this.look()
        .catch((error: unknown) => this.logger.warn({ err: error }, 'channels that were away could not be told'))
        .finally(() => {
          this.looking = undefined
        })
    }, LOOK_MS)
    this.timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.timer)
    await this.looking
  }

  private async look(): Promise<void> {
    const { records, now } = this.context
    const { items } = await records.due<Waiting>(WAITING, now(), AT_ONCE)
    const byConnection = new Map<string, Stored<Waiting>[]>()
    for (const row of items) {
      const own = byConnection.get(row.value.connection) ?? []
      byConnection.set(row.value.connection, [...own, row])
    }
    await Promise.all([...byConnection].map(([connection, own]) => this.tellAll(connection, own)))
  }

  private async tellAll(connection: string, own: Stored<Waiting>[]): Promise<void> {
    const { records, now } = this.context
    own.sort((a, b) => (a.id < b.id ? -1 : 1))
    for (const [at, { id, value }] of own.entries()) {
      const untilMs = this.pausedUntilMs.get(connection) ?? 0
      if (untilMs > now()) return this.postpone(own.slice(at), untilMs)
      try {
        await this.tell(value.event)
        this.pausedUntilMs.delete(connection)
      } catch (error) {
        const attempts = value.attempts + 1
        if (!this.isFinal(error) && attempts < ATTEMPTS_MAX) {
          const pausedUntilMs = now() + Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** Math.min(attempts, 12))
          this.pausedUntilMs.set(connection, pausedUntilMs)
          const next = { id, version: 0, value: { ...value, attempts } }
          return this.postpone([next, ...own.slice(at + 1)], pausedUntilMs)
        }
        await this.giveUp(value, (error as Error).message)
      }
      await records.delete(WAITING, id)
    }
  }

  private async postpone(rows: Stored<Waiting>[], dueMs: number): Promise<void> {
    const { records } = this.context
    await Promise.all(
      rows.map(({ id, value }) => records.put({ kind: WAITING, id, value, refs: [value.connection], dueMs })),
    )
  }

  private async giveUp({ event }: Waiting, reason: string): Promise<void> {
    const { records, now } = this.context
    const letter: DeadLetter = { consumer: 'channels', event, reason, atMs: now() }
    const id = `channels/${event.partition}-${event.number}`
    await records.put({ kind: DEAD_LETTER, id, value: letter, refs: ['channels'] })
  }
}
