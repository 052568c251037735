/**
 * Batches: several reservations in one request. Within a partition a batch is one step. Over several partitions an
 * all-or-nothing batch is a saga: each partition holds its lines tentatively or refuses, the first line's partition
 * decides, and then all are settled or all forgotten. A tentative hold is nobody's until it is settled, and its time to
 * live is the backstop from then on: messages are durable, so each is decided.
 */
import { LATER, type Step } from '../../engine/actors.js'
import type { Placement } from '../../engine/placement.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { readDocument, writeDocument } from '../documents.js'
import { full, ok } from '../outcomes.js'
import type { Inventory } from './inventory.js'
import { RESERVATION_STATUS_NAMES } from './reservations.js'
import { Status } from './wire.js'

const LINE_BYTES = 40
const LINE_WORDS = 10

export interface LineResult {
  status: Status
  replayed: boolean
  location: number
  remaining: number
  /** As it stands now, where it is held. */
  state: string
  expiresAtMs: number
}

export interface BatchRequest {
  /** Reserve records of the wire, one behind the other. */
  lines: Uint8Array
  allOrNothing: boolean
}

interface Saga {
  /** For each line: its partition. */
  owners: number[]
  results: (LineResult | null)[]
  /** Partitions that have not answered yet: whether they hold their lines; once that is decided, that they know it. */
  waiting: number[]
  refused: boolean
}

interface HoldMessage {
  batch: number
  coordinator: number
  lines: Uint8Array
}

/** The lines that a participant holds for a batch, until it is decided. */
const partKey = (coordinator: number, batch: number): string => `batch-part/${coordinator}/${batch}`
const sagaKey = (batch: number): string => `batch/${batch}`

function wordsOf(lines: Uint8Array): Uint32Array {
  const words = new Uint32Array(lines.length / 4)
  new Uint8Array(words.buffer).set(lines)
  return words
}

export class Batches {
  constructor(
    private readonly store: Store,
    private readonly inventory: Inventory,
    private readonly placement: Placement,
    private readonly partition: number,
  ) {}

  /** Answers `{ held, results }`, the results in the order of the lines. */
  reserve(step: Step, { lines, allOrNothing }: BatchRequest): Outcome {
    const words = wordsOf(lines)
    const owners = Array.from({ length: words.length / LINE_WORDS }, (_, i) =>
      this.placement.partitionOf(words[i * LINE_WORDS + 6]!),
    )
    if (owners.every((owner) => owner === this.partition)) return ok(this.hold(step, words, allOrNothing, false))
    const participants = [...new Set(owners)]
    if (!step.hasRoom(participants.length)) return full('messages to other partitions')
    const saga: Saga = { owners, results: owners.map(() => null), waiting: participants, refused: false }
    writeDocument(this.store, sagaKey(step.commandNumber), saga)
    for (const participant of participants) {
      const parts = owners.flatMap((owner, i) => (owner === participant ? [lineBytes(lines, i)] : []))
      const message: HoldMessage = {
        batch: step.commandNumber,
        coordinator: this.partition,
        lines: Buffer.concat(parts),
      }
      step.send(participant, 'batch.hold', message)
    }
    return LATER
  }

  private hold(step: Step, words: Uint32Array, allOrNothing: boolean, tentative: boolean) {
    const { inventory } = this
    const results: LineResult[] = []
    const held: number[] = []
    for (let at = 0; at < words.length; at += LINE_WORDS) {
      const status = inventory.reserve(words, at, inventory.reservations.hashOf(words, at), step.timeMs)
      if (status === Status.done && !inventory.replayed) held.push(inventory.record)
      results.push(this.result(status))
    }
    const refused = results.some(({ status }) => status !== Status.done)
    if (allOrNothing && refused) for (const record of held.reverse()) inventory.forget(record)
    else if (tentative) for (const record of held) inventory.reservations.setTentative(record)
    return { held: !(allOrNothing && refused), results }
  }

  private result(status: Status): LineResult {
    const { record, replayed, location, remaining, reservations } = this.inventory
    return {
      status,
      replayed,
      location,
      remaining,
      state: record < 0 ? '' : RESERVATION_STATUS_NAMES[reservations.status(record)],
      expiresAtMs: record < 0 ? 0 : reservations.expiresAtMs(record),
    }
  }

  /** In a participant: hold these lines or none of them, and say which. */
  holdLines(step: Step, { batch, coordinator, lines }: HoldMessage): void {
    const { held, results } = this.hold(step, wordsOf(lines), true, true)
    const fresh = results.flatMap(({ replayed }, i) => (held && !replayed ? [lineBytes(lines, i)] : []))
    writeDocument(this.store, partKey(coordinator, batch), Buffer.concat(fresh))
    step.send(coordinator, 'batch.held', { batch, held, results })
  }

  /** In the coordinator: one participant has answered. */
  linesHeld(step: Step, from: number, body: { batch: number; held: boolean; results: LineResult[] }): void {
    const saga = this.sagaWaitingFor(from, body.batch)
    if (!saga) return
    let next = 0
    saga.owners.forEach((owner, i) => {
      if (owner === from) saga.results[i] = body.results[next++]!
    })
    saga.waiting = saga.waiting.filter((other) => other !== from)
    saga.refused ||= !body.held
    if (saga.waiting.length === 0) {
      saga.waiting = [...new Set(saga.owners)]
      const decision = saga.refused ? 'batch.forget' : 'batch.settle'
      for (const participant of saga.waiting) step.send(participant, decision, { batch: body.batch })
    }
    writeDocument(this.store, sagaKey(body.batch), saga)
  }

  /** In the coordinator: one participant has done what was decided. Who is answered may rely on it everywhere. */
  decisionDone(step: Step, from: number, { batch }: { batch: number }): void {
    const saga = this.sagaWaitingFor(from, batch)
    if (!saga) return
    saga.waiting = saga.waiting.filter((other) => other !== from)
    if (saga.waiting.length > 0) {
      writeDocument(this.store, sagaKey(batch), saga)
      return
    }
    this.store.delete(sagaKey(batch))
    step.answer(batch, ok({ held: !saga.refused, results: saga.results }))
  }

  private sagaWaitingFor(from: number, batch: number): Saga | undefined {
    const saga = readDocument<Saga>(this.store, sagaKey(batch))
    return saga?.waiting.includes(from) ? saga : undefined
  }

  /** In a participant: the coordinator has decided. */
  decided(step: Step, from: number, { batch }: { batch: number }, held: boolean): void {
    const { reservations } = this.inventory
    const words = wordsOf(readDocument<Uint8Array>(this.store, partKey(from, batch)) ?? new Uint8Array(0))
    this.store.delete(partKey(from, batch))
    for (let at = 0; at < words.length; at += LINE_WORDS) {
      const record = reservations.find(reservations.hashOf(words, at), words, at)
      if (record < 0 || !reservations.isTentative(record)) continue
      reservations.settle(record, step.timeMs)
      if (!held) this.inventory.forget(record)
    }
    step.send(from, 'batch.done', { batch })
  }
}

const lineBytes = (lines: Uint8Array, i: number): Uint8Array => lines.subarray(i * LINE_BYTES, (i + 1) * LINE_BYTES)
