/** Everything that can happen to the retailer of the model, and how often. */
import fc from 'fast-check'
import type { FulfillmentAction } from '../fulfillments.js'
import type { PaymentEvent } from '../payments.js'
import { HOUR_MS, LOCATIONS, ROOMY, SKUS } from './goods.contract.js'
import { goingOn, lookingAfter, type ReturnMove, requesting } from './return-moves.contract.js'

export interface LineWish {
  sku: number
  quantity: number
  substitute: number | undefined
}

export type WishedLine = { sku: number; quantity: number; substitute?: number }

export interface PlaceMove {
  do: 'place'
  lines: LineWish[]
  allowSplit: boolean
  allowPartial: boolean
  allowBackorder: boolean
  pickup: number | undefined
  channel: number
  customer: number
  externalId: number | undefined
  payment: 'none' | 'pending' | 'authorized' | 'captured'
  isOurs: boolean
  priority: number
  score: number
  /** Hours until it is to be sent, as its channel has promised. */
  shipHours?: number | undefined
}

export type Move =
  | PlaceMove
  | ReturnMove
  /** An order for what is brought in for it, moved on until it is sent, or has arrived. */
  | { do: 'sell'; order: PlaceMove; location: number; arrives: boolean }
  /** An order sent before: as it was, or another one under its id. */
  | { do: 'place again'; which: number; isOther: boolean }
  | { do: 'cancel'; which: number; lines: { by: 'line' | 'sku'; at: number; quantity: number }[] | undefined }
  | { do: 'hold' | 'resume' | 'release' | 'source'; which: number }
  | { do: 'credit'; which: number; amount: number }
  | { do: 'revise'; which: number; line: number; quantity: number; moves: boolean; adds: number | undefined }
  | { do: 'pay'; which: number; event: PaymentEvent; amount: number }
  /** The payment provider does, or refuses, what it was asked for. */
  | { do: 'provide'; which: number; done: boolean }
  /** What a fulfillment order needs next, or `action` whether it may be or not. */
  | {
      do: 'work'
      which: number
      action: FulfillmentAction | 'next'
      found: number
      reason: string
      elsewhere: boolean
      only: boolean
      /** So often, where it is what is needed next. */
      times: number
    }
  /** A parcel that is on its way is lost. */
  | { do: 'lose'; which: number }
  | { do: 'exception'; which: number; action: 'acknowledge' | 'resolve' }
  /** Whatever was sent before, word for word. */
  | { do: 'again'; which: number }
  | { do: 'count'; sku: number; location: number; onHand: number; safetyStock: number }
  | { do: 'adjust'; sku: number; location: number; delta: number }
  | { do: 'announce'; sku: number; location: number; quantity: number }
  | { do: 'receive'; which: number; quantity: number }
  | { do: 'location'; location: number; active: boolean; priority: number }
  | { do: 'pass'; ms: number }
  | { do: 'settle' }
  | { do: 'deliver'; link: number; back: number; count: number }
  | { do: 'acknowledge'; link: number; back: number }
  | { do: 'crash'; partition: number }
  | { do: 'checkpoint'; partition: number; slices: number }

const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const which = fc.nat(30)
const sku = oneOf<number>(...SKUS)
const location = oneOf<number>(...LOCATIONS)
const maybe = <T>(value: fc.Arbitrary<T>, never = 3): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: never, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })

const wish: fc.Arbitrary<LineWish> = fc.record({
  sku: fc.oneof({ weight: 30, arbitrary: sku }, { weight: 1, arbitrary: oneOf(77) }),
  quantity: oneOf(1, 1, 1, 2, 3, 5, 9),
  substitute: maybe(oneOf(0, 1, 2, 3), 9),
})
const placing: fc.Arbitrary<PlaceMove> = fc.record({
  do: fc.constant('place' as const),
  lines: fc.array(wish, { minLength: 1, maxLength: 4 }),
  allowSplit: fc.boolean(),
  allowPartial: fc.boolean(),
  allowBackorder: fc.boolean(),
  pickup: maybe(location, 5),
  channel: fc.nat(2),
  customer: fc.nat(2),
  externalId: maybe(fc.nat(5), 1),
  payment: oneOf('none', 'none', 'none', 'pending', 'authorized', 'captured'),
  isOurs: fc.boolean(),
  priority: oneOf(1, 5, 5, 9),
  score: oneOf(0, 0, 0, 0, 90),
  shipHours: oneOf(undefined, undefined, undefined, 0, 1, 40),
})
const selling: fc.Arbitrary<Move> = fc.record({
  do: fc.constant('sell' as const),
  // Nothing stands in its way.
  order: placing.map((order) => ({
    ...order,
    pickup: undefined,
    score: 0,
    payment: order.payment === 'pending' ? ('captured' as const) : order.payment,
  })),
  location: oneOf(...ROOMY),
  arrives: fc.boolean(),
})
const actions: FulfillmentAction[] = ['accept', 'reject', 'pick', 'pack', 'ship', 'deliver', 'fail']
const working: fc.Arbitrary<Move> = fc.record({
  do: fc.constant('work' as const),
  which,
  action: fc.oneof(
    { weight: 5, arbitrary: fc.constant('next' as const) },
    { weight: 1, arbitrary: oneOf<FulfillmentAction>(...actions) },
  ),
  found: oneOf(-1, -1, -1, 0, 1, 2),
  reason: oneOf('no staff', 'out_of_stock', 'damaged'),
  elsewhere: oneOf(false, false, false, false, false, true),
  only: oneOf(false, false, false, true),
  times: oneOf(1, 1, 2, 3, 5),
})

