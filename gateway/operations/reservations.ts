/** Reservations: one, several together, confirmed, released, read. */
import { z } from 'zod'
import type { LineResult } from '../../actors/inventory/batch.js'
import type { ReservationView } from '../../actors/inventory/views.js'
import { NO_LOCATION, Operation as PackedOperation, STATUS_CODES, Status } from '../../actors/inventory/wire.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Directory } from '../directory.js'
import type { Dispatch } from '../dispatch.js'
import { overloaded, problem } from '../problems.js'
import { idBytes, RESERVE_BYTES, type ReservationRequest, writeReserveRecord } from '../reserve-record.js'
import * as schemas from '../schemas.js'
import { isoTime } from './inventory.js'
import { failed, type OperationContext, operation } from './operation.js'

const id = z.object({ id: schemas.uuid })

const HTTP_STATUS: Record<number, number> = {
  [Status.unknownSku]: 404,
  [Status.unknownLocation]: 404,
  [Status.unknownReservation]: 404,
  [Status.invalid]: 422,
  [Status.overloaded]: 503,
}

/** Why a reservation was refused, in words that say what to do. */
export function refusal(
  status: Status,
  request: { sku: string; quantity: number; location?: string | undefined },
  atp: number,
): Outcome {
  const code = STATUS_CODES[status]
  return problem(HTTP_STATUS[status] ?? 409, code, refusalDetail(status, request, atp))
}

function refusalDetail(
  status: Status,
  { sku, quantity, location }: { sku: string; quantity: number; location?: string | undefined },
  atp: number,
): string {
  switch (status) {
    case Status.insufficientStock:
      if (atp < quantity) return `ATP of ${sku} is ${atp}, less than the ${quantity} asked for.`
      return location === undefined
        ? `No single location has ${quantity} of ${sku} that are not set apart; ATP over all is ${atp}. Reserve in several parts.`
        : `${location} has less than ${quantity} of ${sku}; ATP over all is ${atp}. Leave the location out, or choose another.`
    case Status.unknownSku:
      return `There is no SKU ${sku}; put the product first.`
    case Status.unknownLocation:
      return `There is no location ${location} in service; put the location first.`
    case Status.buyerLimit:
      return `With ${quantity} more, this buyer would have more of ${sku} than one may.`
    case Status.saleClosed:
      return `What is left of ${sku} is set apart for a sale that is not open.`
    case Status.conflict:
      return 'This id was used for another reservation; use a new id, or send the first content again.'
    case Status.expired:
      return 'The reservation has expired and its stock was given back; reserve again with a new id.'
    case Status.unknownReservation:
      return 'There is no such reservation; it was refused, or ended long ago.'
    case Status.overloaded:
      return 'More is waiting than can be taken on; nothing was done. Try again shortly.'
    default:
      return `A reservation cannot be ${STATUS_CODES[status]}.`
  }
}

interface PackedAnswer {
  status: Status
  replayed: boolean
  location: number
  remaining: number
  timeMs: number
}

/** Sends one packed record to the partition of its SKU; an outcome where it could not be taken. */
function sendOne(
  dispatch: Dispatch,
  partition: number,
  operation: number,
  record: Uint8Array,
): Promise<PackedAnswer | Outcome> {
  return new Promise((resolve) => {
    const at = dispatch.reserveFrame(partition, record.length)
    if (at < 0) {
      dispatch.overloads++
      resolve(overloaded())
      return
    }
    dispatch.links.bytesOf(partition).set(record, at)
    dispatch.sendFrame(partition, operation, 1, record.length, {
      frameReply(_count, timeMs, words, reply) {
        const first = words[reply]!
        resolve({
          // The low byte is a status: the partition writes no other.
          status: (first & 0xff) as Status,
          replayed: (first & 0xff00) !== 0,
          location: first >>> 16,
          remaining: words[reply + 1]!,
          timeMs,
        })
      },
      refused(reason) {
        resolve(overloaded(reason))
      },
    })
  })
}

const isOutcome = (answer: PackedAnswer | Outcome): answer is Outcome => 'body' in answer

