/**
 * Where a customer has left something: orders, entries of the waiting list, records of the edges. Erasure and export both
 * look here, so what is not found here is neither erased nor shown.
 */
import type { WaitlistEntry } from '../../actors/inventory/waitlist.js'
import { fulfillmentId } from '../../actors/order/order-id.js'
import type { OrderView } from '../../actors/order/order-views.js'
import type { Outcome, Problem } from '../../engine/protocol.js'
import { failed, type OperationContext } from '../operations/operation.js'
import { pageOf } from '../operations/orders.js'
import { problem } from '../problems.js'

/** Kinds of records that are about persons. They refer to the person, to a key of the customer, or to an order's parts. */
export const PERSONAL_KINDS = ['message', 'label', 'intake', 'consent'] as const
/** What tills have sent is shown as well; it stays after an erasure, unreadable, since a till may send it again. */
export const EXPORTED_KINDS = [...PERSONAL_KINDS, 'pos-transaction'] as const

/** Persons that one customer's id or address stands for: more have only a placeholder in common. */
const PERSONS_MAX = 100
const PAGE = 100

/** A partition has refused: `outcome` says why. */
class Unanswered extends Error {
  constructor(readonly outcome: Outcome) {
    super(`a partition did not answer: ${outcome.status} ${(outcome.body as Problem).code}`)
  }
}

/** What a partition has answered; throws Unanswered where it has refused. */
export function answered({ status, body }: Outcome): unknown {
  if (failed({ status, body })) throw new Unanswered({ status, body })
  return body
}

interface OrdersPage {
  orders: OrderView[]
  nextCursor: string | null
}

/** Orders that are found by one of a customer's keys, or by the person; newest first. An outcome: the cursor is wrong. */
export async function pageOfOrders(
  key: string,
  limit: number,
  cursor: string | undefined,
  context: OperationContext,
): Promise<OrdersPage | Outcome> {
  const ask = { filter: { customer: key }, detail: 'whole' }
  const page = await pageOf<{ order: OrderView } & { entry: string }>('order.list', ask, limit, cursor, context)
  if ('status' in page) return page
  return { orders: page.items.map(({ order }) => order), nextCursor: page.nextCursor }
}

export async function* ordersOf(key: string, context: OperationContext): AsyncGenerator<OrderView> {
  for (let cursor: string | undefined; ; ) {
    const page = await pageOfOrders(key, PAGE, cursor, context)
    if ('status' in page) throw new Unanswered(page)
    yield* page.orders
    if (page.nextCursor === null) return
    cursor = page.nextCursor
  }
}

interface WaitingCustomer {
  partition: number
  entry: WaitlistEntry
}

/** Entries of the waiting list, in descending order of their ids within each partition. */
export async function* waitlistOf(key: string, { dispatch }: OperationContext): AsyncGenerator<WaitingCustomer> {
  for (let partition = 0; partition < dispatch.links.partitions; partition++) {
    for (let before: string | undefined; ; ) {
      const ask = { key, limit: PAGE, ...(before === undefined ? {} : { before }) }
      const body = answered(await dispatch.query(partition, 'waitlist.ofCustomer', ask))
      const { items } = body as { items: WaitlistEntry[] }
      for (const entry of items) yield { partition, entry }
      before = items.at(-1)?.id
      if (before === undefined) break
    }
  }
}

/** What records about an order may refer to. */
export const refsOfOrder = ({ id, fulfillments, returns }: OrderView): string[] => [
  id,
  ...fulfillments.map(({ number }) => fulfillmentId(id, number)),
  ...(returns ?? []).map((found) => found.id),
]

/** The key of a customer, and by whose keys what he or she has left is sealed. */
export interface Identity {
  key: string
  persons: string[]
}

/** Whom something is asked about: by id or address, or by any order. A guest without either is known by the order alone. */
export type Whose = { customer: string } | { order: string }

export interface Identified extends Identity {
  /** What every earlier erasure of the same customer refers to. */
  erasedUnder: string
}

/** Everybody for whom something of this customer is sealed; an outcome where that is no one customer, or no order. */
export async function identify(whose: Whose, context: OperationContext): Promise<Identified | Outcome> {
  if ('customer' in whose) {
    const found = await identifyCustomer(whose.customer, context)
    return 'status' in found ? found : { ...found, erasedUnder: found.key }
  }
  const { dispatch, directory, people } = context
  const outcome = await dispatch.query(directory.partitionOfOrder(whose.order), 'order.get', { id: whose.order })
  if (failed(outcome)) return outcome
  // What an order's partition answers.
  const { customer } = outcome.body as OrderView
  const { person: erasedUnder } = customer
  const { id, email } = people.openCustomer(customer)
  const name = id ?? email
  const known = name === undefined ? undefined : await identifyCustomer(name, context)
  if (known && 'status' in known) return known
  const persons = new Set(known?.persons)
  if (people.vault.has(erasedUnder)) persons.add(erasedUnder)
  return { key: known?.key ?? people.keyOfOrder(whose.order), persons: [...persons].sort(), erasedUnder }
}

async function identifyCustomer(customer: string, context: OperationContext): Promise<Identity | Outcome> {
  const { people } = context
  const key = people.keyOf(customer)
  const persons = new Set(
    [people.personOf({ id: customer }, ''), people.personOf({ email: customer }, '')].filter((person) =>
      people.vault.has(person),
    ),
  )
  const tooMany = (): boolean => persons.size > PERSONS_MAX
  for await (const { customer: found } of ordersOf(key, context)) {
    persons.add(found.person)
    if (tooMany()) break
  }
  for await (const { entry } of waitlistOf(key, context)) {
    persons.add(entry.customer.person)
    if (tooMany()) break
  }
  if (!tooMany()) return { key, persons: [...persons].sort() }
  return problem(
    409,
    'many_customers',
    `More than ${PERSONS_MAX} customers have this in common, so it names none of them; ask for each by an id of its own.`,
  )
}
