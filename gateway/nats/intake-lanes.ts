/**
 * One lane for each partition: reservations that came together go to it together, as one packed frame, and what comes
 * meanwhile is the next. A partition that has no room, or whose log cannot be written, is tried again after a while with
 * the same in the same order.
 */
import { Operation, Status } from '../../actors/inventory/wire.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Directory } from '../directory.js'
import type { Dispatch, FrameWaiter } from '../dispatch.js'
import { FRAME_RECORDS_MAX, INTAKE_RETRY_MS, INTAKE_RETRY_MS_MAX } from '../limits.js'
import type { Metrics } from '../metrics.js'
import { refusal } from '../operations/reservations.js'
import type { People } from '../personal-data/people.js'
import { unknownSku } from '../problems.js'
import { RESERVE_BYTES, type ReservationRequest, writeReserveRecord } from '../reserve-record.js'

export const RESERVATION = 'reservation.create'

export interface LaneStep {
  readonly reservation: ReservationRequest
  /** Index of its SKU, or -1 where it was not known when it came. */
  readonly sku: number
}

export interface LaneOwner<S extends LaneStep> {
  held(step: S): void
  refused(step: S, outcome: Outcome): void
  /** All of a frame were told. */
  told(): void
}

const scratch = new Uint8Array(FRAME_RECORDS_MAX * RESERVE_BYTES)
const scratchView = new DataView(scratch.buffer)

interface Lane<S> {
  readonly partition: number
  waiting: S[]
  /** A frame is under way, or the partition is left alone for a while. */
  isBusy: boolean
  tries: number
}

export interface LanesOptions<S extends LaneStep> {
  dispatch: Dispatch
  directory: Directory
  /** With whose key buyers are kept. */
  people: Pick<People, 'vault'>
  metrics: Metrics
  owner: LaneOwner<S>
}

export class IntakeLanes<S extends LaneStep> {
  /** Reservations that were sent and are not answered. */
  underWay = 0
  postponed = 0
  private readonly lanes: Lane<S>[]
  private readonly touched = new Set<Lane<S>>()
  private isStopped = false

  constructor(private readonly options: LanesOptions<S>) {
    const { partitions } = options.dispatch.links
    this.lanes = Array.from({ length: partitions }, (_, partition) => ({
      partition,
      waiting: [],
      isBusy: false,
      tries: 0,
    }))
  }

  /** Puts a reservation behind those of its partition; they go once all that came with it are there. */
  add(step: S): void {
    const { directory, owner } = this.options
    const sku = this.skuOf(step)
    if (sku < 0) {
      owner.refused(step, unknownSku(step.reservation.sku))
      return
    }
    const lane = this.lanes[directory.partitionOfSku(sku)]!
    lane.waiting.push(step)
    if (lane.isBusy) return
    if (this.touched.size === 0) queueMicrotask(() => this.sendTouched())
    this.touched.add(lane)
  }

  private skuOf({ sku, reservation }: S): number {
    return sku < 0 ? this.options.directory.find('skus', reservation.sku) : sku
  }

  private sendTouched(): void {
    const lanes = [...this.touched]
    this.touched.clear()
    for (const lane of lanes) this.send(lane)
  }

  private send(lane: Lane<S>): void {
    if (lane.isBusy || this.isStopped || lane.waiting.length === 0) return
    const { dispatch, owner } = this.options
    const { partition } = lane
    const steps: S[] = []
    const unknown: [S, Outcome][] = []
    let taken = 0
    for (; taken < lane.waiting.length && steps.length < FRAME_RECORDS_MAX; taken++) {
      const step = lane.waiting[taken]!
      const at = steps.length * RESERVE_BYTES
      const sku = writeReserveRecord(step.reservation, this.options, scratchView, at, this.skuOf(step))
      if (typeof sku === 'number') steps.push(step)
      else unknown.push([step, sku])
    }
    const bytes = steps.length * RESERVE_BYTES
    if (steps.length > 0) {
      const room = dispatch.reserveFrame(partition, bytes)
      if (room < 0) {
        dispatch.overloads++
        this.leaveAlone(lane, steps.length)
        return
      }
      dispatch.links.bytesOf(partition).set(scratch.subarray(0, bytes), room)
      lane.isBusy = true
      this.underWay += steps.length
      dispatch.sendFrame(partition, Operation.reserve, steps.length, bytes, this.waiterOf(lane, steps))
    }
    lane.waiting = lane.waiting.slice(taken)
    for (const [step, outcome] of unknown) owner.refused(step, outcome)
    if (steps.length === 0) this.send(lane)
  }

  private waiterOf(lane: Lane<S>, steps: S[]): FrameWaiter {
    const sentMs = performance.now()
    return {
      frameReply: (_count, _timeMs, words, at) => {
        this.underWay -= steps.length
        lane.isBusy = false
        lane.tries = 0
        this.tell(steps, words, at, performance.now() - sentMs)
        this.send(lane)
      },
      refused: () => {
        this.underWay -= steps.length
        lane.waiting = [...steps, ...lane.waiting]
        this.leaveAlone(lane, steps.length)
      },
    }
  }

  private tell(steps: S[], words: Uint32Array, at: number, milliseconds: number): void {
    const { metrics, owner } = this.options
    let replayed = 0
    let refused = 0
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!
      const first = words[at + 2 * i]!
      // The low byte is a status: the partition writes no other.
      const status = (first & 0xff) as Status
      if (status === Status.done) {
        if ((first & 0xff00) !== 0) replayed++
        owner.held(step)
      } else {
        refused++
        const outcome = refusal(status, step.reservation, words[at + 2 * i + 1]!)
        metrics.request(RESERVATION, outcome.status, milliseconds)
        owner.refused(step, outcome)
      }
    }
    metrics.request(RESERVATION, 200, milliseconds, replayed)
    metrics.request(RESERVATION, 201, milliseconds, steps.length - replayed - refused)
    owner.told()
  }

  private leaveAlone(lane: Lane<S>, steps: number): void {
    lane.isBusy = true
    this.postponed += steps
    const waitMs = Math.min(INTAKE_RETRY_MS_MAX, INTAKE_RETRY_MS * 2 ** lane.tries++) * (0.75 + Math.random() / 2)
    setTimeout(() => {
      lane.isBusy = false
      this.send(lane)
    }, waitMs).unref()
  }

  stop(): void {
    this.isStopped = true
  }
}
