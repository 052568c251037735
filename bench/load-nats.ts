/**
 * Load by NATS: a window of messages in flight on one connection, each answered on an inbox of its own slot. The window is
 * kept full, so it finds the highest rate; its latencies are those of a full queue. For the intake an answer is the stream's,
 * and what counts is what the server has carried out and acknowledged by the end.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, createInbox, type Msg, type NatsConnection } from 'nats'
import { FRAME_HEADER_BYTES, Operation, recordBytes } from '../actors/inventory/wire.js'
import { FrameRing, IdSource, SkuWalk } from './load-frames.js'
import type { LoadReport, NatsJob } from './load-protocol.js'
import { Recorder } from './load-record.js'
import { frameHeadBytes } from './socket.js'

const TTL_SECONDS = 86_400
const ID_PLACE = '00000000-0000-4000-8000-000000000000'
const DRAIN_MS_MAX = 60_000
const POLL_MS = 20

/** Messages by slot: filled anew once the slot's answer has come, since the client keeps what it was given until then. */
interface Source {
  readonly subject: string
  fill(slot: number): Uint8Array
  /** Answers counted in one reply, or why it is not the wanted one. */
  read(message: Msg, slot: number, sentAtMs: number, nowMs: number, recorder: Recorder): void
}

function packed(job: NatsJob): Source {
  const { recordsPerFrame } = job
  const ring = new FrameRing(Operation.reserve, job.inFlight, recordsPerFrame, TTL_SECONDS)
  const ids = new IdSource()
  const skus = new SkuWalk(job.skus)
  const payloadBytes = FRAME_HEADER_BYTES + recordsPerFrame * recordBytes(Operation.reserve)
  const headBytes = frameHeadBytes(payloadBytes)
  return {
    subject: 'doorbuster.v1.reserve',
    fill(slot) {
      ring.fillReserve(slot, ids, skus)
      const at = slot * ring.slotBytes + headBytes
      return ring.bytes.subarray(at, at + payloadBytes)
    },
    read({ data }, _slot, sentAtMs, nowMs, recorder) {
      recorder.frame(Buffer.from(data.buffer, data.byteOffset, data.length), 0, data.length, sentAtMs, nowMs)
    },
  }
}

/** Bodies that are the same but for an id, which is written into prepared bytes. */
function prepared(job: NatsJob, bodyOf: (sku: string, id: string) => object): (slot: number) => Uint8Array {
  const slots = Array.from({ length: job.inFlight }, (_, i) => {
    const bytes = Buffer.from(JSON.stringify(bodyOf(job.names[i % job.names.length] ?? '', ID_PLACE)))
    return { bytes, idAt: bytes.indexOf(ID_PLACE) }
  })
  return (slot) => {
    const { bytes, idAt } = slots[slot] as { bytes: Buffer; idAt: number }
    bytes.write(randomUUID(), idAt, 'latin1')
    return bytes
  }
}

const STATUS_201 = Buffer.from('{"status":201')

function commands(job: NatsJob): Source {
  return {
    subject: 'doorbuster.v1.command.reservation.create',
    fill: prepared(job, (sku, id) => ({ id, sku, quantity: 1, ttlSeconds: TTL_SECONDS })),
    read({ data }, _slot, sentAtMs, nowMs, recorder) {
      if (STATUS_201.compare(data, 0, STATUS_201.length) !== 0)
        recorder.refused(Buffer.from(data).toString().slice(0, 80))
      recorder.answered(1, nowMs - sentAtMs, nowMs)
    },
  }
}

const STORED = Buffer.from('{"stream"')

function intake(job: NatsJob): Source {
  return {
    subject: 'doorbuster.v1.intake.reservation.create',
    fill: prepared(job, (sku, id) => ({ id, sku, quantity: 1, ttlSeconds: TTL_SECONDS })),
    read({ data }, _slot, sentAtMs, nowMs, recorder) {
      if (STORED.compare(data, 0, STORED.length) !== 0) recorder.refused(Buffer.from(data).toString().slice(0, 80))
      recorder.answered(1, nowMs - sentAtMs, nowMs)
    },
  }
}

const SOURCES = { packed, commands, intake } as const

export async function runNats(job: NatsJob): Promise<LoadReport> {
  const nats = await connect({ servers: job.nats })
  try {
    return await (job.mode === 'intake' ? runIntake(nats, job) : runRequests(nats, job))
  } finally {
    await nats.close()
  }
}

async function runRequests(nats: NatsConnection, job: NatsJob): Promise<LoadReport> {
  const { warmUpMs, measureMs } = job
  const startMs = performance.now()
  const used = process.cpuUsage()
  const recorder = new Recorder(startMs + warmUpMs, startMs + warmUpMs + measureMs)
  await fire(nats, job, warmUpMs + measureMs, SOURCES[job.mode](job), recorder)
  return { ...recorder.report(performance.now()), generatorSeconds: secondsSince(used) }
}

/** From the first message sent to the last one carried out: what waits in the stream at the end is no credit. */
async function runIntake(nats: NatsConnection, job: NatsJob): Promise<LoadReport> {
  const { url, measureMs } = job
  const before = url === undefined ? 0 : await acknowledged(url)
  const startMs = performance.now()
  const used = process.cpuUsage()
  const recorder = new Recorder(startMs, startMs + measureMs)
  const sent = await fire(nats, job, measureMs, intake(job), recorder)
  const report = recorder.report(performance.now())
  if (url !== undefined) await settled(url, before + sent)
  const seconds = (performance.now() - startMs) / 1_000
  return { ...report, operations: sent, seconds, generatorSeconds: secondsSince(used) }
}

function secondsSince(used: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(used)
  return (user + system) / 1_000_000
}

/** Keeps the window full for so long; how many messages were sent, once all are answered. */
function fire(nats: NatsConnection, job: NatsJob, forMs: number, source: Source, recorder: Recorder): Promise<number> {
  const endMs = performance.now() + forMs
  const inbox = createInbox()
  const replies = Array.from({ length: job.inFlight }, (_, slot) => `${inbox}.${slot}`)
  const sentAtMs = new Float64Array(job.inFlight)
  const slotAt = inbox.length + 1
  let inFlight = 0
  let sent = 0
  return new Promise((resolve, reject) => {
    const send = (slot: number): void => {
      sentAtMs[slot] = performance.now()
      inFlight++
      sent++
      nats.publish(source.subject, source.fill(slot), { reply: replies[slot] as string })
    }
    const subscription = nats.subscribe(`${inbox}.*`, {
      callback(error, message) {
        if (error || message.headers?.code) {
          reject(error ?? new Error(`${source.subject} is not answered: ${message.headers?.code}`))
          return
        }
        const slot = Number(message.subject.slice(slotAt))
        const nowMs = performance.now()
        inFlight--
        source.read(message, slot, sentAtMs[slot] as number, nowMs, recorder)
        if (nowMs < endMs && sent < job.messagesMax) send(slot)
        else if (inFlight === 0) {
          subscription.unsubscribe()
          resolve(sent)
        }
      },
    })
    for (let slot = 0; slot < job.inFlight; slot++) send(slot)
  })
}

async function acknowledged(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^doorbuster_nats_intake_acknowledged (\d+)/m.exec(text)?.[1] ?? Number.NaN)
}

async function settled(url: string, count: number): Promise<void> {
  for (const until = performance.now() + DRAIN_MS_MAX; (await acknowledged(url)) < count; ) {
    if (performance.now() > until) throw new Error(`Of ${count} messages not all were carried out.`)
    await sleep(POLL_MS)
  }
}
