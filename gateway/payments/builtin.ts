/** A provider for demonstrations and tests: it agrees to everything below a limit, and to the same key in the same way. */
import { createHash } from 'node:crypto'
import type { PaymentAnswer, PaymentProvider, PaymentRequest } from './payment-provider.js'

/** 100,000.00: above it, an authorization is declined. */
const AMOUNT_MAX = 1_000_000_000

function answer({ key, amount, reference }: PaymentRequest): PaymentAnswer {
  if (amount > AMOUNT_MAX) return { done: false, reference: '', detail: 'declined: above the limit' }
  // Of the key alone, so that a repeat has the same reference.
  const own = createHash('sha256').update(key).digest('hex').slice(0, 16)
  return { done: true, reference: reference === '' ? `builtin-${own}` : reference, detail: '' }
}

export const builtinPaymentProvider: PaymentProvider = {
  authorize: async (request) => answer(request),
  capture: async (request) => answer(request),
  void: async (request) => answer(request),
  refund: async (request) => answer(request),
}
