/**
 * What is told to the intake stream about its messages. Acknowledgements that were on their way when a connection broke
 * are lost, so the latest are remembered: a message that comes again all the same is known, told again and not carried
 * out twice.
 */
import { type NatsConnection, nanos } from 'nats'
import { INTAKE_HELD_MAX } from '../limits.js'

const text = (words: string): Uint8Array => Buffer.from(words, 'latin1')
const ACK = text('+ACK')
const TERM = text('+TERM')
const IN_PROGRESS = text('+WPI')

/**
 * The parts of $JS.ACK.[domain.account.]stream.consumer.delivered.sequence.consumer sequence.time.pending[.random],
 * counted from the left (ADR-15 of NATS): either nine, or at least two more.
 */
const SHORT_PARTS = 9
const DELIVERED_PART = 4
const LONGER_BY = 2
const DOT = 46
const ZERO = 48

/** Four times what can be without an answer at NATS at once: all of these may come again. */
const REMEMBERED = 4 * INTAKE_HELD_MAX

export interface Delivery {
  /** In the stream. */
  sequence: number
  /** It was delivered before. */
  isAgain: boolean
}

/** Where each part begins, of the reply that was looked at last. */
const starts = new Uint16Array(64)

function numberAt(reply: string, part: number): number {
  let number = 0
  for (let i = starts[part]!; i < reply.length; i++) {
    const code = reply.charCodeAt(i)
    if (code === DOT) break
    number = number * 10 + (code - ZERO)
  }
  return number
}

export function deliveryOf(reply: string): Delivery {
  let parts = 1
  for (let i = 0; i < reply.length && parts < starts.length; i++) {
    if (reply.charCodeAt(i) === DOT) starts[parts++] = i + 1
  }
  const delivered = DELIVERED_PART + (parts === SHORT_PARTS ? 0 : LONGER_BY)
  return { sequence: numberAt(reply, delivered + 1), isAgain: numberAt(reply, delivered) !== 1 }
}

export class Acknowledgements {
  acknowledged = 0
  private connection: NatsConnection | undefined
  /** By the remainder of its sequence: which message was settled last, and whether it went to the dead letters. */
  private readonly settled = new Float64Array(REMEMBERED)
  private readonly dead = new Uint8Array(REMEMBERED)

  use(connection: NatsConnection): void {
    this.connection = connection
  }

  carriedOut(sequence: number, reply: string): void {
    this.acknowledged++
    this.final(sequence, reply, 0)
  }

  givenUp(sequence: number, reply: string): void {
    this.final(sequence, reply, 1)
  }

  /** Whether the message was settled before; then it is told again. */
  again(sequence: number, reply: string): boolean {
    const at = sequence % REMEMBERED
    if (this.settled[at] !== sequence) return false
    this.tell(reply, this.dead[at] === 1 ? TERM : ACK)
    return true
  }

  working(reply: string): void {
    this.tell(reply, IN_PROGRESS)
  }

  postpone(reply: string, waitMs: number): void {
    this.tell(reply, text(`-NAK {"delay":${nanos(Math.round(waitMs))}}`))
  }

  forget(): void {
    this.settled.fill(0)
  }

  private final(sequence: number, reply: string, dead: 0 | 1): void {
    const at = sequence % REMEMBERED
    this.settled[at] = sequence
    this.dead[at] = dead
    this.tell(reply, dead === 1 ? TERM : ACK)
  }

  /** Lost where NATS is away: then the message comes again. */
  private tell(reply: string, word: Uint8Array): void {
    const { connection } = this
    if (connection && !connection.isClosed()) connection.publish(reply, word)
  }
}
