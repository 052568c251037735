/**
 * Reservations come and go: each socket reserves until the wanted number is live, then releases the oldest for each new
 * one. What a server keeps of what is over would show as memory that grows.
 */
import { FRAME_HEADER_BYTES, Operation, REPLY_FLAG } from '../actors/inventory/wire.js'
import { FrameRing, IdSource, SkuWalk } from './load-frames.js'
import type { ChurnJob, LoadReport } from './load-protocol.js'
import { Recorder } from './load-record.js'
import { type BareSocket, openSocket } from './socket.js'

const TTL_SECONDS = 86_400
/** A release names an id and a SKU: 20 bytes in words of two. */
const HELD_WORDS = 10
const RESERVE_SKU_WORD = 12

export async function runChurn(job: ChurnJob): Promise<LoadReport> {
  const startMs = performance.now()
  const endMs = startMs + job.measureMs
  const recorder = new Recorder(startMs, endMs)
  const ids = new IdSource()
  const skus = new SkuWalk(job.skus)
  const held = new HeldQueue(job.live + job.sockets * job.framesInFlight * job.recordsPerFrame)

  await Promise.all(
    Array.from({ length: job.sockets }, async () => {
      const reserves = new FrameRing(Operation.reserve, job.framesInFlight, job.recordsPerFrame, TTL_SECONDS)
      const releases = new FrameRing(Operation.release, job.framesInFlight, job.recordsPerFrame)
      let inFlight = 0
      let ending = false
      let socket: BareSocket | undefined

      const send = () => {
        const release = held.length >= job.live
        const ring = release ? releases : reserves
        const { first, end } = ring.take(1)
        if (release) held.shift(ring, first)
        else ring.fillReserve(first, ids, skus)
        ring.sentAtMs[first] = performance.now()
        socket?.write(ring.bytes.subarray(first * ring.slotBytes, end * ring.slotBytes))
        inFlight++
      }

      await new Promise<void>((resolve, reject) => {
        openSocket(job.port, {
          onMessage(bytes, start, end) {
            const nowMs = performance.now()
            const released = bytes[start + 1] === (Operation.release | REPLY_FLAG)
            const ring = released ? releases : reserves
            const slot = bytes.readUInt32LE(start + FRAME_HEADER_BYTES / 2)
            recorder.frame(bytes, start, end, ring.sentAtMs[slot] as number, nowMs)
            ring.sentAtMs[slot] = Number.NaN
            if (!released) held.push(ring, slot)
            inFlight--
            if (nowMs >= endMs) ending = true
          },
          onArrived() {
            while (!ending && inFlight < job.framesInFlight) send()
            if (inFlight === 0) resolve()
          },
          onClosed: (reason) => reject(new Error(reason)),
        }).then((opened) => {
          socket = opened
          while (inFlight < job.framesInFlight) send()
        }, reject)
      }).finally(() => socket?.close())
    }),
  )
  return recorder.report(performance.now())
}

/** What is held, oldest first, in one ring of fixed size. */
class HeldQueue {
  length = 0
  readonly #words: Uint16Array
  readonly #capacity: number
  #oldest = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#words = new Uint16Array(capacity * HELD_WORDS)
  }

  /** Takes up the ids and SKUs of a reserve frame. */
  push(ring: FrameRing, slot: number): void {
    const { words, at, step } = ring.recordWords(slot)
    for (let i = 0; i < ring.records; i++) {
      const from = at + i * step
      const to = ((this.#oldest + this.length++) % this.#capacity) * HELD_WORDS
      for (let word = 0; word < 8; word++) this.#words[to + word] = words[from + word] as number
      this.#words[to + 8] = words[from + RESERVE_SKU_WORD] as number
      this.#words[to + 9] = words[from + RESERVE_SKU_WORD + 1] as number
    }
  }

  /** Moves the oldest into a release frame. */
  shift(ring: FrameRing, slot: number): void {
    const { words, at, step } = ring.recordWords(slot)
    for (let i = 0; i < ring.records; i++) {
      const from = this.#oldest * HELD_WORDS
      const to = at + i * step
      for (let word = 0; word < HELD_WORDS; word++) words[to + word] = this.#words[from + word] as number
      this.#oldest = this.#oldest + 1 === this.#capacity ? 0 : this.#oldest + 1
      this.length--
    }
  }
}
