/**
 * Buyers for a test that kills the server under them: packed frames over several sockets and single calls over HTTP,
 * each noted in the ledger before it is sent and after it is answered. It ends when the server does.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { ReservationDocument } from './http-call.js'
import { type Hold, holdRecord, type Ledger, reserveRecord, TTL_SECONDS } from './ledger.js'
import { frameMaker, PackedSocket, type Reply, Status } from './packed-socket.js'
import type { Random } from './random.js'
import type { TestServer } from './test-server.js'

/** A change of what is on hand, by its id. */
export interface Adjustment {
  readonly id: string
  readonly place: number
  readonly delta: number
  answered: boolean
}

/** A reservation that was made under an Idempotency-Key. */
export interface KeyedReservation {
  readonly key: string
  readonly hold: Hold
  answer: { status: number; body: ReservationDocument } | undefined
}

/** What is not in the ledger of holds. */
export interface Notes {
  readonly adjustments: Adjustment[]
  readonly keyed: KeyedReservation[]
  /** What was answered as it must never be. */
  readonly faults: string[]
  frames: number
}

export interface LoadOptions {
  readonly sockets: number
  readonly framesInFlight: number
  readonly httpCalls: number
  /** New holds in this load at most. */
  readonly holdsMax: number
  /** Large frames that are refused: they fill the log, and nothing else. */
  readonly ballast: boolean
  /** The SKU's index of a SKU without stock. */
  readonly soldOut: number
}

const BALLAST_RECORDS = 4_096
const BALLAST_IN_FLIGHT = 4

export class Load {
  private readonly sockets: PackedSocket[] = []
  private readonly work: Promise<void>[] = []
  private holds = 0
  private readonly makeBallast: (frame: number) => Uint8Array
  /** What broke first: as long as the server lives, nothing may. */
  broken: unknown

  private constructor(
    private readonly server: TestServer,
    private readonly ledger: Ledger,
    private readonly notes: Notes,
    private readonly random: Random,
    private readonly options: LoadOptions,
  ) {
    this.makeBallast = frameMaker(options.soldOut, BALLAST_RECORDS)
  }

  static async start(
    server: TestServer,
    ledger: Ledger,
    notes: Notes,
    random: Random,
    options: LoadOptions,
  ): Promise<Load> {
    const load = new Load(server, ledger, notes, random, options)
    for (let i = 0; i < options.sockets; i++) load.sockets.push(await PackedSocket.connect(server.url))
    for (const socket of load.sockets) {
      for (let i = 0; i < options.framesInFlight; i++) load.work.push(load.untilGone(() => load.frame(socket)))
    }
    for (let i = 0; i < options.httpCalls; i++) load.work.push(load.untilGone(() => load.httpCall()))
    if (options.ballast) {
      const socket = await PackedSocket.connect(server.url)
      load.sockets.push(socket)
      for (let i = 0; i < BALLAST_IN_FLIGHT; i++) load.work.push(load.untilGone(() => load.ballast(socket)))
    }
    return load
  }

  /** Resolves once nothing is sent any more: the server is gone. */
  async ended(): Promise<void> {
    await Promise.all(this.work)
    for (const socket of this.sockets) socket.close()
  }

  /** One thing after the other, until the connection breaks; what was asked then stays open in the ledger. */
  private async untilGone(step: () => Promise<void>): Promise<void> {
    while (this.broken === undefined) {
      try {
        await step()
      } catch (error) {
        this.broken ??= error
      }
    }
  }

  private async frame(socket: PackedSocket): Promise<void> {
    const { random, ledger } = this
    const count = random.between(1, 48)
    const dice = random.next()
    if (dice < 0.5 && this.holds < this.options.holdsMax) {
      const frame = ++this.notes.frames
      const holds = Array.from({ length: count }, () => this.newHold(frame))
      this.settle(holds, await socket.reserve(holds.map(reserveRecord)))
    } else if (dice < 0.7) {
      await this.settleSome(count, 'confirm', (records) => socket.confirm(records))
    } else if (dice < 0.9) {
      await this.settleSome(count, 'release', (records) => socket.release(records))
    } else {
      const known = ledger.sample(count)
      if (known.length > 0) this.notes.faults.push(...(await ledger.repeat(socket, known)))
      else await this.pause()
    }
  }

