/** All operations. */
import { adminOperations } from './admin.js'
import { catalogOperations } from './catalog.js'
import { channelOperations } from './channels.js'
import { customerOperations } from './customers.js'
import { deadLetterOperations } from './dead-letters.js'
import { ediOperations } from './edi.js'
import { erpOperations } from './erp.js'
import { fulfillmentOperations } from './fulfillments.js'
import { inventoryOperations } from './inventory.js'
import { labelPrintOperations } from './label-prints.js'
import { labelOperations } from './labels.js'
import { messageSettingOperations } from './message-settings.js'
import { messageOperations } from './messages.js'
import type { Operation } from './operation.js'
import { orderFileOperations } from './order-files.js'
import { orderOperations } from './orders.js'
import { packingSlipOperations } from './packing-slips.js'
import { posOperations } from './pos.js'
import { reservationOperations } from './reservations.js'
import { returnLabelLinkOperations } from './return-label-link.js'
import { returnLabelOperations } from './return-labels.js'
import { returnRequestOperations } from './return-requests.js'
import { returnOperations } from './returns.js'
import { ruleOperations } from './rules.js'
import { saleOperations } from './sales.js'
import { shipmentOperations } from './shipments.js'
import { shippingRateOperations } from './shipping-rates.js'
import { trackingOperations } from './tracking.js'
import { transferOperations } from './transfers.js'
import { waveOperations } from './waves.js'
import { webhookOperations } from './webhooks.js'
import { wmsOperations } from './wms.js'

export const operations: Operation[] = [
  ...catalogOperations,
  ...inventoryOperations,
  ...reservationOperations,
  ...saleOperations,
  ...orderOperations,
  ...fulfillmentOperations,
  ...returnRequestOperations,
  ...returnOperations,
  ...returnLabelOperations,
  ...returnLabelLinkOperations,
  ...shippingRateOperations,
  ...labelOperations,
  ...labelPrintOperations,
  ...shipmentOperations,
  ...packingSlipOperations,
  ...posOperations,
  ...orderFileOperations,
  ...waveOperations,
  ...ruleOperations,
  ...transferOperations,
  ...channelOperations,
  ...erpOperations,
  ...wmsOperations,
  ...customerOperations,
  ...messageOperations,
  ...messageSettingOperations,
  ...trackingOperations,
  ...webhookOperations,
  ...deadLetterOperations,
  ...ediOperations,
  ...adminOperations,
]
