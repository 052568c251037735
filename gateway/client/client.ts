/**
 * The client of `doorbuster.v1`: calls with promises over one socket that comes back by itself.
 *
 * Everything that was not answered when a connection broke is sent again on the next one. That is safe, because each
 * reservation's id is its idempotency key: the server answers a repeat as it answered the first, and changes nothing.
 * A command is repeated when its body carries an `id`, or when it reads or sets (`….get`, `….put`); any other fails with
 * `connection_lost`, unless the caller says that it may be repeated.
 */
import { ANY_LOCATION, Operation, QUANTITY_MAX, TTL_SECONDS_MAX } from '../../actors/inventory/wire.js'
import { ClientError } from './client-error.js'
import { type Backoff, Connection } from './connection.js'
import { type CommandReply, ControlCalls, type Interned, type OnEvent } from './control-calls.js'
import { uuidBytes } from './frames.js'
import { type HoldOperation, PackedCall, PackedCalls, type RecordReply } from './packed-calls.js'

export interface ClientOptions {
  /** An API key. */
  readonly token?: string | undefined
  /** The connection of the channel that is sold through. */
  readonly channel?: string | undefined
  /** Packed frames sent and not answered; default 64. */
  readonly framesInFlight?: number
  /** Records that may wait for a frame before calls are refused as `overloaded`; default 65,536. */
  readonly recordsWaiting?: number
  /** Commands unanswered before more are refused as `overloaded`; default 1,024. */
  readonly commandsInFlight?: number
  /** How long a call waits for its answer, reconnections included; default 10 s. */
  readonly deadlineMs?: number
  /** Pauses between attempts to connect again; default 50 ms, doubling to 5 s, half of it random. */
  readonly backoff?: Backoff
}

export interface CommandOptions {
  readonly deadlineMs?: number
  /** Whether to send it again after a lost connection; by default as its name and body allow. */
  readonly repeatable?: boolean
}

export interface ReservationRequest {
  /** A UUID as text or its 16 bytes: the idempotency key. */
  readonly id: string | Uint8Array
  /** The SKU's index, from `intern`. */
  readonly sku: number
  /** 1 to 2^31 - 1. */
  readonly quantity: number
  /** The location's index, from `intern`; none: any. */
  readonly location?: number | undefined
  /** The buyer, for limits a buyer; none: no limit applies. */
  readonly buyer?: number | bigint | undefined
  /** 1 to 604,800; none: the server's default, 900. */
  readonly ttlSeconds?: number | undefined
}

/** A reservation that is held, to be confirmed or released. */
export interface HoldReference {
  readonly id: string | Uint8Array
  readonly sku: number
}

const REPEATABLE_COMMAND = /\.(get|getMany|list|put|putMany)$/

export class DoorbusterClient {
  private readonly connection: Connection
  private readonly packed: PackedCalls
  private readonly control: ControlCalls
  private readonly deadlineMs: number
  private ended: ClientError | undefined
  private sweeping = false

  private constructor(url: string, options: ClientOptions) {
    this.deadlineMs = options.deadlineMs ?? 10_000
    const send = (bytes: Uint8Array) => this.connection.send(bytes)
    this.packed = new PackedCalls(
      { framesInFlight: options.framesInFlight ?? 64, recordsWaiting: options.recordsWaiting ?? 65_536 },
      send,
    )
    this.control = new ControlCalls(options.commandsInFlight ?? 1_024, send, this.onExpired)
    this.connection = new Connection(url, options, options.backoff ?? { firstMs: 50, longestMs: 5_000 }, {
      onOpen: () => {
        this.control.reconnected()
        this.packed.reconnected()
      },
      onFrame: (bytes) => {
        if (!this.packed.reply(bytes)) this.end(malformed('a packed reply'), 1002)
      },
      onControl: (bytes) => {
        if (!this.control.receive(bytes)) this.end(malformed('a control message'), 1002)
      },
      onLost: () => {
        this.packed.disconnected()
        this.control.disconnected()
      },
      onFatal: (error) => this.end(error),
    })
  }

  /** Connects to `http(s)://host:port` (or `ws(s)://…`). Rejects with `unavailable` or `unauthorized`. */
  static async connect(url: string, options: ClientOptions = {}): Promise<DoorbusterClient> {
    const client = new DoorbusterClient(url, options)
    await client.connection.open()
    return client
  }

  /** Whether there is a connection now; calls are taken all the same and wait for the next one. */
  get isConnected(): boolean {
    return this.connection.isOpen
  }

