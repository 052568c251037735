/**
 * doorbuster.v1.intake.<name>: commands that are sent once and carried out whatever crashes in between. A message is
 * acknowledged when its command is durable here; what comes again is known by its sequence, its command's id or its
 * Nats-Msg-Id, and changes nothing. Commands that concern the same thing keep their order, also where one has to be tried
 * again. The stream keeps what has no room here.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Msg, NatsConnection } from 'nats'
import type { Logger } from 'pino'
import type { Outcome } from '../../engine/protocol.js'
import type { Directory } from '../directory.js'
import type { Dispatch } from '../dispatch.js'
import { INTAKE_RETRY_MS, INTAKE_RETRY_MS_MAX } from '../limits.js'
import type { Metrics } from '../metrics.js'
import { IDEMPOTENCY_KEY_BYTES_MAX, type IdempotentRuns } from '../operations/idempotent-runs.js'
import type { NamedOperations } from '../operations/named-operations.js'
import type { Operation } from '../operations/operation.js'
import type { People } from '../personal-data/people.js'
import { type Acknowledgements, deliveryOf } from './acknowledgements.js'
import { faultOf } from './connection.js'
import { keepDead } from './dead-letters.js'
import { IntakeLanes, type LaneOwner } from './intake-lanes.js'
import { KeyOrder } from './intake-order.js'
import { IntakePull } from './intake-pull.js'
import { type CommandStep, ReservationStep, StepReader } from './intake-step.js'
import { IntakeWindow } from './intake-window.js'
import { headerOf } from './message-body.js'
import { Header } from './subjects.js'

type AnyStep = CommandStep | ReservationStep

/** Far beyond the wait after which NATS sends again whatever is not acknowledged. */
const LOST_AFTER_MS = 120_000
const SWEEP_MS = 30_000

const isBare = (operation: Operation): boolean =>
  operation.http?.method === 'PUT' || operation.http?.method === 'PATCH' || operation.http === undefined

export interface IntakeOptions {
  operations: NamedOperations
  once: IdempotentRuns
  dispatch: Dispatch
  directory: Directory
  people: Pick<People, 'vault'>
  metrics: Metrics
  acknowledgements: Acknowledgements
  logger: Logger
  /** The stream or its consumer has gone: it is to be made again. */
  gone: (reason: string) => void
}

export class Intake {
  dead = 0
  redelivered = 0
  private givenBack = 0
  private readonly steps = new Map<number, AnyStep>()
  private readonly order = new KeyOrder<AnyStep>()
  private readonly window: IntakeWindow
  private readonly lanes: IntakeLanes<ReservationStep>
  private readonly reader: StepReader
  /** Steps that are carried out one by one. */
  private running = 0
  private pull: IntakePull | undefined
  private connection: NatsConnection | undefined
  /** Names the stream: sequences of one that was made anew begin again. */
  private streamName = ''
  private stopping = false
  private readonly sweep: NodeJS.Timeout

  constructor(private readonly options: IntakeOptions) {
    const { dispatch, directory, people, metrics } = options
    this.window = new IntakeWindow(dispatch.links.partitions, () => this.pull?.ask())
    const owner: LaneOwner<ReservationStep> = {
      held: (step) => this.carriedOut(step),
      refused: (step, outcome) => void this.settle(step, outcome),
      told: () => this.pull?.ask(),
    }
    this.lanes = new IntakeLanes({ dispatch, directory, people, metrics, owner })
    this.reader = new StepReader(options.operations, directory, this.window.unplaced)
    this.sweep = setInterval(() => this.forgetLost(), SWEEP_MS)
    this.sweep.unref()
  }

  get inFlight(): number {
    return this.steps.size
  }

  get postponed(): number {
    return this.givenBack + this.lanes.postponed
  }

  /** Takes no more by the connection that it had, until it begins again. */
  pause(): void {
    this.pull?.stop()
    this.pull = undefined
  }

  /** Takes messages from here on, by this connection. `created`: when the stream was made. */
  begin(connection: NatsConnection, created: string): void {
    if (this.stopping) return
    this.pause()
    this.connection = connection
    if (this.streamName !== '' && this.streamName !== created) this.forgetStream()
    this.streamName = created
    this.options.acknowledgements.use(connection)
    this.pull = new IntakePull({
      connection,
      room: () => this.window.room,
      take: (message) => this.take(message),
      gone: this.options.gone,
    })
  }

  private take(message: Msg): void {
    const { reply } = message
    if (!reply) return
    const { acknowledgements } = this.options
    const { sequence, isAgain } = deliveryOf(reply)
    if (isAgain) this.redelivered++
    if (acknowledgements.again(sequence, reply)) return
    const known = this.steps.get(sequence)
    if (known) {
      known.message = message
      if (known.state === 'postponed') this.run(known)
      // It is still being worked on: NATS need not send it again so soon.
      else acknowledgements.working(reply)
      return
    }
    const step = this.reader.read(sequence, message)
    this.steps.set(sequence, step)
    this.window.enter(step.share, message.data.length)
    if (this.order.enter(step)) this.run(step)
  }