interface HeldView {
  id: string
  sku: string
  quantity: number
  location: string
  status: string
  expiresAt: string
  remaining: number
}

const heldView = (
  directory: Directory,
  request: ReservationRequest,
  status: string,
  expiresAtMs: number,
  { location, remaining }: { location: number; remaining: number },
): HeldView => ({
  id: request.id,
  sku: request.sku,
  quantity: request.quantity,
  location: directory.name('locations', location),
  status,
  expiresAt: isoTime(expiresAtMs),
  remaining,
})

const scratch = Buffer.alloc(RESERVE_BYTES)
const scratchView = new DataView(scratch.buffer, scratch.byteOffset, RESERVE_BYTES)

async function create(request: ReservationRequest, context: OperationContext): Promise<Outcome> {
  const { directory, dispatch } = context
  const sku = writeReserveRecord(request, context, scratchView, 0)
  if (typeof sku !== 'number') return sku
  const partition = directory.partitionOfSku(sku)
  const answer = await sendOne(dispatch, partition, PackedOperation.reserve, scratch)
  if (isOutcome(answer)) return answer
  if (answer.status !== Status.done) return refusal(answer.status, request, answer.remaining)
  if (!answer.replayed) {
    const expiresAtMs = answer.timeMs + request.ttlSeconds * 1000
    return { status: 201, body: heldView(directory, request, 'held', expiresAtMs, answer) }
  }
  // The first answer again, with what has become of it since.
  const now = await dispatch.query(partition, 'reservation.get', { id: idBytes(request.id) })
  if (failed(now)) return now
  const { status, expiresAtMs } = now.body as ReservationView
  return { status: 200, body: heldView(directory, request, status, expiresAtMs, answer) }
}

/** The reservation and the partition that has it; ids say nothing of where they are, so all are asked. */
async function find(
  reservation: string,
  { dispatch }: OperationContext,
): Promise<{ partition: number; view: ReservationView } | Outcome> {
  const outcomes = await dispatch.queryAll('reservation.get', { id: idBytes(reservation) })
  const partition = outcomes.findIndex((outcome) => !failed(outcome))
  if (partition >= 0) return { partition, view: outcomes[partition]!.body as ReservationView }
  return outcomes.find(({ status }) => status !== 404) ?? outcomes[0]!
}

const reservationView = (directory: Directory, reservation: string, view: ReservationView): object => ({
  id: reservation,
  sku: directory.name('skus', view.sku),
  quantity: view.quantity,
  location: directory.name('locations', view.location),
  status: view.status,
  expiresAt: isoTime(view.expiresAtMs),
  remaining: view.remaining,
})

async function settle(reservation: string, packedOperation: number, context: OperationContext): Promise<Outcome> {
  const found = await find(reservation, context)
  if ('status' in found) return found
  const record = Buffer.alloc(20)
  idBytes(reservation).copy(record)
  record.writeUInt32LE(found.view.sku, 16)
  const answer = await sendOne(context.dispatch, found.partition, packedOperation, record)
  if (isOutcome(answer)) return answer
  const sku = context.directory.name('skus', found.view.sku)
  if (answer.status === Status.conflict) {
    return problem(
      409,
      'conflict',
      'The reservation was released and can no longer be confirmed; reserve again with a new id.',
    )
  }
  if (answer.status !== Status.done)
    return refusal(answer.status, { sku, quantity: found.view.quantity }, answer.remaining)
  const after = await find(reservation, context)
  if ('status' in after) return after
  return { status: 200, body: reservationView(context.directory, reservation, after.view) }
}

/** Lines of one batch, in the order of the request. */
interface BatchLine {
  request: ReservationRequest
  sku: number
  record: Uint8Array
}

