/**
 * What the engine asks of the rules that it runs. The engine gives them state (arenas, documents, timers) and commands in
 * the order of the log, each with the batch's time; they give back answers and effects. They have no clock, no
 * randomness and no I/O, so a replay of the log gives the same state and the same effects.
 */
import type { Digest } from './digest.js'
import type { Placement } from './placement.js'
import type { Outcome } from './protocol.js'
import type { Store } from './store.js'

/** One step's time and effects. Effects leave only once the batch is durable. */
export interface Step {
  /** Log time in milliseconds; never goes back. */
  readonly timeMs: number
  /** A number that no other command of this partition ever has. */
  readonly commandNumber: number
  /** Sends a message to a partition (itself included): kept until it is acknowledged, delivered in order, once. */
  send(partition: number, name: string, body: unknown): void
  /** Whether a command that sends so many messages may begin; if not, it is refused as `overloaded`. */
  hasRoom(messages: number): boolean
  /** Publishes something that happened. */
  publish(type: string, subject: string, data: unknown): void
  /** Answers a command that was left open (see `LATER`) by its number; nobody may be waiting any more. */
  answer(commandNumber: number, outcome: Outcome): void
}

/** The outcome of a command that is answered later by `step.answer`. */
export const LATER: Outcome = { status: 0, body: null }

export interface Actors {
  /**
   * `count` packed records of `operation` in `words` from word `at`: writes a reply record of two words for each from
   * `replyAt` in `reply`. The gateway has checked operation and count.
   */
  frame(
    step: Step,
    operation: number,
    count: number,
    words: Uint32Array,
    at: number,
    reply: Uint32Array,
    replyAt: number,
  ): void
  command(step: Step, name: string, body: unknown): Outcome
  message(step: Step, from: number, name: string, body: unknown): void
  query(timeMs: number, name: string, body: unknown): Outcome
  /** Whether `advance` would do something at this time. */
  isDue(timeMs: number): boolean
  /** Runs timers that are due, at most `max` of them. */
  advance(step: Step, max: number): void
  timersRunning(): number
  /** Touches memory that is needed next, a few system pages at a time; false where there is nothing left to do. */
  warm(pages: number): boolean
  /** After the arenas were loaded: rebuilds what is derived from them. */
  rebuild(): void
  /** Adds every entity to the digest, in any order, so that the same state gives the same digest however it came about. */
  digest(digest: Digest): void
  /** What must hold and does not, in sentences; empty where all is well. */
  check(): string[]
}

export interface ActorsContext {
  store: Store
  placement: Placement
  partition: number
  /** Drawn anew by each process, for hashes whose layout must not be guessed; never decides an answer. */
  seed: Uint32Array
  /** How many new records to have memory ready for; never decides an answer. */
  warmRecords: number
}

/** What an actors' module exports as `createActors`; partition threads load it by its address. */
export type CreateActors = (context: ActorsContext) => Actors
