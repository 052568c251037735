/**
 * The partition's side of the mailbox to its gateway: answers are written where the gateway will read them, and shown to
 * it once for a whole batch.
 */
import { pack } from 'msgpackr'
import type { Doorbell } from './doorbell.js'
import { BATCH_ENTRIES_MAX } from './limits.js'
import type { MailboxWriter } from './mailbox.js'
import { type EngineEvent, Outbound, type Outcome } from './protocol.js'
import type { Answers } from './state.js'

/** A gateway that lags is waited for in short sleeps: it never waits for a partition, so it always reads on. */
const WAIT_MS = 1
const waiting = new Int32Array(new SharedArrayBuffer(4))
const text = new TextEncoder()

export class ReplyWriter implements Answers {
  readonly words: Uint32Array
  private readonly doubles: Float64Array
  private readonly tickets = new Uint32Array(BATCH_ENTRIES_MAX)
  private readonly later_ = new Map<number, number>()
  private frameAt = 0
  private inFrame = false
  /** Events of the frame that is being answered: the room for its answer is taken already, so they go behind it. */
  private readonly frameEvents: Uint8Array[] = []
  private dirty = false

  constructor(
    private readonly mailbox: MailboxWriter,
    private readonly bell: Doorbell,
    private readonly partition: number,
  ) {
    this.words = mailbox.words
    this.doubles = new Float64Array(mailbox.bytes.buffer, mailbox.bytes.byteOffset, mailbox.bytes.byteLength >>> 3)
  }

  /** Whom the entry of the batch is to answer; 0: nobody. */
  setTicket(entry: number, ticket: number): void {
    this.tickets[entry] = ticket
  }

  private room(bytes: number): number {
    for (;;) {
      const at = this.mailbox.reserve(bytes)
      if (at >= 0) return at
      this.flush()
      Atomics.wait(waiting, 0, 0, WAIT_MS)
    }
  }

  beginFrame(_entry: number, count: number): number {
    this.frameAt = this.room(8 + 8 * count)
    this.inFrame = true
    return (this.frameAt + 8) >>> 2
  }

  endFrame(entry: number, count: number, timeMs: number): void {
    this.doubles[this.frameAt >>> 3] = timeMs
    this.mailbox.commit(Outbound.frameReply, this.tickets[entry]!, count, 8 + 8 * count)
    this.dirty = true
    this.inFrame = false
    for (const packed of this.frameEvents) this.put(Outbound.event, this.partition, packed)
    this.frameEvents.length = 0
  }

  outcome(entry: number, outcome: Outcome): void {
    if (this.tickets[entry] !== 0) this.reply(this.tickets[entry]!, outcome)
  }

  later(entry: number, commandNumber: number): void {
    if (this.tickets[entry] !== 0) this.later_.set(commandNumber, this.tickets[entry]!)
  }

  answer(commandNumber: number, outcome: Outcome): void {
    const ticket = this.later_.get(commandNumber)
    if (ticket === undefined) return
    this.later_.delete(commandNumber)
    this.reply(ticket, outcome)
  }

  event(_event: EngineEvent, packed: Uint8Array): void {
    if (this.inFrame) this.frameEvents.push(packed)
    else this.put(Outbound.event, this.partition, packed)
  }

  reply(ticket: number, outcome: Outcome): void {
    let bytes = pack(outcome)
    if (bytes.length > this.mailbox.payloadMax) {
      bytes = pack({
        status: 500,
        body: { code: 'too_large', detail: 'The answer is too large; ask for a smaller page.' },
      })
    }
    this.put(Outbound.reply, ticket, bytes)
  }

  /** Nothing of what the ticket asked is done. */
  refuse(ticket: number, reason: string): void {
    if (ticket !== 0) this.put(Outbound.refused, ticket, text.encode(reason))
  }

  /** Nothing of the batch was applied: says so to everybody in it. */
  refuseAll(entries: number, reason: string): void {
    const bytes = text.encode(reason)
    for (let entry = 0; entry < entries; entry++) {
      if (this.tickets[entry] !== 0) this.put(Outbound.refused, this.tickets[entry]!, bytes)
    }
  }

  private put(kind: number, ticket: number, bytes: Uint8Array): void {
    const at = this.room(bytes.length)
    this.mailbox.bytes.set(bytes, at)
    this.mailbox.commit(kind, ticket, 0, bytes.length)
    this.dirty = true
  }

  /** Shows the gateway what was written. */
  flush(): void {
    if (!this.dirty) return
    this.dirty = false
    this.mailbox.publish()
    this.bell.ring()
  }
}
