/** Turns events into the journal. An entry has its event's id, so one that is read again after a crash is posted once. */
import type { Logger } from 'pino'
import type { OrderView } from '../../actors/order/order-views.js'
import { failed, type OperationContext } from '../operations/operation.js'
import { EventConsumer, GiveUp } from '../outbox/event-consumer.js'
import { faultsOf } from './entry.js'
import { Ledger, POSTING } from './ledger.js'
import { unitsOpening } from './opening.js'
import { entryOf, isPosted } from './posting.js'

/** Entries under way at once: each waits for a commit that all of them share. */
const AT_ONCE = 64

export function erpConsumer(context: OperationContext, logger: Logger): EventConsumer {
  const { dispatch, directory, records } = context
  const ledger = new Ledger(context)
  const readOrder = async (id: string): Promise<OrderView | undefined> => {
    const outcome = await dispatch.query(directory.partitionOfOrder(id), 'order.get', { id })
    if (outcome.status === 404) return undefined
    if (failed(outcome)) throw new Error(`order ${id} cannot be read: ${outcome.status}`)
    // What an order's partition answers.
    return outcome.body as OrderView
  }
  return new EventConsumer({
    name: POSTING,
    dispatch,
    records,
    logger,
    wants: isPosted,
    concurrency: AT_ONCE,
    // A journal with holes is worse than one that waits.
    attemptsMax: Number.POSITIVE_INFINITY,
    handle: async (event) => {
      const entry = await entryOf(event, readOrder, (told) => unitsOpening(told, context))
      if (!entry) return
      const faults = faultsOf(entry)
      if (faults.length > 0) throw new GiveUp(`${event.type} does not balance: ${faults.join('; ')}`)
      await ledger.post(entry)
    },
  })
}
