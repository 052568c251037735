/**
 * Orders in a closed loop: each lane sends a message of orders, and when it is answered either the next one or the next
 * step of the same orders, up to delivered. Each outcome in each answer is looked at.
 */
import { Unpackr } from 'msgpackr'
import type { LoadReport, OrdersJob } from './load-protocol.js'
import { Recorder } from './load-record.js'
import { PlaceMessage, STEPS, StepMessage } from './order-messages.js'
import { type BareSocket, openSocket } from './socket.js'

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' })
/** Each lane has so many messages that differ in SKUs and addresses, and goes through them in turn. */
const PREPARED_PER_LANE = 8

/** What the server answers to a message; one that answers otherwise fails at the first use. */
export interface BulkReply {
  readonly ref: number
  readonly status: number
  readonly body: { readonly results: readonly { status: number; id?: string; code?: string }[]; readonly code?: string }
}

export function readReply(bytes: Buffer, start: number, end: number): BulkReply {
  return unpackr.unpack(bytes.subarray(start, end)) as BulkReply
}

/** Whether all is well; what is not is counted as refused. */
export function checkReply(recorder: Recorder, reply: BulkReply, wanted: number, count: number): boolean {
  if (reply.status !== 200 || reply.body.results.length !== count) {
    recorder.refused(`message ${reply.status} ${reply.body.code ?? ''}`, count)
    return false
  }
  let isWell = true
  for (const { status, code } of reply.body.results) {
    if (status === wanted) continue
    recorder.refused(`${status} ${code ?? ''}`.trim())
    isWell = false
  }
  return isWell
}

/** Who does one message at a time, over a socket that it shares with others. */
interface Lane {
  readonly ref: number
  readonly messages: readonly PlaceMessage[]
  readonly steps: readonly StepMessage[]
  turn: number
  /** How far its orders are: -1 while they are being placed, then the index of the step under way. */
  step: number
  ids: string[]
  startedMs: number
}

export async function runOrders(job: OrdersJob): Promise<LoadReport> {
  const endMs = performance.now() + job.measureMs
  const units = new Float64Array(job.skus.length)
  const perMessage = job.ordersPerMessage
  let recorder = new Recorder(performance.now(), Number.POSITIVE_INFINITY)
  let isWarm = job.warmUpOrders === 0
  let started = 0
  let done = 0
  let lastMs = 0

  const finish = (lane: Lane, nowMs: number) => {
    done += perMessage
    lastMs = nowMs
    recorder.answered(perMessage, nowMs - lane.startedMs, nowMs)
    if (!isWarm && done >= job.warmUpOrders) {
      isWarm = true
      recorder = recorder.restarted(nowMs)
    }
  }

  await Promise.all(
    Array.from({ length: job.sockets }, async (_, at) => {
      const lanes = Array.from({ length: job.messagesInFlight }, (_, ref) => newLane(job, ref))
      let busy = 0
      let socket: BareSocket | undefined

      /** Sends a lane's next message of new orders, while there is need for more. */
      const place = (lane: Lane, nowMs: number) => {
        if (started >= job.ordersMax || nowMs >= endMs) return
        const message = lane.messages[lane.turn++ % lane.messages.length] as PlaceMessage
        message.number(started)
        started += perMessage
        for (const lines of message.orders) for (const { sku, quantity } of lines) (units[sku] as number) += quantity
        lane.step = -1
        lane.startedMs = nowMs
        busy++
        socket?.write(message.bytes)
      }

      const advance = (lane: Lane, nowMs: number) => {
        const next = lane.steps[++lane.step]
        if (!next) {
          finish(lane, nowMs)
          place(lane, nowMs)
          return
        }
        next.address(lane.ids)
        busy++
        socket?.write(next.bytes)
      }

      await new Promise<void>((resolve, reject) => {
        openSocket(job.port, {
          onMessage(bytes, start, end) {
            const nowMs = performance.now()
            const reply = readReply(bytes, start, end)
            const lane = lanes[reply.ref]
            if (!lane) {
              reject(new Error(`A reply to message ${reply.ref}, which is not in flight.`))
              return
            }
            busy--
            const isPlaced = lane.step < 0
            // What was refused is counted; its lane ends, so that nothing is built on it.
            if (checkReply(recorder, reply, isPlaced ? 201 : 200, perMessage)) {
              if (isPlaced && lane.steps.length > 0) lane.ids = reply.body.results.map(({ id }) => id as string)
              advance(lane, nowMs)
            }
            if (busy === 0) resolve()
          },
          onClosed: (reason) => reject(new Error(`socket ${at}: ${reason}`)),
        }).then((opened) => {
          socket = opened
          for (const lane of lanes) place(lane, performance.now())
          if (busy === 0) resolve()
        }, reject)
      }).finally(() => socket?.close())
    }),
  )
  return { ...recorder.report(lastMs), orders: started, units }
}

function newLane(job: OrdersJob, ref: number): Lane {
  return {
    ref,
    messages: Array.from(
      { length: PREPARED_PER_LANE },
      () => new PlaceMessage(ref, job.ordersPerMessage, job.skus, job.prefix),
    ),
    steps: job.isWhole ? STEPS.map((step) => new StepMessage(ref, step, job.ordersPerMessage)) : [],
    turn: 0,
    step: -1,
    ids: [],
    startedMs: 0,
  }
}
