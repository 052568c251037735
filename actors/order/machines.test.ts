import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AnyStateMachine, createActor, initialTransition, type StateValue, transition } from 'xstate'
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph'
import { RETURN_EVENTS, RETURN_STATUSES, type ReturnEvent, returnMachine } from '../return/return-machine.js'
import { returnTable } from '../return/return-table.js'
import { FULFILLMENT_EVENTS, type FulfillmentEvent, fulfillmentMachine } from './fulfillment-machine.js'
import { fulfillmentTable, orderTable, unitTable } from './machines.js'
import { ORDER_EVENTS, type OrderEvent, type OrderEventType, orderMachine } from './order-machine.js'
import { ORDER_STATUSES } from './order-status.js'
import type { Outlook } from './outlook.js'
import { stateText, type TransitionTable } from './transition-table.js'
import { UNIT_EVENTS, UNIT_STATES, type UnitEvent, unitMachine } from './unit-machine.js'

const OUTLOOKS: Outlook[] = [
  'open',
  'backordered',
  'allocated',
  'partially_shipped',
  'shipped',
  'delivered',
  'cancelled',
]

interface Subject<E extends { type: string }> {
  name: string
  machine: AnyStateMachine
  table: TransitionTable<E>
  events: E[]
  /** Every state that the trade knows, region by region. */
  states: Record<string, readonly string[]>
}

/** Events at which the lines decide where an order goes; at others it does not matter how far they are. */
const BY_LINES: OrderEventType[] = ['SOURCED', 'REVISE', 'CANCEL', 'SHORT', 'PICK', 'SHIP', 'DELIVER', 'LOSE', 'RETURN']

const orders: Subject<OrderEvent> = {
  name: 'an order',
  machine: orderMachine,
  table: orderTable,
  events: ORDER_EVENTS.flatMap((type) =>
    (BY_LINES.includes(type) ? OUTLOOKS : OUTLOOKS.slice(0, 1)).map((outlook): OrderEvent => ({ type, outlook })),
  ),
  states: {
    hold: ['none', 'held'],
    payment: ['settled', 'pending', 'authorized', 'captured', 'failed', 'voided', 'refunded'],
    sourcing: ['idle', 'underway'],
    progress: ORDER_STATUSES.filter((status) => status !== 'on_hold' && status !== 'sourcing'),
  },
}
const fulfillments: Subject<FulfillmentEvent> = {
  name: 'a fulfillment order',
  machine: fulfillmentMachine,
  table: fulfillmentTable,
  events: FULFILLMENT_EVENTS.map((type): FulfillmentEvent => ({ type })),
  states: {
    all: ['pending', 'accepted', 'picking', 'packed', 'shipped', 'delivered', 'rejected', 'failed', 'cancelled'],
  },
}
const units: Subject<UnitEvent> = {
  name: 'a unit',
  machine: unitMachine,
  table: unitTable,
  events: UNIT_EVENTS.map((type): UnitEvent => ({ type })),
  states: { all: UNIT_STATES },
}

const returns: Subject<ReturnEvent> = {
  name: 'a return',
  machine: returnMachine,
  table: returnTable,
  events: RETURN_EVENTS.map((type): ReturnEvent => ({ type })),
  states: { all: RETURN_STATUSES },
}

type Value = { value: StateValue }
const textOf = (snapshot: unknown): string => stateText((snapshot as Value).value)

/** Every state that some sequence of events leads to. */
const reachable = <E extends { type: string }>({ machine, events }: Subject<E>) =>
  Object.values(getAdjacencyMap(machine, { events, serializeState: textOf }))

function explore<E extends { type: string }>(subject: Subject<E>): void {
  const { name, machine, table, events, states } = subject
  describe(name, () => {
    const all = reachable(subject)

    it('begins where its table says', () => {
      expect(table.initial).toBe(textOf(initialTransition(machine)[0]))
    })

    it('does in every state that it can reach, at every event, what its table says', () => {
      const differences: string[] = []
      for (const { state } of all) {
        const text = textOf(state)
        for (const event of events) {
          // What XState itself does, asked without the table.
          const isHandled = (machine.getTransitionData(state, event) ?? []).length > 0
          const after = textOf(transition(machine, state, event)[0])
          const expected = isHandled ? after : null
          const said = [table.next(text, event), table.next(text, event), table.ask(text, event)]
          if (said.every((next) => next === expected) && (isHandled || after === text)) continue
          differences.push(`${text} at ${JSON.stringify(event)}: ${said} instead of ${expected}, which is ${after}`)
        }
      }
      expect(differences).toEqual([])
    })

    it('is led by the shortest path to each state, step by step, also by its table', () => {
      const paths = getShortestPaths(machine, { events, serializeState: textOf })
      expect(paths.length).toBe(all.length)
      for (const { state, steps } of paths) {
        let text: string | null = table.initial
        for (const { event } of steps) {
          // The first step stands for the machine's own beginning; the others are of the events given.
          if (text !== null && event.type !== 'xstate.init') text = table.next(text, event as unknown as E)
        }
        expect(text).toBe(textOf(state))
      }
    })

    it('has no state that nothing leads to, and none that nobody has named', () => {
      const regions = Object.entries(states)
      const seen = regions.map(() => new Set<string>())
      for (const { state } of all) for (const [i, part] of textOf(state).split('/').entries()) seen[i]!.add(part)
      for (const [i, [region, names]] of regions.entries()) {
        expect([...seen[i]!].sort(), region).toEqual([...names].sort())
      }
    })

    it('never differs from its table, whatever happens in whatever order', () => {
      fc.assert(
        fc.property(fc.array(fc.constantFrom(...events), { maxLength: 60 }), (sequence) => {
          const actor = createActor(machine).start()
          let text = table.initial
          for (const event of sequence) {
            const next = table.next(text, event)
            expect(actor.getSnapshot().can(event)).toBe(next !== null)
            // XState complains of whatever is sent to an actor that is done.
            if (actor.getSnapshot().status === 'active') actor.send(event)
            text = next ?? text
            expect(textOf(actor.getSnapshot())).toBe(text)
          }
          actor.stop()
        }),
        { numRuns: 100 },
      )
    })
  })
}

