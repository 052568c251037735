/**
 * What suppliers and warehouses tell us, in small records: they are no orders of a channel, and the owner of stock and
 * fulfillment decides what follows from them. Quantities are whole pieces, money is decimal text, dates are ISO.
 */

/** Where a document came from: with the partner, this names it for ever. */
export interface Source {
  interchange: string
  group: string
  control: string
}

export interface ItemNumbers {
  /** By the settings' order of qualifiers. */
  sku: string
  /** All that the line gives, by qualifier. */
  numbers: Record<string, string>
}

/** What the supplier does with a line. */
export type LineAnswer = 'accepted' | 'changed' | 'backordered' | 'substituted' | 'pending' | 'rejected'

/** X12 855, from a drop-ship supplier. */
export interface PurchaseOrderAcknowledgement {
  source: Source
  purchaseOrder: string
  /** BAK02 as it came, such as AD or RD. */
  code: string
  answer: 'accepted' | 'changed' | 'rejected' | 'byLine'
  /** The supplier's own number of the order. */
  supplierReference?: string
  date?: string
  lines: (ItemNumbers & {
    lineId: string
    ordered?: number
    unitPrice?: string
    /** One for each part of the quantity; none: as the document's `answer` says. */
    parts: { answer: LineAnswer; code: string; quantity?: number; date?: string }[]
  })[]
}

export interface NoticePackage {
  /** 18 digits. */
  sscc?: string
  trackingNumber?: string
  /** The SSCC of the pallet (tare) that it stands on. */
  pallet?: string
}

/** X12 856, from a drop-ship supplier or one who delivers to us. */
export interface ShipNotice {
  source: Source
  shipment: string
  /** BSN01: `cancelled` takes an earlier one back. */
  purpose: 'original' | 'replacement' | 'cancelled'
  shippedOn?: string
  deliveryOn?: string
  /** SCAC or the carrier's name. */
  carrier?: string
  trackingNumber?: string
  billOfLading?: string
  /** Of the whole shipment, with its unit as it came. */
  weight?: { value: string; unit: string }
  cartons?: number
  packages: NoticePackage[]
  items: (ItemNumbers & {
    purchaseOrder: string
    lineId?: string
    quantity: number
    unit: string
    /** The package's place in `packages`, where items are packed. */
    package?: number
  })[]
}

/** X12 846. */
export interface InventoryAdvice {
  source: Source
  reference: string
  date?: string
  /** The supplier's number or name of the warehouse. */
  warehouse?: string
  items: (ItemNumbers & {
    /** Free to sell: QTY 33, or else 17 (on hand) less committed (QTY 20) where neither is said. */
    available?: number
    quantities: { qualifier: string; quantity: number; unit: string; date?: string }[]
    warehouse?: string
  })[]
}

/** X12 945, from a third-party warehouse: what it shipped of a warehouse order (940). */
export interface WarehouseShippingAdvice {
  source: Source
  /** W0602: our number of the warehouse order, the fulfillment order's id. */
  order: string
  purchaseOrder?: string
  /** The warehouse's number of the shipment. */
  shipment?: string
  shippedOn?: string
  carrier?: string
  trackingNumber?: string
  billOfLading?: string
  weight?: { value: string; unit: string }
  packages: NoticePackage[]
  lines: (ItemNumbers & {
    lineId: string
    /** W1201: CC complete, CP partial, BO backordered, CN cancelled … as it came. */
    code: string
    ordered?: number
    shipped: number
    package?: number
  })[]
}

/** What a partner's system says of a document that we sent: X12 997 or EDIFACT CONTRL. */
export interface Receipt {
  source: Source
  /** The control number of our group or interchange. */
  answers: string
  status: 'accepted' | 'acceptedWithErrors' | 'partlyRejected' | 'rejected'
  /** By our documents' control numbers, where it names them. */
  documents: { control: string; accepted: boolean }[]
  errors: string[]
}
