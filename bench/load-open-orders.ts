/**
 * Orders in an open loop: messages are sent when they are due, and each latency counts from the instant the message was
 * due to its answer, when all its orders are allocated and durable.
 */
import { Worker } from 'node:worker_threads'
import { checkReply, readReply } from './load-orders.js'
import { type PacerData, sharedNowMs } from './load-pacer.js'
import type { LoadReport, OpenOrdersJob } from './load-protocol.js'
import { Recorder } from './load-record.js'
import { PlaceMessage } from './order-messages.js'
import { arrivalsMs } from './schedule.js'
import { type BareSocket, openSocket } from './socket.js'

/** Messages in flight on one socket at most; where the server is further behind, due ones wait, which is latency too. */
const SLOTS = 256
const LATE_MS = 1
/** By then the pacer's thread is up. */
const FIRST_DUE_AFTER_MS = 300

interface Lane {
  readonly messages: readonly PlaceMessage[]
  readonly dueMs: Float64Array
  readonly free: number[]
  socket?: BareSocket
}

export async function runOpenOrders(job: OpenOrdersJob): Promise<LoadReport> {
  const dueMs = arrivalsMs(job.messagesPerSecond, job.warmUpMs + job.measureMs)
  const units = new Float64Array(job.skus.length)
  const lanes: Lane[] = Array.from({ length: job.sockets }, () => ({
    messages: Array.from(
      { length: SLOTS },
      (_, ref) => new PlaceMessage(ref, job.ordersPerMessage, job.skus, job.prefix),
    ),
    dueMs: new Float64Array(SLOTS),
    free: Array.from({ length: SLOTS }, (_, slot) => slot),
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
      lane.socket = await openSocket(job.port, {
        onMessage(bytes, start, end) {
          const nowMs = sharedNowMs()
          const reply = readReply(bytes, start, end)
          checkReply(recorder, reply, 201, job.ordersPerMessage)
          recorder.answered(job.ordersPerMessage, nowMs - (lane.dueMs[reply.ref] as number), nowMs)
          lane.free.push(reply.ref)
          answered++
        },
        onArrived() {
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
      if (due > nowMs) return
      const slot = lane.free.pop()
      if (slot === undefined) return
      const message = lane.messages[slot] as PlaceMessage
      message.number(next * job.ordersPerMessage)
      for (const lines of message.orders) for (const { sku, quantity } of lines) (units[sku] as number) += quantity
      lane.dueMs[slot] = due
      lane.socket?.write(message.bytes)
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
  return {
    ...recorder.report(sharedNowMs()),
    frames: dueMs.length,
    lateFrames,
    latestMs,
    orders: next * job.ordersPerMessage,
    units,
  }
}
