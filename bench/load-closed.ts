/** The closed loop: each socket keeps its window full. It finds the highest rate; its latencies are those of a full queue. */
import { FRAME_HEADER_BYTES, Operation } from '../actors/inventory/wire.js'
import { FrameRing, IdSource, SkuWalk } from './load-frames.js'
import type { ClosedJob, LoadReport } from './load-protocol.js'
import { Recorder } from './load-record.js'
import { type BareSocket, openSocket } from './socket.js'

/** Replies may overtake each other, so a ring has more slots than its window: a straggler then blocks nobody. */
const SLOTS_FOR_EACH_IN_FLIGHT = 2
const TTL_SECONDS = 86_400

export async function runClosed(job: ClosedJob): Promise<LoadReport> {
  const startMs = performance.now()
  const fromMs = startMs + job.warmUpMs
  const endMs = fromMs + job.measureMs
  const recorder = new Recorder(fromMs, endMs)
  const ids = new IdSource()
  const skus = new SkuWalk(job.skus)
  let framesLeft = Math.floor((job.reservationsMax ?? Number.POSITIVE_INFINITY) / job.recordsPerFrame)

  await Promise.all(
    Array.from({ length: job.sockets }, async () => {
      const ring = new FrameRing(
        Operation.reserve,
        job.framesInFlight * SLOTS_FOR_EACH_IN_FLIGHT,
        job.recordsPerFrame,
        TTL_SECONDS,
      )
      let inFlight = 0
      let socket: BareSocket | undefined

      const fill = () => {
        while (inFlight < job.framesInFlight && framesLeft > 0) {
          const { first, end } = ring.take(Math.min(job.framesInFlight - inFlight, framesLeft))
          for (let slot = first; slot < end; slot++) ring.fillReserve(slot, ids, skus)
          ring.sentAtMs.fill(performance.now(), first, end)
          socket?.write(ring.bytes.subarray(first * ring.slotBytes, end * ring.slotBytes))
          inFlight += end - first
          framesLeft -= end - first
        }
      }

      await new Promise<void>((resolve, reject) => {
        let nowMs = 0
        openSocket(job.port, {
          onMessage(bytes, start, end) {
            // One look at the clock for all that has arrived together.
            if (nowMs === 0) nowMs = performance.now()
            const slot = bytes.readUInt32LE(start + FRAME_HEADER_BYTES / 2)
            const sentAtMs = ring.sentAtMs[slot]
            if (sentAtMs === undefined || Number.isNaN(sentAtMs)) {
              reject(new Error(`A reply to frame ${slot}, which is not in flight.`))
              return
            }
            recorder.frame(bytes, start, end, sentAtMs, nowMs)
            ring.sentAtMs[slot] = Number.NaN
            inFlight--
          },
          onArrived() {
            if (nowMs >= endMs) framesLeft = 0
            nowMs = 0
            fill()
            if (inFlight === 0) resolve()
          },
          onClosed: (reason) => reject(new Error(reason)),
        }).then((opened) => {
          socket = opened
          fill()
          if (inFlight === 0) resolve()
        }, reject)
      }).finally(() => socket?.close())
    }),
  )
  return recorder.report(performance.now())
}
