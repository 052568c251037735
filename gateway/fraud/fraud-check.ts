/** The port to whoever judges whether an order is meant honestly. A real provider is one more folder beside `builtin`. */
import type { OrderInput } from '../order-schemas.js'

export interface FraudScore {
  /** 0 trusted to 100 refused by any threshold. */
  score: number
  reasons: string[]
}

export interface FraudCheck {
  score(order: OrderInput, total: number): Promise<FraudScore>
}
