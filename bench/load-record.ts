/** Counts answers and latencies of a run, its warm-up left out. */
import { build, type Histogram } from 'hdr-histogram-js'
import { FRAME_HEADER_BYTES, REPLY_FLAG, REPLY_RECORD_BYTES, STATUS_CODES } from '../actors/inventory/wire.js'
import type { LoadReport } from './load-protocol.js'

const LATENCY_MS_MAX = 120_000

export class Recorder {
  readonly #latenciesUs: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LATENCY_MS_MAX * 1_000,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
  })
  readonly #byStatus = new Float64Array(256)
  readonly #refused: Record<string, number> = {}
  readonly #fromMs: number
  readonly #toMs: number
  #operations = 0
  #cpuAtStart: NodeJS.CpuUsage | undefined
  #cpuMicroseconds = 0

  /** Counts what is answered in [fromMs, toMs), on whichever clock the caller reads. */
  constructor(fromMs: number, toMs: number) {
    this.#fromMs = fromMs
    this.#toMs = toMs
  }

  /** Counts one reply frame, which lies at [start, end). */
  frame(bytes: Buffer, start: number, end: number, sentAtMs: number, nowMs: number): void {
    const operation = bytes[start + 1] as number
    if ((operation & REPLY_FLAG) === 0) throw new Error(`A frame with operation ${operation} is not a reply.`)
    for (let at = start + FRAME_HEADER_BYTES; at < end; at += REPLY_RECORD_BYTES) {
      const status = bytes[at] as number
      if (status !== 0) (this.#byStatus[status] as number)++
    }
    this.answered((end - start - FRAME_HEADER_BYTES) / REPLY_RECORD_BYTES, nowMs - sentAtMs, nowMs)
  }

  /** Counts an answer that was not the wanted one, whenever it came. */
  refused(reason: string, count = 1): void {
    this.#refused[reason] = (this.#refused[reason] ?? 0) + count
  }

  answered(operations: number, latencyMs: number, nowMs: number): void {
    if (nowMs < this.#fromMs) return
    this.#cpuAtStart ??= process.cpuUsage()
    if (nowMs >= this.#toMs) {
      this.close()
      return
    }
    this.#operations += operations
    this.#latenciesUs.recordValue(Math.min(LATENCY_MS_MAX * 1_000, Math.max(1, Math.round(latencyMs * 1_000))))
  }

  /** A recorder that begins at `fromMs` and knows what was refused before. */
  restarted(fromMs: number): Recorder {
    const next = new Recorder(fromMs, this.#toMs)
    Object.assign(next.#refused, this.#refused)
    return next
  }

  /** Takes the processor time at the end of the measured time; what drains afterwards is not counted. */
  close(): void {
    if (this.#cpuMicroseconds > 0 || !this.#cpuAtStart) return
    const { user, system } = process.cpuUsage(this.#cpuAtStart)
    this.#cpuMicroseconds = user + system
  }

  /** The report, for a run that was measured until `endedMs` or to its planned end, whichever came first. */
  report(endedMs: number): LoadReport {
    this.close()
    const seconds = Math.max(0.001, (Math.min(endedMs, this.#toMs) - this.#fromMs) / 1_000)
    this.#byStatus.forEach((count, status) => {
      if (count > 0) this.refused(STATUS_CODES[status] ?? `status ${status}`, count)
    })
    const at = (percentile: number) => this.#latenciesUs.getValueAtPercentile(percentile) / 1_000
    return {
      operations: this.#operations,
      seconds,
      refused: this.#refused,
      latency: { p50Ms: at(50), p99Ms: at(99), p999Ms: at(99.9) },
      generatorLoad: this.#cpuMicroseconds / 1e6 / seconds,
    }
  }
}
