/**
 * Sends a history as load: packed frames over one socket, so many in flight, and tells what became of each line.
 *
 * The order of each SKU's lines is kept, so that "first come, first served" can be checked afterwards: the server takes
 * the frames of a socket in order. Only what it refuses as overloaded is sent again, behind others; that is counted.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Histogram } from 'hdr-histogram-js'
import { ANY_LOCATION, Operation, Status } from '../../actors/inventory/wire.js'
import { ClientError, type FrameSocket } from '../client/index.js'
import { Cancellations, Outcome, UNDECIDED, UNMATCHED } from './cancellations.js'
import type { History } from './history.js'
import { LineKind } from './online-retail.js'
import { ReplayFrames } from './replay-frames.js'

/** Sold goods stay reserved for the whole replay: the longest time to live. */
const TTL_SECONDS = 604_800
const STALL_MS = 30_000
const OVERLOAD_PAUSE_MS = 20

export interface LoadPlan {
  readonly history: History
  /** The server's index of each article. */
  readonly skuIndices: Uint32Array
  /** 16 bytes: the first four are replaced by each line's number. */
  readonly idPrefix: Uint8Array
  /** `max`: as fast as answered; N: the file's clock runs N times as fast as ours. */
  readonly speed: number | 'max'
  readonly onProgress?: (lines: number) => void
}

export interface LoadResult {
  /** By line, an `Outcome`. */
  readonly outcomes: Uint8Array
  /** By line: the line that a cancellation released, or -1. */
  readonly releases: Int32Array
  readonly cancellationsMatched: number
  readonly cancellationsUnmatched: number
  /** Lines refused, by status. */
  readonly refusals: ReadonlyMap<number, number>
  /** Releases that the server did not do, by status. */
  readonly releaseFailures: ReadonlyMap<number, number>
  /** Times that a line was sent again because the server was overloaded. */
  readonly overloads: number
  readonly seconds: number
  /** Frame latencies in microseconds, from send to reply. */
  readonly latencies: Histogram
}

export class ReplayLoad {
  private readonly outcomes: Uint8Array
  private readonly releases: Int32Array
  private readonly cancellations: Cancellations
  private readonly frames: ReplayFrames
  private readonly refusals = new Map<number, number>()
  private readonly releaseFailures = new Map<number, number>()
  private readonly id: Uint8Array
  private readonly idView: DataView
  /** Lines to be sent again. */
  private overloaded: number[] = []
  private matched = 0
  private unmatched = 0
  private overloads = 0
  private answered = 0
  private wake: (() => void) | undefined
  private failure: Error | undefined

  constructor(
    private readonly plan: LoadPlan,
    private readonly socket: FrameSocket,
  ) {
    const { history } = plan
    this.outcomes = new Uint8Array(history.length)
    this.releases = new Int32Array(history.length).fill(-1)
    this.cancellations = new Cancellations(history, this.outcomes)
    this.frames = new ReplayFrames(socket, history.articles.length)
    this.id = Uint8Array.from(plan.idPrefix)
    this.idView = new DataView(this.id.buffer)
  }

  async run(): Promise<LoadResult> {
    const { history, speed } = this.plan
    this.listen()
    const started = performance.now()
    const firstAtMs = history.atMs[0] ?? 0
    for (let line = 0; line < history.length; line++) {
      if (speed !== 'max') await this.waitUntil(started + ((history.atMs[line] ?? 0) - firstAtMs) / speed)
      if (this.overloaded.length > 0) await this.sendOverloaded()
      if (history.kinds[line] === LineKind.sale) {
        if (!this.frames.hasRoom) await this.room()
        this.cancellations.addSale(line)
        this.reserve(line)
      } else {
        await this.cancel(line)
      }
    }
    do {
      this.frames.flush()
      while (this.frames.inFlightCount > 0) await this.reply()
      await this.sendOverloaded()
    } while (!this.frames.isIdle)
    this.socket.onClose = () => {}
    const { outcomes, releases, refusals, releaseFailures, overloads } = this
    return {
      outcomes,
      releases,
      refusals,
      releaseFailures,
      overloads,
      latencies: this.frames.latencies,
      cancellationsMatched: this.matched,
      cancellationsUnmatched: this.unmatched,
      seconds: (performance.now() - started) / 1000,
    }
  }