  /** The indices by which packed records name SKUs and locations; -1 where there is none. */
  async intern(skus: readonly string[], locations: readonly string[] = []): Promise<Interned> {
    this.assertOpen()
    return await this.control.intern(skus, locations, this.deadlineMs)
  }

  /** A command by its name (`reservation.create`, `order.create`, …), with the body that HTTP would take. */
  async command(name: string, body: unknown, options: CommandOptions = {}): Promise<CommandReply> {
    this.assertOpen()
    const repeatable = options.repeatable ?? (REPEATABLE_COMMAND.test(name) || hasId(body))
    return await this.control.command(name, body, repeatable, options.deadlineMs ?? this.deadlineMs)
  }

  /** Holds stock. One reply for each request, in order; a refusal is a reply, not an error. */
  async reserve(requests: readonly ReservationRequest[]): Promise<RecordReply[]> {
    const ids = requests.map(checkedReservation)
    return await this.pack(requests.length, (call, position) => {
      const request = requests[position]
      const id = ids[position]
      if (!request || !id) return
      const writer = this.packed.place(Operation.reserve, call, position)
      const { sku, quantity, ttlSeconds = 0, buyer = 0, location = ANY_LOCATION } = request
      writer.add(id, 0, sku, quantity, ttlSeconds, buyer, location)
    })
  }

  /** Turns what is held into allocated stock. */
  async confirm(holds: readonly HoldReference[]): Promise<RecordReply[]> {
    return await this.settle(Operation.confirm, holds)
  }

  /** Gives back what is held. */
  async release(holds: readonly HoldReference[]): Promise<RecordReply[]> {
    return await this.settle(Operation.release, holds)
  }

  /**
   * Calls `onEvent` for each event of these topics (`inventory.SKU`, `order.ID`, `event.>`) until the function that is
   * returned is called. Asked for again after a reconnection; events in between are missed: read the state once more.
   */
  subscribe(topics: readonly string[], onEvent: OnEvent): () => void {
    this.assertOpen()
    return this.control.subscribe(topics, onEvent)
  }

  /** Closes; what is unanswered fails with `closed`. */
  close(): void {
    this.end(new ClientError('closed', 'the client was closed'), 1000)
  }

  private async settle(operation: HoldOperation, holds: readonly HoldReference[]): Promise<RecordReply[]> {
    const ids = holds.map((hold) => idBytes(hold.id))
    return await this.pack(holds.length, (call, position) => {
      const hold = holds[position]
      const id = ids[position]
      if (hold && id) this.packed.place(operation, call, position).add(id, 0, hold.sku)
    })
  }

  private pack(records: number, write: (call: PackedCall, position: number) => void): Promise<RecordReply[]> {
    this.assertOpen()
    this.packed.admit(records)
    if (records === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      const call = new PackedCall(records, resolve, reject)
      for (let position = 0; position < records; position++) write(call, position)
      call.expireAfter(this.deadlineMs, this.onExpired)
    })
  }

  private assertOpen(): void {
    if (this.ended) throw this.ended
  }

  private readonly onExpired = () => {
    if (this.sweeping) return
    this.sweeping = true
    // Deadlines come in swarms; one look after them is enough.
    setImmediate(() => {
      this.sweeping = false
      this.packed.forgetAbandoned()
      this.connection.dropIfSilentFor(this.deadlineMs)
    })
  }

  private end(error: ClientError, code = 1000): void {
    if (this.ended) return
    this.ended = error
    this.packed.failAll(error)
    this.control.failAll(error)
    this.connection.close(code, code === 1000 ? '' : 'malformed message')
  }
}

function malformed(what: string): ClientError {
  return new ClientError('protocol', `the server sent ${what} that is not doorbuster.v1; is the address right?`)
}

function hasId(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'id' in body && body.id !== undefined
}

function idBytes(id: string | Uint8Array): Uint8Array {
  if (typeof id === 'string') return uuidBytes(id)
  if (id.length !== 16) throw new ClientError('invalid', `an id has 16 bytes, not ${id.length}`)
  return id
}

function checkedReservation(request: ReservationRequest): Uint8Array {
  const { quantity, ttlSeconds } = request
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > QUANTITY_MAX) {
    throw new ClientError('invalid', `quantity must be an integer from 1 to ${QUANTITY_MAX}, not ${quantity}`)
  }
  if (ttlSeconds !== undefined && !(Number.isInteger(ttlSeconds) && ttlSeconds >= 1 && ttlSeconds <= TTL_SECONDS_MAX)) {
    throw new ClientError('invalid', `ttlSeconds must be an integer from 1 to ${TTL_SECONDS_MAX}, not ${ttlSeconds}`)
  }
  return idBytes(request.id)
}