  private newHold(frame: number): Hold {
    this.holds++
    const place = this.random.below(this.ledger.skus.length)
    // The first SKU has little stock: what it refuses depends on the moment, so its records say nothing of their frame.
    return this.ledger.open(place, this.random.between(1, 3), place === 0 ? 0 : frame)
  }

  private async settleSome(
    count: number,
    asked: 'confirm' | 'release',
    send: (records: { id: Uint8Array; sku: number }[]) => Promise<Reply[]>,
  ): Promise<void> {
    const holds = this.ledger.take(count, asked)
    if (holds.length === 0) return this.pause()
    this.settle(holds, await send(holds.map(holdRecord)))
  }

  private settle(holds: readonly Hold[], replies: readonly Reply[]): void {
    holds.forEach((hold, i) => {
      const fault = this.ledger.answer(hold, replies[i]!)
      if (fault !== undefined) this.notes.faults.push(fault)
    })
  }

  /** Lets the others have their turn: there was nothing to settle. */
  private async pause(): Promise<void> {
    if (!this.server.isRunning) throw new Error('the server is gone')
    await setTimeout(1)
  }

  private async httpCall(): Promise<void> {
    const dice = this.random.next()
    if (dice < 0.4) await this.adjust()
    else if (dice < 0.7) await this.reserveWithKey()
    else await this.settleByHttp()
  }

  private async adjust(): Promise<void> {
    const { ledger, random, notes } = this
    const place = random.below(ledger.skus.length - 1) + 1
    const adjustment: Adjustment = { id: randomUUID(), place, delta: random.between(1, 9), answered: false }
    notes.adjustments.push(adjustment)
    const { status } = await sendAdjustment(this.server, ledger, adjustment)
    if (status === 201) adjustment.answered = true
    else if (status !== 503) notes.faults.push(`an adjustment is answered with ${status}`)
  }

  private async reserveWithKey(): Promise<void> {
    if (this.holds >= this.options.holdsMax) return this.settleByHttp()
    const { ledger, notes } = this
    this.holds++
    const place = this.random.below(ledger.skus.length - 1) + 1
    const keyed: KeyedReservation = { key: randomUUID(), hold: ledger.open(place, 1, 0), answer: undefined }
    notes.keyed.push(keyed)
    const { status, body } = await sendKeyed(this.server, ledger, keyed)
    if (status === 503) return
    if (status !== 201) notes.faults.push(`a reservation is answered with ${status} ${JSON.stringify(body)}`)
    else {
      keyed.answer = { status, body }
      // The one location of these tests has index 0.
      this.settle([keyed.hold], [{ status: Status.done, replayed: false, location: 0, remaining: body.remaining }])
    }
  }

  private async settleByHttp(): Promise<void> {
    const asked = this.random.chance(0.5) ? 'confirm' : 'release'
    const [hold] = this.ledger.take(1, asked)
    if (!hold) return this.pause()
    const { status, body } = await this.server.call('POST', `/v1/reservations/${hold.id}/${asked}`)
    const overloaded = status === 503
    if (!overloaded && status !== 200)
      this.notes.faults.push(`a ${asked} is answered with ${status} ${JSON.stringify(body)}`)
    this.settle(
      [hold],
      [{ status: overloaded ? Status.overloaded : Status.done, replayed: false, location: 0, remaining: 0 }],
    )
  }

  private async ballast(socket: PackedSocket): Promise<void> {
    const replies = await socket.send(this.makeBallast)
    const wrong = replies.find(({ status }) => status !== Status.insufficientStock && status !== Status.overloaded)
    if (wrong) this.notes.faults.push(`a SKU without stock is held: ${JSON.stringify(wrong)}`)
  }
}

export function sendAdjustment(server: TestServer, { skus }: Ledger, { id, place, delta }: Adjustment) {
  const body = { id, sku: skus[place], location: 'W1', delta, reason: 'counted' }
  return server.call('POST', '/v1/inventory/adjustments', body)
}

export function sendKeyed(server: TestServer, { skus }: Ledger, { key, hold }: KeyedReservation) {
  const body = { id: hold.id, sku: skus[hold.place], quantity: hold.quantity, ttlSeconds: TTL_SECONDS }
  return server.call<ReservationDocument>('POST', '/v1/reservations', body, { 'idempotency-key': key })
}
