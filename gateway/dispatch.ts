/**
 * Dispatch: gives each request a ticket, sends it to its partition, and finds who is to be answered when the answer
 * comes. Bounded: who gets no ticket, or whose partition's mailbox is full, is told `overloaded` at once.
 */
import { type AnswerListener, type PartitionLinks, packRequest } from '../engine/partition-links.js'
import type { EngineEvent, Outcome } from '../engine/protocol.js'
import { EventFeed } from './event-feed.js'
import { TICKETS_MAX } from './limits.js'
import { overloaded, tooLarge } from './problems.js'

/** Who waits for an answer to packed records. `words` are valid only during the call. */
export interface FrameWaiter {
  frameReply(count: number, timeMs: number, words: Uint32Array, at: number): void
  /** Nothing was done: the log cannot be written. */
  refused(reason: string): void
}

type Waiter = FrameWaiter | ((outcome: Outcome) => void)

export class Dispatch implements AnswerListener {
  /** By ticket; ticket 0 is nobody. */
  private readonly waiters: (Waiter | undefined)[] = [undefined]
  private readonly free: number[] = []
  private readonly listeners = new Set<(event: EngineEvent) => void>()
  private lastRefusal = ''
  /** What was published, for all who read it. */
  readonly events: EventFeed
  overloads = 0

  constructor(readonly links: PartitionLinks) {
    this.events = new EventFeed(links.partitions, (partition, name, body) => this.query(partition, name, body))
    links.listen(this)
  }

  /** Why a partition's log cannot be written; undefined where all can. */
  get logFault(): string | undefined {
    for (let partition = 0; partition < this.links.partitions; partition++) {
      if (this.links.stats(partition).logRefuses === 1) return this.lastRefusal
    }
    return undefined
  }

  get inFlight(): number {
    return this.waiters.length - 1 - this.free.length
  }

  private open(waiter: Waiter): number {
    const ticket = this.free.pop() ?? this.waiters.length
    if (ticket > TICKETS_MAX) return 0
    this.waiters[ticket] = waiter
    return ticket
  }

  private close(ticket: number): Waiter | undefined {
    const waiter = this.waiters[ticket]
    this.waiters[ticket] = undefined
    this.free.push(ticket)
    return waiter
  }

  /** Logs a command and resolves with its outcome, once it is durable. */
  command(partition: number, name: string, body: unknown): Promise<Outcome> {
    const packed = packRequest(name, body)
    if (packed.length > this.links.requestBytesMax) return Promise.resolve(tooLarge())
    return this.ask((ticket) => this.links.sendCommand(partition, ticket, packed))
  }

  /** Reads from a partition's state; the answer has seen all that was answered before. */
  query(partition: number, name: string, body: unknown): Promise<Outcome> {
    return this.ask((ticket) => this.links.sendQuery(partition, ticket, packRequest(name, body)))
  }

  /** The same query to all partitions; the outcomes in their order. */
  queryAll(name: string, body: unknown): Promise<Outcome[]> {
    return Promise.all(
      Array.from({ length: this.links.partitions }, (_, partition) => this.query(partition, name, body)),
    )
  }

  ask(send: (ticket: number) => boolean): Promise<Outcome> {
    return new Promise((resolve) => {
      const ticket = this.open(resolve)
      if (ticket !== 0 && send(ticket)) return
      if (ticket !== 0) this.close(ticket)
      this.overloads++
      resolve(overloaded())
    })
  }

  /**
   * Room for `bytes` of packed records in a partition's mailbox, at an offset in `links.bytesOf(partition)`; -1 where it is
   * full. Write them and call `sendFrame`.
   */
  reserveFrame(partition: number, bytes: number): number {
    if (this.free.length === 0 && this.waiters.length > TICKETS_MAX) return -1
    return this.links.reserveFrame(partition, bytes)
  }

  sendFrame(partition: number, operation: number, count: number, bytes: number, waiter: FrameWaiter): void {
    this.links.sendFrame(partition, this.open(waiter), operation, count, bytes)
  }

  onEvent(listener: (event: EngineEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  frameReply(ticket: number, count: number, timeMs: number, words: Uint32Array, at: number): void {
    ;(this.close(ticket) as FrameWaiter).frameReply(count, timeMs, words, at)
  }

  reply(ticket: number, outcome: Outcome): void {
    ;(this.close(ticket) as (outcome: Outcome) => void)(outcome)
  }

  refused(ticket: number, reason: string): void {
    this.lastRefusal = reason
    const waiter = this.close(ticket)
    if (typeof waiter === 'function') waiter(overloaded(reason))
    else waiter?.refused(reason)
  }

  event(event: EngineEvent, bytes: number): void {
    this.events.add(event, bytes)
    for (const listener of this.listeners) listener(event)
  }
}
