/**
 * Transfer orders: stock of one SKU that goes from one location to another. It is allocated where it is, leaves when it is
 * shipped, is on its way as incoming supply, and is on hand where it is received.
 */
import type { Step } from '../../engine/actors.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { readDocument, writeDocument } from '../documents.js'
import { COMMANDS_REMEMBERED } from '../limits.js'
import { allocationNumber } from '../order/allocation-id.js'
import { conflict, created, ok, problem } from '../outcomes.js'
import type { Allocations } from './allocations.js'
import type { Locations } from './locations.js'
import { type Supply, TRANSFER } from './supply.js'

export interface Transfer {
  id: string
  sku: number
  from: number
  to: number
  quantity: number
  reason: string
  status: 'allocated' | 'shipped' | 'received' | 'cancelled'
  received: number
  expectedAtMs: number
  allocation: number
  /** Ids of receipts that were counted. */
  receipts: string[]
}

const keyOf = (id: string): string => `transfer/${id}`
const supplyOf = (id: string): string => `${TRANSFER}${id}`

export class Transfers {
  constructor(
    private readonly store: Store,
    private readonly allocations: Allocations,
    private readonly supply: Supply,
    private readonly locations: Locations,
    private readonly nextAllocation: () => number,
    private readonly partition: number,
  ) {}

  create(
    step: Step,
    wish: Pick<Transfer, 'id' | 'sku' | 'from' | 'to' | 'quantity' | 'reason' | 'expectedAtMs'>,
  ): Outcome {
    const { id, sku, from, to, quantity } = wish
    const known = readDocument<Transfer>(this.store, keyOf(id))
    if (known) {
      const isSame = known.sku === sku && known.from === from && known.to === to && known.quantity === quantity
      return isSame ? created(known) : conflict('This transfer id')
    }
    if (from === to) return problem(422, 'invalid', 'A transfer goes from one location to another one.')
    if (!this.locations.exists(to)) return problem(404, 'unknown_location', 'There is no such location to transfer to.')
    const allocation = allocationNumber(this.nextAllocation(), this.partition)
    if (!this.allocations.hold([{ allocation, sku, location: from, quantity, channel: 0 }], true, step.timeMs)) {
      return problem(409, 'insufficient_stock', 'The location has too little that is not promised; transfer less.')
    }
    const transfer: Transfer = { ...wish, status: 'allocated', received: 0, allocation, receipts: [] }
    writeDocument(this.store, keyOf(id), transfer)
    return created(transfer)
  }

  ship(step: Step, id: string): Outcome {
    return this.move(id, 'allocated', (transfer) => {
      const { sku, to, quantity, expectedAtMs, allocation } = transfer
      this.allocations.apply(step, [{ do: 'ship', allocation, sku }], { shipped: 'transfer_shipped', ref: id })
      const line = {
        id: supplyOf(id),
        sku,
        location: to,
        quantity,
        received: 0,
        expectedAtMs,
        reference: `transfer ${id}`,
      }
      const announced = this.supply.announce(line)
      if (announced.status >= 300) return announced
      transfer.status = 'shipped'
      return undefined
    })
  }

  /** `receipt` makes a repeated call count once; '' where there is none. */
  receive(step: Step, id: string, quantity: number, receipt: string): Outcome {
    const known = readDocument<Transfer>(this.store, keyOf(id))
    if (receipt !== '' && known?.receipts.includes(receipt)) return ok(known)
    return this.move(id, 'shipped', (transfer) => {
      const outcome = this.supply.receive(step, supplyOf(id), quantity, '')
      if (outcome.status >= 300) return outcome
      transfer.received += quantity
      if (receipt !== '') transfer.receipts = [...transfer.receipts, receipt].slice(-COMMANDS_REMEMBERED)
      if (transfer.received === transfer.quantity) transfer.status = 'received'
      return undefined
    })
  }

  cancel(step: Step, id: string): Outcome {
    return this.move(id, 'allocated', (transfer) => {
      this.allocations.apply(step, [{ do: 'release', allocation: transfer.allocation, sku: transfer.sku }], {
        shipped: 'transfer_shipped',
        ref: id,
      })
      transfer.status = 'cancelled'
      return undefined
    })
  }

  get(id: string): Outcome {
    const transfer = readDocument<Transfer>(this.store, keyOf(id))
    return transfer ? ok(transfer) : unknown(id)
  }

  private move(id: string, from: Transfer['status'], change: (transfer: Transfer) => Outcome | undefined): Outcome {
    const transfer = readDocument<Transfer>(this.store, keyOf(id))
    if (!transfer) return unknown(id)
    if (transfer.status !== from) {
      return {
        status: 409,
        body: {
          code: 'invalid_transition',
          detail: `Transfer ${id} is ${transfer.status}; that needs one that is ${from}.`,
          current: transfer.status,
        },
      }
    }
    const refused = change(transfer)
    if (refused) return refused
    writeDocument(this.store, keyOf(id), transfer)
    return ok(transfer)
  }
}

const unknown = (id: string): Outcome => problem(404, 'unknown_transfer', `There is no transfer ${id}.`)
