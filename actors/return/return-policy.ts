/** What a retailer allows: how long, for which reasons, in which condition, who pays for the way back, what is kept as a fee. */

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
  /** Whether goods that are sold for good come back for this reason. */
  takesFinalSale?: boolean
}

/** Of what the customer says of the goods: opened, worn. */
export interface ConditionPolicy {
  isRefused?: boolean
  /** Share of the price that is kept, where the reason keeps less. */
  fee?: number
}

export interface ReturnPolicy {
  /** A request is authorized at once where nothing speaks against it. */
  autoAuthorize: boolean
  /** Who pays for the label where the reason does not say. */
  payer: 'customer' | 'retailer'
  reasons: Record<string, ReasonPolicy>
  conditions?: Record<string, ConditionPolicy>
}

export const DEFAULT_RETURN_POLICY: ReturnPolicy = {
  autoAuthorize: false,
  payer: 'customer',
  reasons: {
    damaged: { payer: 'retailer', refundsShipping: true, takesFinalSale: true },
    defective: { payer: 'retailer', refundsShipping: true, takesFinalSale: true },
    wrong_item: { payer: 'retailer', refundsShipping: true, takesFinalSale: true },
    warranty: { payer: 'retailer', extraDays: 700, takesFinalSale: true },
  },
}

export const reasonPolicy = ({ reasons }: ReturnPolicy, reason: string): ReasonPolicy =>
  Object.hasOwn(reasons, reason) ? reasons[reason]! : {}

export const conditionPolicy = ({ conditions = {} }: ReturnPolicy, condition = ''): ConditionPolicy =>
  Object.hasOwn(conditions, condition) ? conditions[condition]! : {}

/** The share that is kept of what comes back for a reason, in a condition. */
export const feeOf = (policy: ReturnPolicy, reason: string, condition?: string): number =>
  Math.max(reasonPolicy(policy, reason).fee ?? 0, conditionPolicy(policy, condition).fee ?? 0)
