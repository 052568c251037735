/** The msgpack side of the socket: intern, command, subscribe; references matched to callers, events to subscribers. */
import { Packr } from 'msgpackr'
import { ClientError } from './client-error.js'

/** Plain maps, as the protocol has them; what is undefined is left out, as in JSON. */
const PACKR_OPTIONS = {
  useRecords: false,
  variableMapSize: true,
  skipValues: [undefined],
  int64AsType: 'number' as const,
}

/** The answer to a command: the status and body that HTTP would have had. */
export interface CommandReply {
  readonly status: number
  readonly body: unknown
}

/** Indices in the order asked for; -1: unknown. They hold for the life of the data directory. */
export interface Interned {
  readonly skus: number[]
  readonly locations: number[]
}

export type OnEvent = (topic: string, event: unknown) => void

interface Subscription {
  readonly topics: readonly string[]
  readonly onEvent: OnEvent
}

interface ControlCall {
  readonly bytes: Uint8Array
  /** Sent again on a new connection; otherwise it fails when the connection is lost. */
  readonly repeatable: boolean
  readonly timer: NodeJS.Timeout
  /** False where the answer is not the kind that was asked for. */
  readonly answer: (message: Record<string, unknown>) => boolean
  readonly fail: (error: ClientError) => void
}

export class ControlCalls {
  private readonly packr = new Packr(PACKR_OPTIONS)
  private readonly calls = new Map<number, ControlCall>()
  private readonly subscriptions = new Set<Subscription>()
  private nextRef = 1

  constructor(
    private readonly callsMax: number,
    private readonly send: (bytes: Uint8Array) => void,
    private readonly onExpired: () => void,
  ) {}

  get unanswered(): number {
    return this.calls.size
  }

  command(name: string, body: unknown, repeatable: boolean, deadlineMs: number): Promise<CommandReply> {
    return this.call({ op: 'command', name, body }, repeatable, deadlineMs, (message) =>
      message.op === 'reply' && typeof message.status === 'number'
        ? { status: message.status, body: message.body }
        : undefined,
    )
  }

  intern(skus: readonly string[], locations: readonly string[], deadlineMs: number): Promise<Interned> {
    return this.call({ op: 'intern', skus, locations }, true, deadlineMs, (message) => {
      const answer = { skus: message.skus, locations: message.locations }
      const fits = isIndices(answer.skus, skus.length) && isIndices(answer.locations, locations.length)
      return fits ? (answer as Interned) : undefined // the line before has looked at both lists
    })
  }

  /** Events of these topics go to `onEvent` until the returned function is called; asked for again on each new connection. */
  subscribe(topics: readonly string[], onEvent: OnEvent): () => void {
    const subscription = { topics: [...topics], onEvent }
    this.subscriptions.add(subscription)
    this.send(this.packSubscription(subscription))
    return () => this.unsubscribe(subscription)
  }

  private unsubscribe(subscription: Subscription): void {
    if (!this.subscriptions.delete(subscription)) return
    const others = new Set([...this.subscriptions].flatMap((other) => other.topics))
    const topics = subscription.topics.filter((topic) => !others.has(topic))
    if (topics.length > 0) this.send(this.packr.pack({ op: 'unsubscribe', ref: this.nextRef++, topics }))
  }

  /** Takes a control message. False where it is not one that this protocol has. */
  receive(bytes: Uint8Array): boolean {
    let message: unknown
    try {
      message = this.packr.unpack(bytes)
    } catch {
      return false
    }
    if (!isMap(message) || typeof message.op !== 'string') return false
    if (message.op === 'event') return this.deliver(message.topic, message.event)
    const ref = message.ref
    const call = typeof ref === 'number' ? this.calls.get(ref) : undefined
    // An answer that came after its deadline, or a kind of message that a newer server sends, is no reason to stop.
    if (!call) return true
    return call.answer(message)
  }

  disconnected(): void {
    for (const call of [...this.calls.values()]) {
      if (call.repeatable) continue
      call.fail(new ClientError('connection_lost', 'the connection was lost; the command may have been done, or not'))
    }
  }

  reconnected(): void {
    for (const subscription of this.subscriptions) this.send(this.packSubscription(subscription))
    for (const call of this.calls.values()) this.send(call.bytes)
  }

  failAll(error: ClientError): void {
    for (const call of [...this.calls.values()]) call.fail(error)
    this.subscriptions.clear()
  }

  private call<T>(
    request: Record<string, unknown>,
    repeatable: boolean,
    deadlineMs: number,
    read: (message: Record<string, unknown>) => T | undefined,
  ): Promise<T> {
    if (this.calls.size >= this.callsMax) {
      throw new ClientError('overloaded', `${this.callsMax} commands are unanswered already; wait for some`)
    }
    const ref = this.nextRef++
    return new Promise<T>((resolve, reject) => {
      const end = () => {
        clearTimeout(call.timer)
        this.calls.delete(ref)
      }
      const fail = (error: ClientError) => {
        end()
        reject(error)
      }
      const call: ControlCall = {
        bytes: this.packr.pack({ ...request, ref }),
        repeatable,
        timer: setTimeout(() => {
          fail(new ClientError('deadline_exceeded', `no answer within ${deadlineMs} ms`))
          this.onExpired()
        }, deadlineMs),
        answer: (message) => {
          const answer = read(message)
          if (answer === undefined) return false
          end()
          resolve(answer)
          return true
        },
        fail,
      }
      this.calls.set(ref, call)
      this.send(call.bytes)
    })
  }

  private packSubscription(subscription: Subscription): Uint8Array {
    return this.packr.pack({ op: 'subscribe', ref: this.nextRef++, topics: subscription.topics })
  }

  private deliver(topic: unknown, event: unknown): boolean {
    if (typeof topic !== 'string') return false
    for (const { topics, onEvent } of this.subscriptions) {
      // Apart from the reading of the socket: what a subscriber throws is its own, and costs no one else a message.
      if (topics.some((pattern) => topicMatches(pattern, topic))) queueMicrotask(() => onEvent(topic, event))
    }
    return true
  }
}

/** `a.b` matches itself; `a.>` whatever begins with `a.`. */
function topicMatches(pattern: string, topic: string): boolean {
  if (!pattern.endsWith('>')) return pattern === topic
  return topic.startsWith(pattern.slice(0, -1)) && topic.length >= pattern.length
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isIndices(value: unknown, length: number): value is number[] {
  return Array.isArray(value) && value.length === length && value.every((index) => Number.isInteger(index))
}
