/** What a retailer allows: how long, for which reasons, who pays for the way back and what is kept as a fee. */

export interface ReasonPolicy {
  /** Who pays for the label. */
  payer?: 'customer' | 'retailer'
  /** Share of the price that is kept, 0 to 1. */
  fee?: number
  /** What is bought for this reason is not taken back. */
  isRefused?: boolean
  /** Days on top of the window: a warranty. */
  extraDays?: number
  /** Whether what the customer paid for shipping is given back once everything has come back. */
  refundsShipping?: boolean
}

export interface ReturnPolicy {
  /** A request is authorized at once where nothing speaks against it. */
  autoAuthorize: boolean
  /** Who pays for the label where the reason does not say. */
  payer: 'customer' | 'retailer'
  reasons: Record<string, ReasonPolicy>
}

export const DEFAULT_RETURN_POLICY: ReturnPolicy = {
  autoAuthorize: false,
  payer: 'customer',
  reasons: {
    damaged: { payer: 'retailer', refundsShipping: true },
    defective: { payer: 'retailer', refundsShipping: true },
    wrong_item: { payer: 'retailer', refundsShipping: true },
    warranty: { payer: 'retailer', extraDays: 700 },
  },
}

export const reasonPolicy = (policy: ReturnPolicy, reason: string): ReasonPolicy =>
  Object.hasOwn(policy.reasons, reason) ? policy.reasons[reason]! : {}
