/**
 * The smallest actors that use all that the engine offers, for tests of the engine: tallies in an arena, notes as
 * documents, alarms as timers, messages, events and late answers.
 */
import { pack, unpack } from 'msgpackr'
import { type Actors, type ActorsContext, LATER, type Step } from './actors.js'
import type { Arena } from './arena.js'
import type { Digest } from './digest.js'
import type { Outcome } from './protocol.js'
import { TimerWheel } from './timers.js'

export const TALLIES = 4_096
const WORDS = 8
const DUE = 1

export class TallyActors implements Actors {
  /** record: 0 tally · 1 (double) due, milliseconds · 4-5 timer. */
  readonly arena: Arena
  readonly timers: TimerWheel
  readonly heard: { from: number; text: string }[] = []

  constructor(readonly context: ActorsContext) {
    this.arena = context.store.arena(1, 'tallies', WORDS * 4, TALLIES)
    const dueMs = (record: number): number => this.arena.doubles[record * (WORDS / 2) + DUE]!
    this.timers = new TimerWheel(2, 'alarms', { arena: this.arena, stride: WORDS, next: 4, previous: 5, dueMs })
    context.store.register(this.timers.heads)
  }

  tally(slot: number): number {
    return this.arena.words[slot * WORDS]!
  }

  private add(slot: number, by: number): number {
    this.arena.touch(slot)
    this.arena.words[slot * WORDS]! += by
    return this.tally(slot)
  }

  /** Operation 1: each word is a slot that is counted up; answered with the slot and its tally. */
  frame(
    _step: Step,
    _operation: number,
    count: number,
    words: Uint32Array,
    at: number,
    reply: Uint32Array,
    replyAt: number,
  ): void {
    for (let i = 0; i < count; i++) {
      const slot = words[at + i]!
      reply[replyAt + i * 2] = slot
      reply[replyAt + i * 2 + 1] = this.add(slot, 1)
    }
  }

  command(step: Step, name: string, body: unknown): Outcome {
    const { slot = 0, by = 0, key = '', text = '', to = 0, number = 0, dueMs = 0 } = body as Record<string, never>
    switch (name) {
      case 'add':
        return { status: 200, body: this.add(slot, by) }
      case 'note':
        this.context.store.put(`note/${key}`, pack(text))
        return { status: 200, body: null }
      case 'erase':
        this.context.store.delete(`note/${key}`)
        return { status: 200, body: null }
      case 'alarm':
        this.arena.touch(slot)
        this.arena.doubles[slot * (WORDS / 2) + DUE] = dueMs
        this.timers.start(slot, step.timeMs)
        return { status: 200, body: null }
      case 'tell':
        step.send(to, 'told', { text })
        return { status: 200, body: null }
      case 'publish':
        step.publish('tally.said', 'tally', { text })
        return { status: 200, body: null }
      case 'wait':
        return LATER
      case 'answer':
        step.answer(number, { status: 200, body: text })
        return { status: 200, body: null }
      default:
        return { status: 404, body: { code: 'unknown_command', detail: name } }
    }
  }

  message(_step: Step, from: number, name: string, body: unknown): void {
    if (name !== 'told') throw new Error(`nobody takes the message ${name}`)
    const { text } = body as { text: string }
    this.heard.push({ from, text })
    // As much of it as tells one from another.
    const heard = this.note(`heard/${from}`)
    this.context.store.put(`note/heard/${from}`, pack(`${heard ?? ''}${text.slice(0, 8)};`))
  }

  note(key: string): string | undefined {
    const bytes = this.context.store.get(`note/${key}`)
    return bytes === undefined ? undefined : (unpack(bytes) as string)
  }

  query(timeMs: number, name: string, body: unknown): Outcome {
    return { status: 200, body: { timeMs, name, body } }
  }

  isDue(timeMs: number): boolean {
    return this.timers.isDue(timeMs)
  }

  /** An alarm adds a thousand to its tally. */
  advance(step: Step, max: number): void {
    this.timers.advance(step.timeMs, max, (slot) => this.add(slot, 1_000))
  }

  timersRunning(): number {
    return this.timers.running
  }

  warm(): boolean {
    return false
  }

  rebuild(): void {}

  digest(digest: Digest): void {
    for (let slot = 0; slot < TALLIES; slot++) {
      if (this.tally(slot) !== 0) digest.addWords(1, [slot, this.tally(slot)], 0, 2)
    }
    for (const [key, value] of this.context.store.documents()) {
      if (key.startsWith('note/')) digest.addDocument(key, value)
    }
  }

  check(): string[] {
    return []
  }
}

export const createActors = (context: ActorsContext): Actors => new TallyActors(context)
