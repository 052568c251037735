/** What can happen to returns: asked for, handed over anywhere in any number, inspected, settled, exchanged. */
import fc from 'fast-check'
import type { Disposition, Resolution } from '../../return/order-return.js'
import type { ReturnAction } from '../../return/returns.js'
import { LOCATIONS, SKUS } from './goods.contract.js'

/** Units of one of the order's lines, or of a SKU whether it is of the order or not. */
export type Unit = { line: number } | { sku: number }

export interface ReturnWish {
  of: number
  quantity: number
  reason: string
  /** Named by the order's line, not by SKU alone. */
  byLine: boolean
}

export interface Came {
  what: Unit
  quantity: number
  disposition: Disposition | undefined
  refuse: boolean
}

export type ReturnMove =
  | {
      do: 'return'
      which: number
      lines: ReturnWish[]
      resolution: Resolution
      exchange: { sku: number; quantity: number }[]
      location: number | undefined
      /** An id of the caller's, which may have been used before; none: ours. */
      own: number | undefined
    }
  /** `next`: what a return needs next; another action whether it may be or not. */
  | {
      do: 'go on with a return'
      which: number
      action: ReturnAction | 'next'
      /** None: all that is expected, or all that waits. */
      came: Came[] | undefined
      location: number | undefined
      labelCost: number | undefined
      times: number
    }
  /** Who looks after exchanges does what there is to do. */
  | { do: 'look after exchanges' }

const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const which = fc.nat(30)
const location = oneOf<number>(...LOCATIONS)
const maybe = <T>(value: fc.Arbitrary<T>, never: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: never, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })
const quantity = oneOf(1, 1, 1, 1, 2, 2, 9)

const wish: fc.Arbitrary<ReturnWish> = fc.record({
  of: fc.nat(5),
  quantity,
  reason: oneOf('regret', 'regret', 'too small', 'too small', 'damaged', 'damaged', 'warranty', 'hygiene'),
  byLine: fc.boolean(),
})
const came: fc.Arbitrary<Came> = fc.record({
  what: fc.oneof(
    { weight: 5, arbitrary: fc.record({ line: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ sku: oneOf<number>(...SKUS) }) },
  ),
  quantity,
  disposition: oneOf<Disposition | undefined>(
    undefined,
    undefined,
    'restock',
    'restock',
    'refurbish',
    'scrap',
    'back_to_vendor',
  ),
  refuse: oneOf(false, false, false, true),
})

export const requesting: fc.Arbitrary<ReturnMove> = fc.record({
  do: fc.constant('return' as const),
  which,
  lines: fc.array(wish, { minLength: 1, maxLength: 3 }),
  resolution: oneOf<Resolution>(
    'refund',
    'refund',
    'refund',
    'store_credit',
    'exchange',
    'exchange',
    'warranty',
    'none',
  ),
  exchange: fc.array(fc.record({ sku: oneOf<number>(0, 1, 2, 3), quantity: oneOf(1, 1, 2) }), {
    minLength: 1,
    maxLength: 2,
  }),
  location: maybe(location, 2),
  own: maybe(fc.nat(1), 3),
})
const actions: ReturnAction[] = ['authorize', 'reject', 'transit', 'receive', 'inspect', 'close', 'cancel']
export const goingOn: fc.Arbitrary<ReturnMove> = fc.record({
  do: fc.constant('go on with a return' as const),
  which,
  action: fc.oneof(
    { weight: 4, arbitrary: fc.constant('next' as const) },
    { weight: 2, arbitrary: oneOf<ReturnAction>('receive', 'inspect') },
    { weight: 1, arbitrary: oneOf<ReturnAction>(...actions) },
  ),
  came: maybe(fc.array(came, { minLength: 1, maxLength: 3 }), 1),
  location: fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: 5, arbitrary: location }),
  labelCost: maybe(oneOf(100, 3_500, 90_000), 2),
  times: oneOf(1, 1, 2, 4),
})
export const lookingAfter: fc.Arbitrary<ReturnMove> = fc.constant({ do: 'look after exchanges' as const })