const of = <M extends Move>(
  weight: number,
  arbitrary: fc.Arbitrary<M>,
): { weight: number; arbitrary: fc.Arbitrary<Move> } => ({
  weight,
  arbitrary,
})
const doing = <D extends Move['do']>(name: D): fc.Arbitrary<D> => fc.constant(name)

const crediting = fc.record({ do: doing('credit'), which: fc.nat(8), amount: oneOf(100, 10_000, 50_000, 10_000_000) })
/** Whatever was sent before. */
const repeating = fc.record({ do: doing('again'), which: fc.nat(12) })
const losing = fc.record({ do: doing('lose'), which: fc.nat(2) })

const business = [
  of(10, placing),
  of(1, fc.record({ do: doing('place again'), which, isOther: fc.boolean() })),
  of(
    3,
    fc.record({
      do: doing('cancel'),
      which,
      lines: maybe(
        fc.array(
          fc.record({ by: oneOf('line' as const, 'sku' as const), at: fc.nat(4), quantity: oneOf(1, 1, 2, 4) }),
          { minLength: 1, maxLength: 2 },
        ),
        1,
      ),
    }),
  ),
  of(3, fc.record({ do: oneOf('hold' as const, 'resume' as const, 'release' as const, 'source' as const), which })),
  of(1, crediting),
  of(1, losing),
  of(
    3,
    fc.record({
      do: doing('revise'),
      which,
      line: fc.nat(4),
      quantity: oneOf(0, 1, 2, 3, 5, 8),
      moves: oneOf(false, false, true),
      adds: maybe(sku, 5),
    }),
  ),
  of(
    2,
    fc.record({
      do: doing('pay'),
      which,
      event: oneOf<PaymentEvent>('authorized', 'captured', 'failed', 'voided', 'refunded'),
      amount: oneOf(1, 10_000, 90_000),
    }),
  ),
  of(3, fc.record({ do: doing('provide'), which: fc.nat(5), done: oneOf(true, true, true, false) })),
  of(22, working),
  of(2, selling),
  of(3, requesting),
  of(6, goingOn),
  of(1, lookingAfter),
  of(1, fc.record({ do: doing('exception'), which, action: oneOf('acknowledge' as const, 'resolve' as const) })),
  of(2, repeating),
  of(
    2,
    fc.record({
      do: doing('count'),
      sku,
      location,
      onHand: oneOf(0, 1, 3, 6, 12),
      safetyStock: oneOf(0, 0, 0, 1),
    }),
  ),
  of(3, fc.record({ do: doing('adjust'), sku, location, delta: oneOf(-3, -1, 1, 2, 4, 7) })),
  of(1, fc.record({ do: doing('announce'), sku, location, quantity: oneOf(2, 5) })),
  of(2, fc.record({ do: doing('receive'), which, quantity: oneOf(1, 2, 5) })),
  of(1, fc.record({ do: doing('location'), location, active: oneOf(true, true, false), priority: oneOf(0, 1, 2) })),
  of(
    4,
    fc.record({
      do: doing('pass'),
      ms: oneOf(1, 1_000, 60_000, HOUR_MS, 5 * HOUR_MS, 24 * HOUR_MS, 24 * HOUR_MS, 35 * 24 * HOUR_MS),
    }),
  ),
  of(1, fc.record({ do: doing('crash'), partition: fc.nat(10) })),
  of(1, fc.record({ do: doing('checkpoint'), partition: fc.nat(10), slices: oneOf(1, 3, 60) })),
]
const network = [
  of(4, fc.record({ do: doing('settle') })),
  of(40, fc.record({ do: doing('deliver'), link: fc.nat(100), back: fc.nat(2), count: oneOf(1, 1, 2, 5) })),
  of(12, fc.record({ do: doing('acknowledge'), link: fc.nat(100), back: oneOf(0, 0, 1) })),
]
export const movesOfOne: fc.Arbitrary<Move[]> = fc.array(fc.oneof(...business), {
  minLength: 1,
  maxLength: 60,
  size: 'max',
})
export const movesOfSeveral: fc.Arbitrary<Move[]> = fc.array(fc.oneof(...business, ...network), {
  minLength: 1,
  maxLength: 80,
  size: 'max',
})
/** Much is sent first, and much of it comes back; all else happens, too. */
export const movesOfReturns: fc.Arbitrary<Move[]> = fc
  .tuple(
    fc.array(selling, { minLength: 2, maxLength: 4, size: 'max' }),
    fc.array(
      fc.oneof(
        of(12, selling),
        of(34, requesting),
        of(80, goingOn),
        of(8, lookingAfter),
        of(14, crediting),
        of(14, losing),
        of(12, repeating),
        ...business,
      ),
      { minLength: 15, maxLength: 50, size: 'max' },
    ),
  )
  .map(([sold, rest]) => [...sold, ...rest])
