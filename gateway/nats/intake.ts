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
import { INTAKE_BYTES_MAX, INTAKE_IN_FLIGHT_MAX, INTAKE_RETRY_MS, INTAKE_RETRY_MS_MAX } from '../limits.js'
import { IDEMPOTENCY_KEY_BYTES_MAX, type IdempotentRuns } from '../operations/idempotent-runs.js'
import { type NamedOperations, unknownCommand } from '../operations/named-operations.js'
import type { Operation } from '../operations/operation.js'
import { type Acknowledgements, deliveryOf } from './acknowledgements.js'
import { faultOf } from './connection.js'
import { keepDead } from './dead-letters.js'
import { KeyOrder, keysOf, Step, type StepKeys } from './intake-order.js'
import { IntakePull } from './intake-pull.js'
import { decodeBody, headerOf } from './message-body.js'
import { Header, INTAKE, nameIn } from './subjects.js'

/** A message in flight. */
class IntakeStep extends Step {
  state: 'waiting' | 'running' | 'postponed' = 'waiting'
  tries = 0
  /** From when on it may be given up that a postponed message comes again: somebody has removed it. */
  lostAtMs = Number.POSITIVE_INFINITY
  /** Of a stream that was made anew since: what is told of it now would be about another message. */
  isStale = false

  constructor(
    keys: StepKeys,
    readonly sequence: number,
    public message: Msg,
    readonly command: { operation: Operation; body: unknown } | { refused: Outcome },
  ) {
    super(keys)
  }
}

/** Far beyond the wait after which NATS sends again whatever is not acknowledged. */
const LOST_AFTER_MS = 120_000
const SWEEP_MS = 30_000

const isBare = (operation: Operation): boolean =>
  operation.http?.method === 'PUT' || operation.http?.method === 'PATCH' || operation.http === undefined

export interface IntakeOptions {
  operations: NamedOperations
  once: IdempotentRuns
  acknowledgements: Acknowledgements
  logger: Logger
  /** The stream or its consumer has gone: it is to be made again. */
  gone: (reason: string) => void
}

export class Intake {
  dead = 0
  redelivered = 0
  postponed = 0
  private readonly steps = new Map<number, IntakeStep>()
  private readonly order = new KeyOrder<IntakeStep>()
  private bytes = 0
  private running = 0
  private pull: IntakePull | undefined
  private connection: NatsConnection | undefined
  /** Names the stream: sequences of one that was made anew begin again. */
  private streamName = ''
  private stopping = false
  private readonly sweep: NodeJS.Timeout

  constructor(private readonly options: IntakeOptions) {
    this.sweep = setInterval(() => this.forgetLost(), SWEEP_MS)
    this.sweep.unref()
  }

  get inFlight(): number {
    return this.steps.size
  }

  /** Takes messages from here on, by this connection. `created`: when the stream was made. */
  begin(connection: NatsConnection, created: string): void {
    if (this.stopping) return
    this.pull?.stop()
    this.connection = connection
    if (this.streamName !== '' && this.streamName !== created) this.forgetStream()
    this.streamName = created
    this.options.acknowledgements.use(connection)
    this.pull = new IntakePull({
      connection,
      room: () => (this.bytes >= INTAKE_BYTES_MAX ? 0 : INTAKE_IN_FLIGHT_MAX - this.steps.size),
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
      if (known.state === 'postponed') void this.run(known)
      // It is still being worked on: NATS need not send it again so soon.
      else acknowledgements.working(reply)
      return
    }
    const step = this.stepOf(sequence, message)
    this.steps.set(sequence, step)
    this.bytes += message.data.length
    if (this.order.enter(step)) void this.run(step)
  }

  private stepOf(sequence: number, message: Msg): IntakeStep {
    const name = nameIn(message.subject, INTAKE)
    const decoded = decodeBody(message.data, message.headers)
    const operation = this.options.operations.find(name)
    if ('fault' in decoded || !operation) {
      const refused = 'fault' in decoded ? decoded.fault : unknownCommand(name)
      return new IntakeStep({ alone: [], shared: [] }, sequence, message, { refused })
    }
    const { body } = decoded
    return new IntakeStep(keysOf(name, body), sequence, message, { operation, body })
  }

  private async run(step: IntakeStep): Promise<void> {
    if (this.stopping) return
    step.state = 'running'
    step.tries++
    this.running++
    try {
      await this.settle(step, await this.carryOut(step))
    } catch (error) {
      this.options.logger.warn({ reason: faultOf(error) }, 'a message of the intake is tried again')
      if (step.isStale) this.end(step)
      else this.postpone(step)
    } finally {
      this.running--
    }
  }

  private carryOut(step: IntakeStep): Promise<Outcome> {
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

  private async settle(step: IntakeStep, outcome: Outcome): Promise<void> {
    if (outcome.status >= 500 && !step.isStale) {
      this.postpone(step)
      return
    }
    const { acknowledgements } = this.options
    if (step.isStale) {
      this.end(step)
      return
    }
    if (outcome.status < 400) {
      acknowledgements.done(step.sequence, step.message.reply!)
      this.end(step)
      return
    }
    if (!this.connection) throw new Error('no connection')
    await keepDead(this.connection, step.message, step.sequence, `${this.streamName}-${step.sequence}`, outcome)
    this.dead++
    acknowledgements.dead(step.sequence, step.message.reply!)
    this.end(step)
  }

  private end(step: IntakeStep): void {
    if (!step.isStale) this.steps.delete(step.sequence)
    this.bytes -= step.message.data.length
    for (const next of this.order.leave(step)) void this.run(next)
    if (!this.stopping) this.pull?.ask()
  }

  /** Gives the message back for a while; those that concern the same wait here for it. */
  private postpone(step: IntakeStep): void {
    const waitMs = Math.min(INTAKE_RETRY_MS_MAX, INTAKE_RETRY_MS * 2 ** (step.tries - 1)) * (0.75 + Math.random() / 2)
    step.state = 'postponed'
    step.lostAtMs = performance.now() + waitMs + LOST_AFTER_MS
    this.postponed++
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
    for (const step of steps) if (step.state === 'postponed') void this.run(step)
  }

  /** Takes nothing more and waits for what is being carried out; what waits is left to the stream. */
  async stop(patienceMs: number): Promise<void> {
    this.stopping = true
    clearInterval(this.sweep)
    this.pull?.stop()
    for (const until = performance.now() + patienceMs; this.running > 0 && performance.now() < until; ) await sleep(5)
  }
}

const digest = (of: string | Uint8Array): string => createHash('sha256').update(of).digest('base64url')
