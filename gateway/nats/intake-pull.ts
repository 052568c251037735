/**
 * Asks the intake stream for as many messages as there is room for. The client's own consumer asks for more as soon as
 * messages have arrived, whether there is room or not; this one asks once there is room, in messages and in bytes.
 */
import { createInbox, type Msg, type NatsConnection, nanos, type Subscription } from 'nats'
import { INTAKE_PULL_BYTES_MAX, INTAKE_PULL_MAX } from '../limits.js'
import { INTAKE_CONSUMER, INTAKE_STREAM } from './subjects.js'

const EXPIRES_MS = 20_000
const HEARTBEAT_MS = 2_000
/** So long without a message or a heartbeat, and what was asked for is no longer on its way. */
const SILENCE_MS = 3 * HEARTBEAT_MS
/** A pull for a handful of messages costs as much as one for thousands. */
const ASKED_LEAST = 128
const HEARTBEAT_CODE = 100

export interface PullOptions {
  connection: NatsConnection
  /** Messages that there is room for, those on their way included. */
  room: () => number
  take: (message: Msg) => void
  /** The stream or its consumer is not there (any more). */
  gone: (reason: string) => void
}

export class IntakePull {
  private readonly inbox = createInbox()
  private readonly subscription: Subscription
  private readonly timer: NodeJS.Timeout
  private onTheWay = 0
  private heardMs = performance.now()
  private stopped = false

  constructor(private readonly options: PullOptions) {
    this.subscription = options.connection.subscribe(this.inbox, {
      callback: (error, message) => {
        if (error) options.gone(error.code)
        else this.heard(message)
      },
    })
    this.timer = setInterval(() => this.watch(), HEARTBEAT_MS)
    this.timer.unref()
    this.ask()
  }

  /** Called where room was made. One request may wait behind another, so that NATS always has one to fill. */
  ask(): void {
    if (this.stopped || this.onTheWay >= INTAKE_PULL_MAX) return
    const batch = Math.min(INTAKE_PULL_MAX, this.options.room() - this.onTheWay)
    if (batch < ASKED_LEAST) return
    const { connection } = this.options
    this.onTheWay += batch
    const wish = {
      batch,
      max_bytes: Math.max(INTAKE_PULL_BYTES_MAX, 2 * (connection.info?.max_payload ?? 0)),
      expires: nanos(EXPIRES_MS),
      idle_heartbeat: nanos(HEARTBEAT_MS),
    }
    connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${INTAKE_STREAM}.${INTAKE_CONSUMER}`, JSON.stringify(wish), {
      reply: this.inbox,
    })
  }

  private heard(message: Msg): void {
    if (this.stopped) return
    this.heardMs = performance.now()
    // What is not the stream's says how a request ended; it comes under the request's own subject.
    if (message.subject === this.inbox) this.status(message)
    else {
      if (this.onTheWay > 0) this.onTheWay--
      this.options.take(message)
    }
    this.ask()
  }

  private status({ headers }: Msg): void {
    const code = headers?.code ?? 0
    if (code === HEARTBEAT_CODE) return
    const left = Number(headers?.get('Nats-Pending-Messages') ?? '')
    this.onTheWay = left > 0 ? Math.max(0, this.onTheWay - left) : 0
    const words = (headers?.description ?? '').toLowerCase()
    if (code === 503 || /consumer deleted|no responders|consumer not found/.test(words)) {
      this.options.gone(`${code} ${words}`)
    }
  }

  private watch(): void {
    if (this.onTheWay > 0 && performance.now() - this.heardMs > SILENCE_MS) this.onTheWay = 0
    this.ask()
  }

  stop(): void {
    if (this.stopped) return
    this.stopped = true
    clearInterval(this.timer)
    if (!this.options.connection.isClosed()) this.subscription.unsubscribe()
  }
}
