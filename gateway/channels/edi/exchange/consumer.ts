/** Reads what happens to orders, and sees that partners of EDI are told. */
import type { Logger } from 'pino'
import type { EngineEvent } from '../../../../engine/protocol.js'
import type { OperationContext } from '../../../operations/operation.js'
import { EventConsumer, GiveUp } from '../../../outbox/event-consumer.js'
import { UnwritableDocument } from '../written-text.js'
import { exchangeOrder } from './order-exchange.js'

export function ediConsumer(context: OperationContext, logger: Logger): EventConsumer {
  const { dispatch, records } = context
  return new EventConsumer({
    name: 'edi',
    dispatch,
    records,
    logger,
    wants: (type) => type.startsWith('order.') || type.startsWith('fulfillment.'),
    handle: (event) => handle(event, context),
  })
}

async function handle({ subject }: EngineEvent, context: OperationContext): Promise<void> {
  const [, order] = /^order\/(.+)$/.exec(subject) ?? []
  if (order === undefined) return
  try {
    await exchangeOrder(order, context)
  } catch (error) {
    // It is as it is until somebody changes the settings or the order; the dead letter says what is in the way.
    if (error instanceof UnwritableDocument) throw new GiveUp(error.message)
    throw error
  }
}