async function createBatch(
  { reservations, allOrNothing }: z.output<typeof schemas.reservationBatch>,
  context: OperationContext,
): Promise<Outcome> {
  const { directory, dispatch } = context
  const outcomes: Outcome[] = new Array(reservations.length)
  const lines: (BatchLine & { place: number })[] = []
  reservations.forEach((request, place) => {
    const record = Buffer.alloc(RESERVE_BYTES)
    const sku = writeReserveRecord(request, context, new DataView(record.buffer, record.byteOffset, RESERVE_BYTES), 0)
    if (typeof sku === 'number') lines.push({ request, sku, record, place })
    else outcomes[place] = sku
  })
  if (allOrNothing && lines.length < reservations.length) return batchRefused(outcomes, reservations)

  const groups = allOrNothing ? [lines] : [...directory.byPartition(lines, ({ sku }) => sku).values()]
  let held = true
  for (const group of groups.filter(({ length }) => length > 0)) {
    const partition = directory.partitionOfSku(group[0]!.sku)
    const body = { lines: Buffer.concat(group.map(({ record }) => record)), allOrNothing }
    const answer = await dispatch.command(partition, 'reservation.batch', body)
    if (failed(answer) && groups.length === 1) return answer
    const results = failed(answer) ? undefined : (answer.body as { held: boolean; results: LineResult[] })
    held &&= results?.held ?? true
    group.forEach(({ request, place }, i) => {
      outcomes[place] = results ? lineOutcome(directory, request, results.results[i]!) : answer
    })
  }
  if (allOrNothing && !held) return batchRefused(outcomes, reservations)
  const items = outcomes.map(({ status, body }, i) =>
    status < 300
      ? body
      : { id: reservations[i]!.id, sku: reservations[i]!.sku, status: 'refused', ...(body as object) },
  )
  return { status: 201, body: { reservations: items } }
}

function lineOutcome(directory: Directory, request: ReservationRequest, result: LineResult): Outcome {
  if (result.status !== Status.done) return refusal(result.status, request, result.remaining)
  if (result.location === NO_LOCATION) throw new Error('what is held has a location')
  return { status: 201, body: heldView(directory, request, result.state, result.expiresAtMs, result) }
}

/** All or nothing, and it is nothing: which lines stood in the way. */
function batchRefused(outcomes: Outcome[], reservations: ReservationRequest[]): Outcome {
  const refused = reservations.flatMap((_, i) =>
    outcomes[i] && failed(outcomes[i]) ? [{ i, outcome: outcomes[i] }] : [],
  )
  const errors = refused.map(({ i, outcome }) => ({
    path: `reservations.${i}`,
    message: (outcome.body as { detail: string }).detail,
    code: (outcome.body as { code: string }).code,
  }))
  const { status, body } = refused[0]!.outcome
  const { code } = body as { code: string }
  return problem(
    status,
    code,
    `Nothing was held: ${errors.length} of ${reservations.length} lines cannot be. ${errors[0]!.message}`,
    errors,
  )
}

export const reservationOperations = [
  operation({
    name: 'reservation.create',
    summary: 'Holds stock for a time',
    http: { method: 'POST', path: '/v1/reservations', status: 201 },
    body: schemas.reservation,
    run: create,
  }),
  operation({
    name: 'reservation.batch',
    summary: 'Holds several, all or nothing where asked; lines of one SKU are checked together',
    http: { method: 'POST', path: '/v1/reservations/batch', status: 201 },
    body: schemas.reservationBatch,
    run: createBatch,
  }),
  operation({
    name: 'reservation.get',
    summary: 'A reservation',
    http: { method: 'GET', path: '/v1/reservations/{id}', status: 200 },
    parameters: id,
    async run({ id }, context) {
      const found = await find(id, context)
      return 'status' in found ? found : { status: 200, body: reservationView(context.directory, id, found.view) }
    },
  }),
  operation({
    name: 'reservation.confirm',
    summary: 'Turns what is reserved into allocated',
    http: { method: 'POST', path: '/v1/reservations/{id}/confirm', status: 200 },
    parameters: id,
    run: ({ id }, context) => settle(id, PackedOperation.confirm, context),
  }),
  operation({
    name: 'reservation.release',
    summary: 'Gives what is held back to ATP',
    http: { method: 'POST', path: '/v1/reservations/{id}/release', status: 200 },
    parameters: id,
    run: ({ id }, context) => settle(id, PackedOperation.release, context),
  }),
]