explore(orders)
explore(fulfillments)
explore(units)
explore(returns)

/** What can happen in a state, in the order of the alphabet. */
const possible = <E extends { type: string }>({ table, events }: Subject<E>, state: string): string[] =>
  [...new Set(events.filter((event) => table.next(state, event) !== null).map(({ type }) => type))].sort()

describe('an order, as the trade draws it', () => {
  const IDLE = 'none/settled/idle'
  const then = (progress: string, type: OrderEventType, outlook: OrderEvent['outlook'], before = IDLE): string | null =>
    orderTable.next(`${before}/${progress}`, { type, outlook })
  const goods = (state: string): string[] =>
    possible(orders, `${IDLE}/${state}`).filter((type) => !/^(PAYMENT_|HOLD|SOURCE$)/.test(type))

  it('is where its lines are, after whatever happens to them', () => {
    const where = {
      open: 'received',
      backordered: 'backordered',
      allocated: 'allocated',
      partially_shipped: 'partially_shipped',
      shipped: 'shipped',
      delivered: 'delivered',
      cancelled: 'cancelled',
    } as const
    for (const progress of ['received', 'backordered', 'allocated', 'partially_shipped']) {
      for (const type of ['SOURCED', 'REVISE', 'CANCEL', 'SHORT', 'PICK', 'SHIP', 'DELIVER', 'LOSE'] as const) {
        for (const outlook of OUTLOOKS) expect(then(progress, type, outlook)).toBe(`${IDLE}/${where[outlook]}`)
      }
    }
  })

  it('cannot be cancelled, changed or picked once it is shipped; it arrives, is lost, returned or credited', () => {
    expect(goods('shipped')).toEqual(['CREDIT', 'DELIVER', 'LOSE', 'RETURN'])
  })

  it('is completed from delivered and from nowhere else', () => {
    const from = orders.states.progress!.filter((progress) => then(progress, 'COMPLETE', 'delivered') !== null)
    expect(from).toEqual(['delivered'])
    expect(then('delivered', 'COMPLETE', 'delivered')).toBe(`${IDLE}/completed`)
  })

  it('is over when it is cancelled or rejected, and takes no goods any more', () => {
    expect(goods('cancelled')).toEqual([])
    expect(goods('rejected')).toEqual([])
    expect(goods('completed')).toEqual(['CREDIT', 'RETURN'])
  })

  it('is taken or refused before anything else is done with it', () => {
    expect(goods('validating')).toEqual(['ACCEPT', 'REJECT'])
  })

  it('moves hold, payment, sourcing and progress apart: none blocks another', () => {
    const regionOf = (type: OrderEventType): number[] => {
      if (type === 'HOLD' || type === 'RESUME') return [0]
      if (type.startsWith('PAYMENT_')) return [1]
      if (type === 'SOURCE') return [2]
      return ['SOURCED', 'CANCEL', 'REVISE', 'REJECT'].includes(type) ? [2, 3] : [3]
    }
    for (const { state } of reachable(orders)) {
      const before = textOf(state).split('/')
      for (const event of orders.events) {
        const next = orderTable.next(textOf(state), event)?.split('/')
        if (!next) continue
        const moved = next.flatMap((part, i) => (part === before[i] ? [] : [i]))
        expect(regionOf(event.type), `${textOf(state)} at ${event.type}`).toEqual(expect.arrayContaining(moved))
      }
    }
  })

  it('is never paid for again once its payment is voided', () => {
    expect(possible(orders, 'none/voided/idle/received').filter((type) => type.startsWith('PAYMENT_'))).toEqual([])
  })
})

describe('a fulfillment order, as the trade draws it', () => {
  it.each([
    ['pending', ['ACCEPT', 'CANCEL', 'REJECT']],
    ['accepted', ['CANCEL', 'PICK', 'REJECT', 'SHORT']],
    ['packed', ['FAIL', 'SHIP']],
    ['shipped', ['DELIVER', 'FAIL']],
    ['delivered', []],
    ['rejected', []],
    ['failed', []],
    ['cancelled', []],
  ])('%s takes %j', (state, events) => {
    expect(possible(fulfillments, state)).toEqual(events)
  })

  it('leaves the building only when it is packed', () => {
    const from = fulfillments.states.all!.filter((state) => fulfillmentTable.next(state, { type: 'SHIP' }) !== null)
    expect(from).toEqual(['packed'])
  })
})

describe('a unit, as the trade draws it', () => {
  it('cannot be cancelled once it is shipped, but returned, or lost and sent again', () => {
    expect(possible(units, 'shipped')).toEqual(['DELIVER', 'LOSE', 'RETURN'])
  })

  it('is over when it is cancelled or returned', () => {
    expect(possible(units, 'cancelled')).toEqual([])
    expect(possible(units, 'returned')).toEqual([])
  })

  it('is picked only where it is held', () => {
    expect(UNIT_STATES.filter((state) => unitTable.next(state, { type: 'PICK' }) !== null)).toEqual(['allocated'])
  })
})
