/**
 * The open loop: frames are sent when they are due, and each latency counts from the instant the frame was due, so that a
 * pause of the server is felt by all who would have come meanwhile (no coordinated omission). Where this process itself
 * is late, that is in the latency too, and is counted apart.
 */
import { Worker } from 'node:worker_threads'
import { FRAME_HEADER_BYTES, Operation } from '../actors/inventory/wire.js'
import { FrameRing, IdSource, SkuWalk } from './load-frames.js'
import { type PacerData, sharedNowMs } from './load-pacer.js'
import type { LoadReport, OpenJob } from './load-protocol.js'
import { Recorder } from './load-record.js'
import { arrivalsMs } from './schedule.js'
import { type BareSocket, openSocket } from './socket.js'

const TTL_SECONDS = 86_400
/** Frames in flight on one socket at most; a server that is further behind lets due frames wait, which is latency too. */
const SLOTS = 512
const LATE_MS = 1
/** By then the pacer's thread is up. */
const FIRST_DUE_AFTER_MS = 300

interface Lane {
  readonly ring: FrameRing
  inFlight: number
  socket?: BareSocket
}

export async function runOpen(job: OpenJob): Promise<LoadReport> {
  const dueMs = arrivalsMs(job.framesPerSecond, job.warmUpMs + job.measureMs)
  const ids = new IdSource()
  const skus = new SkuWalk(job.skus)
  const lanes: Lane[] = Array.from({ length: job.sockets }, () => ({
    ring: new FrameRing(Operation.reserve, SLOTS, job.recordsPerFrame, TTL_SECONDS),
    inFlight: 0,
  }))
  let next = 0
  let answered = 0
  let lateFrames = 0
  let latestMs = 0
  let finish = () => {}
  let fail: (error: Error) => void = () => {}
  const finished = new Promise<void>((resolve, reject) => {
    finish = resolve
    fail = reject
  })
  // Where all goes wrong before the run is waited for, that is no reason to end without a word.
  finished.catch(() => {})

  await Promise.all(
    lanes.map(async (lane) => {
      let nowMs = 0
      lane.socket = await openSocket(job.port, {
        onMessage(bytes, start, end) {
          if (nowMs === 0) nowMs = sharedNowMs()
          const slot = bytes.readUInt32LE(start + FRAME_HEADER_BYTES / 2)
          recorder.frame(bytes, start, end, lane.ring.sentAtMs[slot] as number, nowMs)
          lane.ring.sentAtMs[slot] = Number.NaN
          lane.inFlight--
          answered++
        },
        onArrived() {
          nowMs = 0
          if (answered === dueMs.length) finish()
          else sendDue()
        },
        onClosed: (reason) => fail(new Error(reason)),
      })
    }),
  )

  const startMs = sharedNowMs() + FIRST_DUE_AFTER_MS
  const recorder = new Recorder(startMs + job.warmUpMs, startMs + job.warmUpMs + job.measureMs)

  function sendDue(): void {
    const nowMs = sharedNowMs()
    while (next < dueMs.length) {
      const due = startMs + (dueMs[next] as number)
      const lane = lanes[next % lanes.length] as Lane
      if (due > nowMs || lane.inFlight === SLOTS) return
      const { first, end } = lane.ring.take(1)
      lane.ring.fillReserve(first, ids, skus)
      lane.ring.sentAtMs[first] = due
      lane.socket?.write(lane.ring.bytes.subarray(first * lane.ring.slotBytes, end * lane.ring.slotBytes))
      lane.inFlight++
      next++
      if (nowMs - due > LATE_MS) lateFrames++
      latestMs = Math.max(latestMs, nowMs - due)
    }
  }

  const rung = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const pacer = new Worker(new URL('./load-pacer.js', import.meta.url), {
    workerData: { dueMs, rung, startMs } satisfies PacerData,
  })
  pacer.on('error', fail)
  pacer.on('message', () => {
    Atomics.store(rung, 0, 0)
    sendDue()
  })
  try {
    await finished
  } finally {
    for (const lane of lanes) lane.socket?.close()
    await pacer.terminate()
  }
  return { ...recorder.report(sharedNowMs()), frames: dueMs.length, lateFrames, latestMs }
}
