/** What works beside the answers: readers of events, workers, channels. Started once the server listens, stopped before the engine. */
import type { Logger } from 'pino'
import { Channels } from './channels/channels.js'
import { channelConsumer } from './channels/outward-consumer.js'
import { ErpExporter } from './erp/exporter.js'
import { erpConsumer } from './erp/poster.js'
import type { OperationContext } from './operations/operation.js'
import { PaymentWorker } from './payments/payment-worker.js'
import { exchangeConsumer } from './returns/exchange-worker.js'
import { WebhookLink } from './wms/webhook/webhook-link.js'
import { WmsWorker } from './wms/wms-worker.js'

/** Ends what is under way; what is left is done after the next start. */
export interface Service {
  stop(): Promise<void>
}

/** What operations ask of, and so has to be there before the first request. */
export async function openDesks(context: OperationContext, logger: Logger): Promise<Service[]> {
  const channels = await Channels.open(context, logger)
  context.channels = channels
  return [channels]
}

/** `desks`: of `openDesks`, stopped last. */
export function startServices(context: OperationContext, logger: Logger, desks: Service[]): Service[] {
  const { outward } = context
  const consumers = [
    exchangeConsumer(context, logger),
    channelConsumer(context, logger),
    erpConsumer(context, logger),
    new ErpExporter(context, logger, outward),
    new WmsWorker(context, logger, new WebhookLink(outward, context.now)),
  ]
  for (const consumer of consumers) consumer.wake()
  void context.channels.watchFolders()
  return [new PaymentWorker(context.dispatch, logger), ...consumers, ...desks]
}
