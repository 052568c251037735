/** The whole server: data directory, engine, gateway; started in this order, stopped in the other. */

import uws, { type us_listen_socket } from 'uWebSockets.js'
import { availableParallelism } from 'node:os'
import type { Logger } from 'pino'
import { openDataDirectory, prepareDataDirectory } from '../engine/data-directory.js'
import { lockDataDirectory } from '../engine/directory-lock.js'
import { DoorbusterError } from '../engine/errors.js'
import { Host } from '../engine/host.js'
import { Directory } from './directory.js'
import { Dispatch } from './dispatch.js'
import { Guard, isLoopback } from './guard.js'
import { HttpServer } from './http/server.js'
import { Metrics } from './metrics.js'
import type { NatsGateway } from './nats/nats-gateway.js'
import type { NatsOptions } from './nats/options.js'
import { operations } from './operations/index.js'
import { caller, type OperationContext } from './operations/operation.js'
import type { EventConsumer } from './outbox/event-consumer.js'
import type { AddressPolicy } from './outward/address-guard.js'
import { OutwardClient } from './outward/outward-http.js'
import { resumeErasures } from './personal-data/erasure.js'
import { People } from './personal-data/people.js'
import { Vault } from './personal-data/vault.js'
import { RecordStore } from './records.js'
import { type DeskOptions, openDesks, type Service, startServices } from './services.js'
import { SocketServer } from './websocket/server.js'

export interface ServerOptions extends DeskOptions {
  host: string
  port: number
  dataDir: string
  /** None: what the data directory was made for, or as many as threads. */
  partitions?: number
  /** None: one for each core but the gateway's. */
  threads?: number
  version: string
  logger: Logger
  /** Off only to measure recovery from the log alone. */
  checkpoints?: boolean
  /** Reservations that memory is got ready for while there is nothing else to do. */
  warmReservations: number
  /** Whom the server may call over HTTP. */
  outward: AddressPolicy
  /** None: nothing of NATS is started. */
  nats?: NatsOptions
}

/** A second server on the port is refused instead of sharing its connections. */
const EXCLUSIVE_PORT = 1
/** uWS takes options between port and callback, which its types leave out where a host is given. */
type ListenWithOptions = (
  host: string,
  port: number,
  options: number,
  done: (listening: us_listen_socket | false) => void,
) => void

/** How long a stop waits for what is in flight. */
const DRAIN_MS = 5_000

/** Only where it is asked for: its client is a part of every start else. Throws where the options are wrong. */
async function loadNats(options: NatsOptions): Promise<typeof NatsGateway> {
  const { connectionOptions } = await import('./nats/options.js')
  connectionOptions(options)
  return (await import('./nats/nats-gateway.js')).NatsGateway
}

export class Server {
  private constructor(
    private readonly host: string,
    readonly port: number,
    readonly context: OperationContext,
    private readonly listening: us_listen_socket,
    private readonly http: HttpServer,
    private readonly sockets: SocketServer,
    private readonly services: Service[],
    private readonly nats: NatsGateway | undefined,
    private readonly engine: Host,
    private readonly unlock: () => void,
  ) {}

  get url(): string {
    return `http://${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`
  }

  /** Starts everything; rejects with a DoorbusterError that says what to do. */
  static async start(options: ServerOptions): Promise<Server> {
    const { host, dataDir, logger } = options
    if (!isLoopback(host)) {
      throw new DoorbusterError(
        'no_key',
        `No API key has been created, so the server listens on loopback only, not on ${host}; leave --host out, or put a proxy that authenticates in front of 127.0.0.1`,
      )
    }
    const Nats = options.nats && (await loadNats(options.nats))
    const threads = options.threads ?? Math.max(1, availableParallelism() - 1)
    prepareDataDirectory(dataDir, options.partitions ?? threads)
    const unlock = await lockDataDirectory(dataDir)
    try {
      // Under the lock, so that of several who come at once to an empty directory one makes it.
      const description = openDataDirectory(dataDir, options.partitions, threads)
      const vault = new Vault(dataDir, description.made)
      const engine = await Host.start({
        dataDir,
        description,
        threads,
        actorsModule: new URL('../actors/main.js', import.meta.url).href,
        checkpoints: options.checkpoints ?? true,
        warmRecords: options.warmReservations,
        onRecovered: ({ type: _type, ...recovered }) => logger.info(recovered, 'recovered'),
        onCheckpointFailed: (partition, reason) =>
          logger.error({ partition, reason }, 'a checkpoint could not be written'),
        onFatal: (error) => {
          logger.fatal({ err: error }, 'the engine died; start again to recover from the log')
          // Nothing may be answered any more: the exit is at once, and recovery is the cure.
          process.exit(1)
        },
      })
      try {
        const dispatch = new Dispatch(engine.links)
        const directory = new Directory(dispatch)
        await directory.load()
        const fault = (error: unknown): void => logger.error({ err: error }, 'something failed behind an answer')
        const records = new RecordStore(dispatch, directory)
        const people = new People(vault)
        const call = caller(operations, () => context)
        const outward = new OutwardClient({ policy: options.outward })
        const consumers: EventConsumer[] = []
        const now = Date.now
        const open = { dispatch, directory, records, people, outward, consumers, dataDir, now, call, fault }
        // Desks ask of the same context that they are a part of.
        const context = open as OperationContext
        const desks = await openDesks(context, options, logger)
        const metrics = new Metrics(dispatch, logger)
        metrics.readers(consumers)
        await resumeErasures(context).catch((error: unknown) =>
          logger.error({ err: error }, 'an erasure that was cut off is not complete; the next start tries it again'),
        )
        return await Server.listen(options, Nats, context, desks, metrics, engine, unlock)
      } catch (error) {
        await engine.stop()
        throw error
      }
    } catch (error) {
      unlock()
      throw error
    }
  }

  private static listen(
    { host, port, version, logger, nats: natsOptions }: ServerOptions,
    Nats: typeof NatsGateway | undefined,
    context: OperationContext,
    desks: Service[],
    metrics: Metrics,
    engine: Host,
    unlock: () => void,
  ): Promise<Server> {
    const app = uws.App()
    const nats = Nats && natsOptions && new Nats({ nats: natsOptions, operations, context, metrics, logger })
    return new Promise((resolve, reject) => {
      const listen = app.listen.bind(app) as unknown as ListenWithOptions
      listen(host, port, EXCLUSIVE_PORT, (listening) => {
        if (!listening) {
          reject(
            new DoorbusterError('port_taken', `${host}:${port} is taken; choose another --port, or stop what uses it`),
          )
          return
        }
        const bound = uws.us_socket_local_port(listening)
        const guard = new Guard(host, bound)
        const http = new HttpServer({ app, operations, context, guard, metrics, version })
        const sockets = new SocketServer({ app, operations, context, guard, metrics })
        const services = startServices(context, logger, desks)
        nats?.start()
        resolve(new Server(host, bound, context, listening, http, sockets, services, nats, engine, unlock))
      })
    })
  }

  /** Stops accepting, answers what is in flight, checkpoints, gives the directory back. */
  async stop(): Promise<void> {
    this.http.stopping = true
    uws.us_listen_socket_close(this.listening)
    await this.nats?.stop()
    const { dispatch } = this.context
    for (const until = performance.now() + DRAIN_MS; dispatch.inFlight > 0 && performance.now() < until; ) {
      await new Promise((done) => setTimeout(done, 5))
    }
    for (const service of this.services) await service.stop()
    await this.context.outward.close()
    this.http.stopStreams()
    this.sockets.stop()
    await this.engine.stop()
    await this.context.people.vault.close()
    this.unlock()
  }
}