  private listen(): void {
    const { socket } = this
    socket.onFrame = (bytes) => this.take(bytes)
    socket.onControl = () => this.fail(new ClientError('protocol', 'the server sent a control message amid frames'))
    socket.onClose = (code, reason) => {
      this.fail(new ClientError('unavailable', `the server closed the connection: ${code} ${reason}`))
    }
  }

  private reserve(line: number): void {
    const { history, skuIndices } = this.plan
    const article = history.skus[line] ?? 0
    const quantity = history.quantities[line] ?? 0
    const buyer = history.customers[line] ?? 0
    this.outcomes[line] = Outcome.asked
    const sku = skuIndices[article] ?? 0
    this.frames.reserve(line, article, this.idOf(line), sku, quantity, TTL_SECONDS, buyer, ANY_LOCATION)
  }

  private async cancel(line: number): Promise<void> {
    let sale = this.cancellations.match(line)
    while (sale === UNDECIDED) {
      this.frames.flush()
      if (this.frames.inFlightCount > 0) await this.reply()
      else await this.sendOverloaded()
      sale = this.cancellations.match(line)
    }
    if (sale === UNMATCHED) {
      this.unmatched++
      return
    }
    this.matched++
    this.releases[line] = sale
    if (!this.frames.hasRoom) await this.room()
    this.release(sale, line)
  }

  /** `sale` is the line whose reservation goes; `line` the cancellation. */
  private release(sale: number, line: number): void {
    const { history, skuIndices } = this.plan
    const article = history.skus[line] ?? 0
    this.outcomes[sale] = Outcome.releasing
    this.frames.release(line, article, this.idOf(sale), skuIndices[article] ?? 0)
  }

  private idOf(line: number): Uint8Array {
    this.idView.setUint32(0, this.plan.history.lineNumbers[line] ?? 0)
    return this.id
  }

  private async room(): Promise<void> {
    while (!this.frames.hasRoom) await this.reply()
  }

  private async sendOverloaded(): Promise<void> {
    while (this.overloaded.length > 0) {
      await pause(OVERLOAD_PAUSE_MS)
      const lines = this.overloaded
      this.overloaded = []
      for (const line of lines) {
        if (!this.frames.hasRoom) await this.room()
        const sale = this.releases[line] ?? -1
        if (sale >= 0) this.release(sale, line)
        else this.reserve(line)
      }
    }
  }

  private async waitUntil(dueAtMs: number): Promise<void> {
    for (let waitMs = dueAtMs - performance.now(); waitMs >= 1; waitMs = dueAtMs - performance.now()) {
      this.frames.flush()
      // In slices, so that a quiet night in the file does not hide a lost connection.
      await pause(Math.min(waitMs, 1_000))
      if (this.failure) throw this.failure
    }
  }

  /** Resolves with the next reply. */
  private reply(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure) return reject(this.failure)
      const stalled = setTimeout(() => {
        this.fail(new ClientError('deadline_exceeded', `the server answered nothing for ${STALL_MS / 1000} s`))
      }, STALL_MS)
      this.wake = () => {
        clearTimeout(stalled)
        this.wake = undefined
        if (this.failure) reject(this.failure)
        else resolve()
      }
    })
  }

  private fail(error: Error): void {
    this.failure ??= error
    this.wake?.()
  }

  private take(bytes: Uint8Array): void {
    const frame = this.frames.take(bytes)
    if (!frame) {
      this.fail(new ClientError('protocol', 'the server sent a reply to no frame of ours'))
      return
    }
    const { reply } = this.frames
    const isRelease = reply.operation === Operation.release
    for (let record = 0; record < frame.count; record++) {
      const line = frame.lines[record] ?? 0
      const status = reply.status(record)
      if (status === Status.overloaded) {
        this.overloads++
        this.overloaded.push(line)
      } else if (isRelease) this.takeRelease(line, status)
      else this.takeReservation(line, status)
    }
    this.answered += frame.count
    this.plan.onProgress?.(this.answered + this.unmatched)
    this.wake?.()
  }

  private takeReservation(line: number, status: number): void {
    this.outcomes[line] = status === Status.done ? Outcome.held : Outcome.refused
    if (status !== Status.done) this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1)
  }

  private takeRelease(line: number, status: number): void {
    const sale = this.releases[line] ?? 0
    this.outcomes[sale] = status === Status.done ? Outcome.released : Outcome.held
    if (status !== Status.done) this.releaseFailures.set(status, (this.releaseFailures.get(status) ?? 0) + 1)
  }
}
