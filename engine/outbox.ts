/**
 * What leaves a partition besides answers: messages to other partitions and published events.
 *
 * A message is kept in the sender's state until the receiver says that it has logged it, numbered for each pair of
 * partitions; the receiver drops a number that it has seen. So each takes effect once, in order, whatever is repeated.
 * Events are kept for readers that come later, the oldest of EVENTS_KEPT going first; each reader keeps its own cursor.
 *
 *   arena "outbox", doubles
 *     0                    number of the last event · 1 number of the oldest event kept
 *     8 + 4 × partition    last message sent to it · last that it acknowledged · last of its messages seen here
 */
import { pack, unpack } from 'msgpackr'
import type { Arena } from './arena.js'
import { assert } from './assert.js'
import { EVENTS_KEPT, OUTBOX_MESSAGES_MAX, PARTITIONS_MAX } from './limits.js'
import type { EngineEvent } from './protocol.js'
import type { Store } from './store.js'

const OUTBOX_ARENA = 0
const PEERS_AT = 8
const EVENT_LAST = 0
const EVENT_FIRST = 1

export class Outbox {
  private readonly arena: Arena
  private readonly numbers: Float64Array

  constructor(
    private readonly store: Store,
    private readonly partition: number,
  ) {
    this.arena = store.arena(OUTBOX_ARENA, 'outbox', 8, PEERS_AT + 4 * PARTITIONS_MAX)
    this.numbers = this.arena.doubles
  }

  private static messageKey = (to: number, number: number): string => `outbox/${to}/${number}`
  private static eventKey = (number: number): string => `event/${number}`

  /** Number of the last message sent to, acknowledged by, or seen from a partition. */
  sent(to: number): number {
    return this.numbers[PEERS_AT + 4 * to]!
  }
  acknowledged(to: number): number {
    return this.numbers[PEERS_AT + 4 * to + 1]!
  }
  seen(from: number): number {
    return this.numbers[PEERS_AT + 4 * from + 2]!
  }

  private set(index: number, value: number): void {
    this.arena.touchPage(0)
    this.numbers[index] = value
  }

  /** Messages that wait for an acknowledgement, over all partitions. */
  get waiting(): number {
    let waiting = 0
    for (let to = 0; to < PARTITIONS_MAX; to++) waiting += this.sent(to) - this.acknowledged(to)
    return waiting
  }

  /** Whether a command that needs `messages` more may begin. */
  hasRoom(messages: number): boolean {
    return this.waiting + messages <= OUTBOX_MESSAGES_MAX
  }

  send(to: number, name: string, body: unknown): void {
    const number = this.sent(to) + 1
    this.set(PEERS_AT + 4 * to, number)
    this.store.put(Outbox.messageKey(to, number), pack([number, name, body]))
  }

  /** A message as it was sent: msgpack [number, name, body]. */
  message(to: number, number: number): Uint8Array {
    const bytes = this.store.get(Outbox.messageKey(to, number))
    if (!bytes) throw new Error(`message ${number} to partition ${to} is not in the outbox`)
    return bytes
  }

  acknowledge(from: number, upTo: number): void {
    for (let number = this.acknowledged(from) + 1; number <= upTo; number++) {
      this.store.delete(Outbox.messageKey(from, number))
      this.set(PEERS_AT + 4 * from + 1, number)
    }
  }

  /** Whether a message is new here; remembers it as seen. */
  accept(from: number, number: number): boolean {
    if (number <= this.seen(from)) return false
    assert(number === this.seen(from) + 1, 'messages of a partition are taken in order')
    this.set(PEERS_AT + 4 * from + 2, number)
    return true
  }

  /** The event that was published last, as bytes. */
  packedEvent: Uint8Array = new Uint8Array(0)

  publish(timeMs: number, type: string, subject: string, data: unknown): EngineEvent {
    const number = this.lastEvent + 1
    const event: EngineEvent = { partition: this.partition, number, timeMs, type, subject, data }
    this.set(EVENT_LAST, number)
    if (number === 1) this.set(EVENT_FIRST, 1)
    this.packedEvent = pack(event)
    this.store.put(Outbox.eventKey(number), this.packedEvent)
    if (number - this.numbers[EVENT_FIRST]! >= EVENTS_KEPT) {
      this.store.delete(Outbox.eventKey(this.numbers[EVENT_FIRST]!))
      this.set(EVENT_FIRST, this.numbers[EVENT_FIRST]! + 1)
    }
    return event
  }

  /** Numbers that went before, of partitions whose place this one takes, are not given again. */
  continueEventsAfter(number: number): void {
    assert(this.numbers[EVENT_LAST] === 0, 'nothing was published yet')
    this.set(EVENT_LAST, number)
    this.set(EVENT_FIRST, number + 1)
  }

  get lastEvent(): number {
    return this.numbers[EVENT_LAST]!
  }

  /**
   * Events after a number, at most `limit`; `missed` where the oldest asked for are no longer kept, or where the number is
   * of a future that a restored backup does not know: then all that there are.
   */
  eventsAfter(after: number, limit: number): { events: EngineEvent[]; missed: boolean; last: number } {
    const first = this.numbers[EVENT_FIRST]!
    const last = this.lastEvent
    const isOfAnotherFuture = after > last
    const events: EngineEvent[] = []
    const from = isOfAnotherFuture ? first : Math.max(after + 1, first)
    for (let number = from; number <= last && events.length < limit; number++) {
      const bytes = number > 0 ? this.store.get(Outbox.eventKey(number)) : undefined
      if (bytes) events.push(unpack(bytes) as EngineEvent)
    }
    return { events, missed: isOfAnotherFuture || after + 1 < first, last }
  }
}
