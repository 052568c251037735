/**
 * What is told to the intake stream about its messages. Acknowledgements that were on their way when a connection broke
 * are lost, so the latest are remembered: they are told again when NATS is back, and a message that comes again all the
 * same is known and not carried out twice.
 */
import { type NatsConnection, nanos } from 'nats'
import { INTAKE_IN_FLIGHT_MAX } from '../limits.js'

const text = (words: string): Uint8Array => Buffer.from(words, 'latin1')
const ACK = text('+ACK')
const TERM = text('+TERM')
const IN_PROGRESS = text('+WPI')

/**
 * The parts of $JS.ACK.[domain.account.]stream.consumer.delivered.sequence.consumer sequence.time.pending[.random],
 * counted from the left (ADR-15 of NATS).
 */
const SHORT_PARTS = 9

export interface Delivery {
  /** In the stream. */
  sequence: number
  /** It was delivered before. */
  isAgain: boolean
}

export function deliveryOf(reply: string): Delivery {
  const parts = reply.split('.')
  const delivered = parts.length === SHORT_PARTS ? 4 : 6
  return { sequence: Number(parts[delivered + 1]), isAgain: parts[delivered] !== '1' }
}

export class Acknowledgements {
  acknowledged = 0
  private connection: NatsConnection | undefined
  /** By sequence, what was told and to whom: two generations, of which the older is dropped whole. */
  private latest = new Map<number, { reply: string; word: Uint8Array }>()
  private earlier = new Map<number, { reply: string; word: Uint8Array }>()

  /** A connection that is new, or back after a gap. */
  use(connection: NatsConnection): void {
    this.connection = connection
    for (const generation of [this.earlier, this.latest]) {
      for (const { reply, word } of generation.values()) this.tell(reply, word)
    }
  }

  done(sequence: number, reply: string): void {
    this.acknowledged++
    this.final(sequence, reply, ACK)
  }

  dead(sequence: number, reply: string): void {
    this.final(sequence, reply, TERM)
  }

  /** Whether the message was settled before; then it is told again. */
  again(sequence: number, reply: string): boolean {
    const known = this.latest.get(sequence) ?? this.earlier.get(sequence)
    if (!known) return false
    this.tell(reply, known.word)
    return true
  }

  working(reply: string): void {
    this.tell(reply, IN_PROGRESS)
  }

  postpone(reply: string, waitMs: number): void {
    this.tell(reply, text(`-NAK {"delay":${nanos(Math.round(waitMs))}}`))
  }

  forget(): void {
    this.latest.clear()
    this.earlier.clear()
  }

  private final(sequence: number, reply: string, word: Uint8Array): void {
    if (this.latest.size >= INTAKE_IN_FLIGHT_MAX) {
      this.earlier = this.latest
      this.latest = new Map()
    }
    this.latest.set(sequence, { reply, word })
    this.tell(reply, word)
  }

  /** Lost where NATS is away: then it is told again, or the message comes again. */
  private tell(reply: string, word: Uint8Array): void {
    const { connection } = this
    if (connection && !connection.isClosed()) connection.publish(reply, word)
  }
}
