/**
 * Everything that the server does by NATS: requests, packed frames, the intake, events. It is started where a URL is
 * given, comes up whenever NATS does, and nothing else of the server waits for it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { NatsConnection, Subscription } from 'nats'
import type { Logger } from 'pino'
import type { Metrics } from '../metrics.js'
import { IdempotentRuns } from '../operations/idempotent-runs.js'
import { NamedOperations } from '../operations/named-operations.js'
import type { Operation, OperationContext } from '../operations/operation.js'
import { EventConsumer } from '../outbox/event-consumer.js'
import { PackedFrames } from '../websocket/frames.js'
import { Acknowledgements } from './acknowledgements.js'
import { NatsCommands } from './commands.js'
import { faultOf, NatsLink } from './connection.js'
import { NatsEvents } from './events.js'
import { Intake } from './intake.js'
import { connectionOptions, type NatsOptions } from './options.js'
import { NatsFrames } from './packed.js'
import { ensureEvents, ensureIntake, UnfitStream } from './streams.js'

/** JetStream may be slower to come up than the server, or be put right while we wait. */
const ENSURE_WAIT_MS = 500
const ENSURE_WAIT_MS_MAX = 10_000
const STOP_MS = 4_000
const EVENT_CONSUMER = 'nats'

export interface NatsGatewayOptions {
  nats: NatsOptions
  operations: Operation[]
  context: OperationContext
  metrics: Metrics
  logger: Logger
}

export class NatsGateway {
  private readonly link: NatsLink
  private readonly commands: NatsCommands
  private readonly frames: NatsFrames
  private readonly acknowledgements = new Acknowledgements()
  private readonly intake: Intake
  private readonly events: NatsEvents
  private readonly consumer: EventConsumer
  private subscriptions: Subscription[] = []
  /** Raised by each new try to begin the intake, which ends those before it. */
  private intakeTry = 0
  private intakeBegun = false
  private stopping = false
  private readonly logger: Logger

  /** Throws DoorbusterError where an option cannot be used. */
  constructor({ nats, operations, context, metrics, logger }: NatsGatewayOptions) {
    const named = new NamedOperations(operations, context, metrics)
    const once = new IdempotentRuns(context)
    this.logger = logger
    this.link = new NatsLink(connectionOptions(nats), logger)
    this.commands = new NatsCommands(named, once, logger)
    this.frames = new NatsFrames(new PackedFrames(context.dispatch, context.directory, metrics), logger)
    this.intake = new Intake({
      operations: named,
      once,
      dispatch: context.dispatch,
      directory: context.directory,
      people: context.people,
      metrics,
      acknowledgements: this.acknowledgements,
      logger,
      gone: (reason) => {
        const { connection } = this.link
        logger.warn({ reason }, 'the intake stream cannot be read; it is looked for again')
        if (connection) void this.beginIntake(connection)
      },
    })
    this.events = new NatsEvents(this.link, context.directory)
    this.consumer = new EventConsumer({
      name: EVENT_CONSUMER,
      dispatch: context.dispatch,
      records: context.records,
      logger,
      wants: () => true,
      handlePage: (events, signal) => this.events.publish(events, signal),
      attemptsMax: Number.POSITIVE_INFINITY,
    })
    this.link.on('opened', (connection) => this.open(connection))
    this.link.on('back', (connection) => void this.beginIntake(connection))
    this.show(metrics)
  }

  start(): void {
    this.link.start()
    this.consumer.wake()
  }

  private open(connection: NatsConnection): void {
    this.subscriptions = [this.commands.subscribe(connection), this.frames.subscribe(connection)]
    void this.beginIntake(connection)
  }

  /** Tries until the streams are there and fit, or until something newer makes that pointless. */
  private async beginIntake(connection: NatsConnection): Promise<void> {
    const own = ++this.intakeTry
    this.intake.pause()
    const isCurrent = (): boolean => own === this.intakeTry && !this.stopping && !connection.isClosed()
    for (let waitMs = ENSURE_WAIT_MS, last = ''; isCurrent(); waitMs = Math.min(ENSURE_WAIT_MS_MAX, waitMs * 2)) {
      try {
        const manager = await connection.jetstreamManager({ checkAPI: false })
        await ensureEvents(manager)
        const stream = await ensureIntake(manager, this.intakeBegun ? 'this process' : 'a predecessor')
        if (!isCurrent()) return
        this.intakeBegun = true
        this.intake.begin(connection, stream.created)
        return
      } catch (error) {
        const reason = error instanceof UnfitStream ? error.message : faultOf(error)
        if (reason !== last) this.logger.error({ reason }, 'the intake by NATS cannot begin; it is tried again')
        last = reason
      }
      await sleep(waitMs, undefined, { ref: false })
    }
  }

  private show(metrics: Metrics): void {
    const { link, commands, frames, intake, acknowledgements, events } = this
    metrics.gauge('doorbuster_nats_connected', '1 while NATS is connected', () => (link.isConnected ? 1 : 0))
    metrics.gauge('doorbuster_nats_reconnects', 'Times that NATS came back', () => link.reconnects)
    metrics.gauge('doorbuster_nats_commands', 'Commands taken by NATS since the start', () => commands.taken)
    metrics.gauge(
      'doorbuster_nats_in_flight',
      'Requests by NATS that are not answered yet, and messages of the intake that are held',
      () => commands.inFlight + frames.inFlight + intake.inFlight,
    )
    metrics.gauge('doorbuster_nats_published', 'Events published by NATS since the start', () => events.published)
    metrics.gauge(
      'doorbuster_nats_intake_acknowledged',
      'Messages of the intake carried out since the start',
      () => acknowledgements.acknowledged,
    )
    metrics.gauge('doorbuster_nats_intake_redelivered', 'Messages that came again', () => intake.redelivered)
    metrics.gauge('doorbuster_nats_intake_postponed', 'Messages given back for a while', () => intake.postponed)
    metrics.gauge('doorbuster_nats_intake_dead', 'Messages put among the dead letters', () => intake.dead)
  }

  /** Takes nothing more, answers what is in flight, and closes; the engine has to be there still. */
  async stop(): Promise<void> {
    this.stopping = true
    if (this.link.isConnected) {
      const drained = Promise.all(this.subscriptions.map((subscription) => subscription.drain().catch(() => {})))
      await Promise.race([drained, sleep(STOP_MS / 4, undefined, { ref: false })])
    }
    await Promise.all([this.intake.stop(STOP_MS), this.consumer.stop(), this.answered()])
    await this.link.stop()
  }

  private async answered(): Promise<void> {
    const until = performance.now() + STOP_MS
    while (this.commands.inFlight + this.frames.inFlight > 0 && performance.now() < until) await sleep(5)
  }
}
