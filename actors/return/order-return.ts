/** What is kept of a return: a part of its order's document, so that no more comes back than was sent. Money is in ten-thousandths. */
import type { ReturnStatus } from './return-machine.js'

/** What becomes of what came back. */
export const DISPOSITIONS = ['restock', 'refurbish', 'scrap', 'back_to_vendor'] as const
export type Disposition = (typeof DISPOSITIONS)[number]

/** What the customer gets for it. `none`: it was settled elsewhere. */
export const RESOLUTIONS = ['refund', 'exchange', 'store_credit', 'warranty', 'none'] as const
export type Resolution = (typeof RESOLUTIONS)[number]

/** Units of an order's line that are to come back, for one reason. */
export interface ReturnLine {
  line: number
  sku: number
  quantity: number
  reason: string
  condition?: string
  received: number
  /** Units for which the customer has been given what the return gives. */
  settled: number
  /** Share of the price that is kept as a fee, 0 to 1. */
  fee: number
}

/** Units that came in together and are treated alike. */
export interface ReturnPiece {
  sku: number
  quantity: number
  location: number
  atMs: number
  /** Which of the return's lines; none: nobody expected it. */
  at?: number
  /** None as long as nobody has looked at it. */
  disposition?: Disposition
  condition?: string
  /** Not what was sold, or spoilt by the customer: nothing is given for it. */
  isRefused?: boolean
}

/** What carries it back. Made at the edge, by a carrier; kept here so that it is printed again as it was. */
export interface ReturnLabel {
  carrier: string
  service: string
  trackingNumber: string
  /** What the label costs whoever pays. */
  cost: number
  atMs: number
  /** The carrier's document, of which labels are drawn. */
  document: unknown
}

export interface ReturnRefund {
  amount: number
  fee: number
  /** `provider`: our payment provider was asked; `channel`: whoever took the money is told; `store_credit`; `exchange`. */
  by: 'provider' | 'channel' | 'store_credit' | 'exchange'
  atMs: number
  /** What was kept for an exchange and is paid out instead: it was given before. */
  isRest?: boolean
}

export interface Exchange {
  lines: { sku: number; quantity: number; unitPrice: number; reservation: string }[]
  /** What the new goods cost. */
  total: number
  /** The order that they became. */
  order?: string
}

export interface OrderReturn {
  number: number
  id: string
  status: ReturnStatus
  createdMs: number
  sinceMs: number
  by: string
  resolution: Resolution
  payer: 'customer' | 'retailer'
  /** Where it is expected. Any location may receive it. */
  location?: number
  lines: ReturnLine[]
  pieces: ReturnPiece[]
  label?: ReturnLabel
  /** It was in transit, or came in where its label leads. */
  cameByLabel?: boolean
  refunds: ReturnRefund[]
  /** Label's cost that was taken off what was given. */
  labelCharged: number
  exchange?: Exchange
  reason?: string
  /** Of the request, so that a repeat is told from another one. */
  fingerprint: string
  key?: string
  /** Ids of commands that were carried out. */
  commands?: string[]
}