  private run(step: AnyStep): void {
    if (this.stopping) return
    step.state = 'running'
    if (step instanceof ReservationStep) this.lanes.add(step)
    else void this.runOne(step)
  }

  private async runOne(step: CommandStep): Promise<void> {
    if (this.stopping) return
    this.running++
    try {
      await this.settle(step, await this.carryOut(step))
    } catch (error) {
      this.tryAgain(step, error)
    } finally {
      this.running--
    }
  }

  private tryAgain(step: AnyStep, error: unknown): void {
    this.options.logger.warn({ reason: faultOf(error) }, 'a message of the intake is tried again')
    if (step.isStale) this.end(step)
    else this.postpone(step)
  }

  private carryOut(step: CommandStep): Promise<Outcome> {
    const { command, message } = step
    if ('refused' in command) return Promise.resolve(command.refused)
    const { operation, body } = command
    const { operations, once } = this.options
    const id = headerOf(message.headers, Header.messageId)
    if (id === undefined) return operations.run(operation, body, `intake:${this.streamName}:${step.sequence}`)
    const key = Buffer.byteLength(id) <= IDEMPOTENCY_KEY_BYTES_MAX ? id : digest(id)
    if (!isBare(operation)) return operations.run(operation, body, key)
    // What sets something and has no id would, repeated late, undo what came after it: it is remembered whole.
    const fingerprint = digest(`${operation.name} ${digest(message.data)}`)
    return once
      .run(`intake:${digest(id)}`, fingerprint, (subject) => operations.run(operation, body, key, subject))
      .then(({ outcome }) => outcome)
  }

  /** Never rejects. */
  private async settle(step: AnyStep, outcome: Outcome): Promise<void> {
    if (step.isStale || outcome.status < 400) {
      this.carriedOut(step)
      this.pull?.ask()
      return
    }
    if (outcome.status >= 500) {
      this.postpone(step)
      return
    }
    this.running++
    try {
      if (!this.connection) throw new Error('no connection')
      await keepDead(this.connection, step.message, step.sequence, `${this.streamName}-${step.sequence}`, outcome)
      if (!step.isStale) {
        this.dead++
        this.options.acknowledgements.givenUp(step.sequence, step.message.reply!)
      }
      this.end(step)
      this.pull?.ask()
    } catch (error) {
      this.tryAgain(step, error)
    } finally {
      this.running--
    }
  }

  private carriedOut(step: AnyStep): void {
    if (!step.isStale) this.options.acknowledgements.carriedOut(step.sequence, step.message.reply!)
    this.end(step)
  }

  private end(step: AnyStep): void {
    if (!step.isStale) this.steps.delete(step.sequence)
    this.window.leave(step.share, step.message.data.length)
    for (const next of this.order.leave(step)) this.run(next)
  }

  /** Gives the message back for a while; those that concern the same wait here for it. */
  private postpone(step: AnyStep): void {
    const waitMs = Math.min(INTAKE_RETRY_MS_MAX, INTAKE_RETRY_MS * 2 ** step.tries++) * (0.75 + Math.random() / 2)
    step.state = 'postponed'
    step.lostAtMs = performance.now() + waitMs + LOST_AFTER_MS
    this.givenBack++
    this.order.holdBack(step)
    this.options.acknowledgements.postpone(step.message.reply!, waitMs)
  }

  private forgetLost(): void {
    const now = performance.now()
    for (const step of this.steps.values()) {
      if (step.state !== 'postponed' || step.lostAtMs > now) continue
      this.options.logger.warn({ sequence: step.sequence }, 'a message of the intake did not come again')
      this.end(step)
    }
  }

  /** The stream was made anew: what is in flight is carried out all the same, once more where it was to come again. */
  private forgetStream(): void {
    this.options.acknowledgements.forget()
    const steps = [...this.steps.values()]
    this.steps.clear()
    for (const step of steps) step.isStale = true
    for (const step of steps) if (step.state === 'postponed') this.run(step)
  }

  /** Takes nothing more and waits for what is being carried out; what waits is left to the stream. */
  async stop(patienceMs: number): Promise<void> {
    this.stopping = true
    clearInterval(this.sweep)
    this.window.stop()
    this.lanes.stop()
    this.pull?.stop()
    const until = performance.now() + patienceMs
    while (this.running + this.lanes.underWay > 0 && performance.now() < until) await sleep(5)
  }
}

const digest = (of: string | Uint8Array): string => createHash('sha256').update(of).digest('base64url')
