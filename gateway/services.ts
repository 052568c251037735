/** What works beside the answers: readers of events, workers, channels. Started once the server listens, stopped before the engine. */
import type { Logger } from 'pino'
import { Shipping } from './carriers/shipping.js'
import { simulatedCarrier } from './carriers/simulated/simulated-carrier.js'
import { spedUp } from './carriers/sped-up.js'
import { TrackingWorker } from './carriers/tracking-worker.js'
import { Channels } from './channels/channels.js'
import { EdiClock } from './channels/edi/exchange/clock.js'
import { ediConsumer } from './channels/edi/exchange/consumer.js'
import { channelConsumer } from './channels/outward-consumer.js'
import { ErpExporter } from './erp/exporter.js'
import { erpConsumer } from './erp/poster.js'
import { Messaging } from './notify/messaging.js'
import { messageConsumer } from './notify/messenger.js'
import type { MessagingOptions } from './notify/providers.js'
import type { OperationContext } from './operations/operation.js'
import { PaymentWorker } from './payments/payment-worker.js'
import { exchangeConsumer } from './returns/exchange-worker.js'
import { Webhooks } from './webhooks/webhooks.js'
import { WebhookLink } from './wms/webhook/webhook-link.js'
import { WmsWorker } from './wms/wms-worker.js'

/** Ends what is under way; what is left is done after the next start. */
export interface Service {
  stop(): Promise<void>
}

export interface DeskOptions {
  /** How messages to customers are sent. */
  messaging: MessagingOptions
  /** So much faster than the clock the parcels of the simulated carrier travel; none: as fast. */
  simulatedCarrierSpeed?: number
}

/** What operations ask of, and so has to be there before the first request. */
export async function openDesks(context: OperationContext, options: DeskOptions, logger: Logger): Promise<Service[]> {
  const { dataDir, records, people, dispatch, directory, outward: client, now } = context
  const channels = await Channels.open(context, logger)
  const messaging = new Messaging(options.messaging, dataDir, records, people, logger, now)
  const webhooks = new Webhooks({ records, vault: people.vault, dispatch, directory, client, logger, now })
  await webhooks.start()
  const carriers = [spedUp(simulatedCarrier(), options.simulatedCarrierSpeed ?? 1)]
  const shipping = new Shipping(carriers, records, people, now)
  Object.assign(context, { channels, messaging, webhooks, shipping })
  return [channels, messaging, webhooks.dispatcher]
}

/** `desks`: of `openDesks`, stopped last. */
export function startServices(context: OperationContext, logger: Logger, desks: Service[]): Service[] {
  const { outward, consumers, messaging, webhooks } = context
  consumers.push(
    exchangeConsumer(context, logger),
    channelConsumer(context, logger),
    messageConsumer(context, logger),
    webhooks.consumer,
    erpConsumer(context, logger),
    ediConsumer(context, logger),
  )
  const tracking = new TrackingWorker(context, logger)
  const workers = [
    new EdiClock(context, logger),
    new ErpExporter(context, logger, outward),
    new WmsWorker(context, logger, new WebhookLink(outward, context.now)),
  ]
  for (const one of [...consumers, ...workers]) one.wake()
  messaging.sender.wake()
  void context.channels.start()
  return [new PaymentWorker(context.dispatch, logger), ...consumers, ...workers, tracking, ...desks]
}
