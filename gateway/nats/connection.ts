/**
 * The connection to NATS: tried for ever, at the start as later, so that the rest of the server never waits for it. Who
 * uses it is told of each new connection and of each time that one has come back.
 */
import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect, Events, type NatsConnection } from 'nats'
import type { Logger } from 'pino'

const FIRST_WAIT_MS = 250
const FIRST_WAIT_MS_MAX = 5_000
const DRAIN_MS_MAX = 2_000

/** The kind of fault, never a server's words: they could hold what it was sent. */
export function faultOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code, message } = error as Error & { code?: string }
  return code ?? message
}

export class NatsLink {
  connection: NatsConnection | undefined
  isConnected = false
  reconnects = 0
  private readonly changes = new EventEmitter()
  private readonly stopping = new AbortController()
  private running: Promise<void> | undefined

  constructor(
    private readonly options: ConnectionOptions,
    private readonly logger: Logger,
  ) {
    // Each event consumer's page waits with one listener; there are few.
    this.changes.setMaxListeners(0)
  }

  /** `opened`: a new connection, on which everything is to be subscribed. `back`: the same one, after a gap. */
  on(what: 'opened' | 'back', listener: (connection: NatsConnection) => void): void {
    this.changes.on(what, listener)
  }

  start(): void {
    this.running = this.run()
  }

  /** The connection once there is one. Rejects where `signal` or a stop comes first. */
  async connected(signal: AbortSignal): Promise<NatsConnection> {
    const either = AbortSignal.any([signal, this.stopping.signal])
    while (!this.isConnected || !this.connection) await once(this.changes, 'connected', { signal: either })
    return this.connection
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping
    for (let waitMs = FIRST_WAIT_MS, silent = false; !signal.aborted; ) {
      try {
        const connection = await connect(this.options)
        if (signal.aborted) {
          await connection.close()
          return
        }
        waitMs = FIRST_WAIT_MS
        silent = false
        await this.live(connection)
      } catch (error) {
        // Said once: who waits for hours needs no log of each try.
        if (!silent) this.logger.warn({ reason: faultOf(error) }, 'NATS is away; the server goes on without it')
        silent = true
      }
      await sleep(waitMs * (0.75 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => {})
      waitMs = Math.min(FIRST_WAIT_MS_MAX, waitMs * 2)
    }
  }

  /** Follows a connection until it is closed for good. */
  private async live(connection: NatsConnection): Promise<void> {
    this.connection = connection
    this.up(connection, 'NATS connected')
    this.changes.emit('opened', connection)
    void this.follow(connection)
    const fault = await connection.closed()
    this.isConnected = false
    this.connection = undefined
    if (!this.stopping.signal.aborted) {
      this.logger.warn({ reason: faultOf(fault) }, 'the NATS connection was closed; a new one is made')
    }
  }

  private async follow(connection: NatsConnection): Promise<void> {
    for await (const { type, data } of connection.status()) {
      if (type === Events.Disconnect) {
        this.isConnected = false
        this.logger.warn('NATS is away; the server goes on without it')
      } else if (type === Events.Reconnect) {
        this.reconnects++
        this.up(connection, 'NATS is back')
        this.changes.emit('back', connection)
      } else if (type === Events.Error) {
        this.logger.warn({ reason: String(data) }, 'NATS reports an error')
      }
    }
  }

  private up(connection: NatsConnection, message: string): void {
    this.isConnected = true
    this.logger.info({ server: connection.getServer(), version: connection.info?.version }, message)
    this.changes.emit('connected')
  }

  /** Sends what is still to be sent and closes. */
  async stop(): Promise<void> {
    this.stopping.abort()
    const { connection } = this
    if (connection && !connection.isClosed()) {
      if (this.isConnected) {
        await Promise.race([connection.drain().catch(() => {}), sleep(DRAIN_MS_MAX, undefined, { ref: false })])
      }
      await connection.close()
    }
    // One that is still being dialled ends by its own timeout; nobody waits for it.
    if (connection) await this.running
  }
}
