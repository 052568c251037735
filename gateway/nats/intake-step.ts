/** Messages of the intake as what they ask for: read, checked where that is cheap, and with what they concern. */
import type { Msg } from 'nats'
import type { Outcome } from '../../engine/protocol.js'
import type { Directory } from '../directory.js'
import { type NamedOperations, unknownCommand } from '../operations/named-operations.js'
import type { Operation } from '../operations/operation.js'
import type { ReservationRequest } from '../reserve-record.js'
import { reservation } from '../schemas.js'
import { type LaneStep, RESERVATION } from './intake-lanes.js'
import { keysOf, Step, type StepKeys } from './intake-order.js'
import { decodeBody } from './message-body.js'
import { plainReservation } from './plain-reservation.js'
import { INTAKE, nameIn } from './subjects.js'

const RESERVATION_SUBJECT = `${INTAKE}.${RESERVATION}`
const SKU_KEY = 'sku/'
const ORDER_KEY = 'order/'

/** A message in flight. */
export abstract class IntakeStep extends Step {
  state: 'waiting' | 'running' | 'postponed' = 'waiting'
  tries = 0
  /** From when on it may be given up that a postponed message comes again: somebody has removed it. */
  lostAtMs = Number.POSITIVE_INFINITY
  /** Of a stream that was made anew since: what is told of it now would be about another message. */
  isStale = false

  constructor(
    keys: StepKeys,
    readonly sequence: number,
    public message: Msg,
    /** Whose part of the window it takes. */
    readonly share: number,
  ) {
    super(keys)
  }
}

/** A command that is carried out by itself. */
export class CommandStep extends IntakeStep {
  constructor(
    keys: StepKeys,
    sequence: number,
    message: Msg,
    share: number,
    readonly command: { operation: Operation; body: unknown } | { refused: Outcome },
  ) {
    super(keys, sequence, message, share)
  }
}

/** A reservation, which goes to its partition with others. */
export class ReservationStep extends IntakeStep implements LaneStep {
  constructor(
    keys: StepKeys,
    sequence: number,
    message: Msg,
    share: number,
    readonly reservation: ReservationRequest,
    /** Index of its SKU, or -1 where it was not known yet. */
    readonly sku: number,
  ) {
    super(keys, sequence, message, share)
  }
}

export class StepReader {
  constructor(
    private readonly operations: NamedOperations,
    private readonly directory: Directory,
    /** The share of what says nothing of a partition. */
    private readonly unplaced: number,
  ) {}

  read(sequence: number, message: Msg): CommandStep | ReservationStep {
    const { subject } = message
    const decoded = decodeBody(message.data, message.headers)
    if (subject === RESERVATION_SUBJECT && !('fault' in decoded)) {
      const { body } = decoded
      const plain = plainReservation(body)
      const request = plain ?? reservation.safeParse(body).data
      if (request) {
        const keys = plain ? keysOfPlain(plain) : keysOf(RESERVATION, body)
        const sku = this.directory.find('skus', request.sku)
        return new ReservationStep(keys, sequence, message, this.shareOfSku(sku), request, sku)
      }
    }
    const name = nameIn(subject, INTAKE)
    const operation = this.operations.find(name)
    if ('fault' in decoded || !operation) {
      const refused = 'fault' in decoded ? decoded.fault : unknownCommand(name)
      return new CommandStep({ alone: [], shared: [], kind: name }, sequence, message, this.unplaced, { refused })
    }
    const { body } = decoded
    const keys = keysOf(name, body)
    return new CommandStep(keys, sequence, message, this.shareOf(keys), { operation, body })
  }

  private shareOfSku(sku: number): number {
    return sku < 0 ? this.unplaced : this.directory.partitionOfSku(sku)
  }

  /** The partition that a command most likely goes to: its order's, else that of the first SKU. */
  private shareOf({ alone, shared }: StepKeys): number {
    const order = alone.find((key) => key.startsWith(ORDER_KEY))
    if (order !== undefined) return this.directory.partitionOfOrder(order.slice(ORDER_KEY.length))
    const sku = shared[0] ?? alone.find((key) => key.startsWith(SKU_KEY))
    return sku === undefined ? this.unplaced : this.shareOfSku(this.directory.find('skus', sku.slice(SKU_KEY.length)))
  }
}

/** What `keysOf` finds in such a body. */
const keysOfPlain = ({ id, sku }: ReservationRequest): StepKeys => ({
  alone: [id],
  shared: [SKU_KEY + sku],
  kind: RESERVATION,
})
