/** What partners say that is no order of theirs: each is carried out by `partner-documents.ts`. */
import type {
  InventoryAdvice,
  PurchaseOrderAcknowledgement,
  Receipt,
  ShipNotice,
  WarehouseShippingAdvice,
} from '../records.js'

export type PartnerDocument =
  | { kind: 'acknowledgement'; said: PurchaseOrderAcknowledgement }
  | { kind: 'shipNotice'; said: ShipNotice }
  | { kind: 'inventoryAdvice'; said: InventoryAdvice }
  | { kind: 'shippingAdvice'; said: WarehouseShippingAdvice }
  | { kind: 'receipt'; said: Receipt }
  /** Documents of the file that were refused: they are in the acknowledgement, and whoever looks at deliveries sees them. */
  | { kind: 'faults'; message: string; errors: { path: string; message: string }[] }
