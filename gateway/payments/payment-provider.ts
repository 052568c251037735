/**
 * The port to whoever moves money. A provider is asked under an idempotency key: asked twice, it does it once and answers
 * the same. A real one is one more folder beside `builtin`.
 */
export interface PaymentRequest {
  key: string
  order: string
  /** Ten-thousandths. */
  amount: number
  currency: string
  /** The provider's own, from an earlier answer; empty where there is none. */
  reference: string
}

export interface PaymentAnswer {
  done: boolean
  reference: string
  /** Why not, for a person. */
  detail: string
}

export interface PaymentProvider {
  authorize(request: PaymentRequest): Promise<PaymentAnswer>
  capture(request: PaymentRequest): Promise<PaymentAnswer>
  void(request: PaymentRequest): Promise<PaymentAnswer>
  refund(request: PaymentRequest): Promise<PaymentAnswer>
}
