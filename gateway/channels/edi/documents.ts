/**
 * What we tell partners, in records that know nothing of a syntax: the same shipment becomes an 856 for one and a DESADV
 * for another. Money is decimal text, dates are ISO days, quantities are whole pieces; control numbers and the time come
 * with the call, so that the same input gives the same text.
 */

/** What the caller counts and knows: the interchange's control number, and the time that its header says. */
export interface Stamp {
  /** 1 to 999,999,999; of this partner, each once. */
  controlNumber: number
  atMs: number
}

export interface DocumentParty {
  name: string
  /** The partner's number of the place; `qualifier` is element 66 (92, 9, ZZ …) or 3055 (9, 92 …). */
  code?: string
  qualifier?: string
  address?: {
    line1: string
    line2?: string | undefined
    city: string
    region?: string | undefined
    postalCode: string
    country: string
  }
  email?: string
  phone?: string
}

export interface DocumentItem {
  /** The partner's number of the line in its order. */
  lineId: string
  sku: string
  /** Further article numbers of the line, as the partner wrote them: `{ VN: 'AB3542' }`. */
  numbers?: Readonly<Record<string, string>>
  description?: string
}

/** 850 to a drop-ship supplier. */
export interface PurchaseOrderDocument {
  type: 'purchaseOrder'
  /** None: a new one. The others are about one of the same number. */
  purpose?: 'changed' | 'cancelled'
  number: string
  date: string
  /** Whose customer it goes to. */
  dropShip: boolean
  currency: string
  /** The number that our customer knows. */
  customerOrder?: string
  buyer?: DocumentParty
  shipTo: DocumentParty
  /** The supplier's code of carrier and service. */
  service?: string
  shipOn?: string
  deliverOn?: string
  note?: string
  /** Without a price the supplier's own holds. */
  lines: (DocumentItem & { quantity: number; unitPrice?: string })[]
}

/** 855, ORDRSP. */
export interface OrderResponseDocument {
  type: 'orderResponse'
  /** It takes the place of an earlier answer. */
  replaces?: boolean
  /** Our number of the answer. */
  number: string
  purchaseOrder: string
  purchaseOrderDate?: string
  date: string
  currency: string
  answer: 'accepted' | 'changed' | 'rejected'
  buyer?: DocumentParty
  shipTo?: DocumentParty
  lines: (DocumentItem & {
    ordered: number
    unitPrice?: string
    accepted: number
    backordered?: number
    rejected?: number
    /** When what is accepted ships. */
    shipOn?: string
  })[]
}

export interface DocumentPackage {
  /** 18 digits, of the caller's own GS1 prefix. */
  sscc?: string
  trackingNumber?: string
  weightGrams?: number
  items: (DocumentItem & { quantity: number; ordered?: number })[]
}

/** 856, DESADV. */
export interface ShipNoticeDocument {
  type: 'shipNotice'
  shipment: string
  shippedAtMs: number
  deliverOn?: string
  carrier: { code: string; name?: string }
  trackingNumber?: string
  billOfLading?: string
  shipFrom: DocumentParty
  shipTo: DocumentParty
  orders: {
    purchaseOrder: string
    date?: string
    /** Packages on pallets. */
    pallets?: { sscc: string; packages: DocumentPackage[] }[]
    packages: DocumentPackage[]
  }[]
}

/** 810, INVOIC. */
export interface InvoiceDocument {
  type: 'invoice'
  number: string
  date: string
  purchaseOrder: string
  purchaseOrderDate?: string
  currency: string
  shippedOn?: string
  dueDays?: number
  billTo?: DocumentParty
  shipTo?: DocumentParty
  seller?: DocumentParty
  lines: (DocumentItem & { quantity: number; unitPrice: string; taxes?: { name: string; amount: string }[] })[]
  /** Off the whole invoice. */
  discount?: string
  shipping?: string
  /** On the whole invoice, beside those of lines; `rate` in percent. */
  taxes?: { name: string; amount: string; rate?: string }[]
}

/** 846 to those who sell our stock. */
export interface InventoryAdviceDocument {
  type: 'inventoryAdvice'
  reference: string
  date: string
  warehouse?: DocumentParty
  items: (Omit<DocumentItem, 'lineId'> & {
    available: number
    /** On its way, and when. */
    expected?: { quantity: number; date: string }
  })[]
}

/** 940 to a third-party warehouse. */
export interface WarehouseOrderDocument {
  type: 'warehouseOrder'
  /** None: a new one. The others are about one of the same number. */
  purpose?: 'changed' | 'cancelled'
  /** The 945 names it. */
  number: string
  purchaseOrder?: string
  date: string
  shipTo: DocumentParty
  /** The warehouse's number of itself. */
  warehouse?: DocumentParty
  carrier?: { code: string; service?: string }
  shipOn?: string
  deliverOn?: string
  note?: string
  lines: (DocumentItem & { quantity: number })[]
}

export type X12Document =
  | PurchaseOrderDocument
  | OrderResponseDocument
  | ShipNoticeDocument
  | InvoiceDocument
  | InventoryAdviceDocument
  | WarehouseOrderDocument

export type EdifactDocument = OrderResponseDocument | ShipNoticeDocument | InvoiceDocument
