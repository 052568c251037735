/**
 * Erasure of a customer: the keys of whatever was sealed for the person are destroyed, which makes it unreadable wherever
 * it is, also in the log, and what told of the person besides is taken out of the orders. A record with a state says how
 * far it has come, so that what a crash cuts off is completed. Backups that were taken before are not changed by it: see
 * vault-file.ts.
 *
 * What an order keeps: what was sold and for how much, city, postal code, region and country, and what people wrote as a
 * reason. An order that is being placed at the same instant is erased with the others.
 */
import PQueue from 'p-queue'
import type { Outcome } from '../../engine/protocol.js'
import type { Dispatch } from '../dispatch.js'
import { MESSAGE, type MessageRecord } from '../notify/message-record.js'
import type { OperationContext } from '../operations/operation.js'
import { problem } from '../problems.js'
import {
  answered,
  type Identity,
  identify,
  ordersOf,
  PERSONAL_KINDS,
  refsOfOrder,
  type Whose,
  waitlistOf,
} from './traces.js'

export const ERASURE = 'erasure'

export interface Erasure extends Identity {
  /** From `keys_destroyed` on nothing can be read any more. */
  state: 'begun' | 'keys_destroyed' | 'done'
  reason: string
  by: string
  orders: number
  waitlist: number
  begunMs: number
  doneMs?: number
}

interface ErasureWish {
  whose: Whose
  reason: string
  by: string
  /** Also where orders are not over: nobody will be able to ship them. */
  force: boolean
}

const OVER = ['cancelled', 'rejected', 'delivered', 'completed']
/** Orders that a refusal names. */
const NAMED_MAX = 20

/** One after another: of two for the same customer the second finds what the first has done. */
const queues = new WeakMap<Dispatch, PQueue>()

function oneByOne<T>({ dispatch }: OperationContext, work: () => Promise<T>): Promise<T> {
  const queue = queues.get(dispatch) ?? new PQueue({ concurrency: 1 })
  queues.set(dispatch, queue)
  // It resolves with what `work` did: no timeout and no signal end it before.
  return queue.add(work) as Promise<T>
}

/** Erases a customer; an outcome where it was refused. */
export const erase = (wish: ErasureWish, context: OperationContext): Promise<Erasure | Outcome> =>
  oneByOne(context, () => begin(wish, context))

/** Completes what was cut off. */
export const resumeErasures = (context: OperationContext): Promise<void> =>
  oneByOne(context, async () => {
    for (;;) {
      const { items } = await context.records.due<Erasure>(ERASURE, Number.MAX_SAFE_INTEGER, 1)
      const [next] = items
      if (!next) return
      await complete(next.id, next.value, context)
    }
  })

async function begin({ whose, force, ...told }: ErasureWish, context: OperationContext): Promise<Erasure | Outcome> {
  const { records } = context
  const found = await identify(whose, context)
  if ('status' in found) return found
  const { persons, key, erasedUnder } = found
  const earlier = await records.all<Erasure>(ERASURE, erasedUnder)
  const cutOff = earlier.find(({ value }) => value.state !== 'done')
  if (cutOff) return complete(cutOff.id, cutOff.value, context)
  const { orders, open } = await ordersOfAll(persons, context)
  if (open.length > 0 && !force) return ordersOpen(open)
  const waitlist = await waitingOfAll(persons, context)
  if (persons.length === 0 && !(await isReferredTo(key, context))) {
    return earlier[0]?.value ?? unknownCustomer()
  }
  const begunMs = context.now()
  const erasure: Erasure = { key, persons, state: 'begun', ...told, orders, waitlist, begunMs }
  const id = `${String(begunMs).padStart(13, '0')}-${key}`
  return complete(id, await save(id, erasure, context), context)
}

/** Goes on from the state that the erasure has; each state is durable before the next step begins. */
async function complete(id: string, begun: Erasure, context: OperationContext): Promise<Erasure> {
  const { people, now } = context
  let erasure = begun
  if (erasure.state === 'begun') {
    people.vault.destroy(erasure.persons)
    erasure = await save(id, { ...erasure, state: 'keys_destroyed' }, context)
  }
  if (erasure.state === 'keys_destroyed') {
    for (const person of erasure.persons) await forget(person, erasure, context)
    await deleteRecords([erasure.key, ...erasure.persons], context)
    erasure = await save(id, { ...erasure, state: 'done', doneMs: now() }, context)
  }
  return erasure
}

async function save(id: string, erasure: Erasure, { records }: OperationContext): Promise<Erasure> {
  const refs = [erasure.key, ...erasure.persons]
  // Due until it is done: by that it is found at the next start.
  const due = erasure.state === 'done' ? {} : { dueMs: erasure.begunMs }
  await records.put({ kind: ERASURE, id, value: erasure, refs, ...due })
  return erasure
}

/** Takes what told of a person out of orders and waiting lists. */
async function forget(person: string, { reason, by }: Erasure, context: OperationContext): Promise<void> {
  const { dispatch, directory, people } = context
  for await (const order of ordersOf(person, context)) {
    // What can be read was sealed since: the customer has come back.
    if (people.canOpen(order.customer)) continue
    await deleteRecords(refsOfOrder(order), context)
    answered(await dispatch.command(directory.partitionOfOrder(order.id), 'order.forget', { id: order.id, reason, by }))
  }
  for await (const { partition, entry } of waitlistOf(person, context)) {
    if (!people.canOpen(entry.customer)) {
      answered(await dispatch.command(partition, 'waitlist.forget', { id: entry.id }))
    }
  }
}

/** How many orders these persons have, and which of them are not over. */
async function ordersOfAll(persons: string[], context: OperationContext): Promise<{ orders: number; open: string[] }> {
  let orders = 0
  const open: string[] = []
  for (const person of persons) {
    for await (const { id, status } of ordersOf(person, context)) {
      orders++
      if (!OVER.includes(status) && open.length <= NAMED_MAX) open.push(id)
    }
  }
  return { orders, open }
}

async function waitingOfAll(persons: string[], context: OperationContext): Promise<number> {
  let entries = 0
  for (const person of persons) for await (const _entry of waitlistOf(person, context)) entries++
  return entries
}

async function isReferredTo(key: string, { records }: OperationContext): Promise<boolean> {
  for (const kind of PERSONAL_KINDS) {
    if ((await records.list(kind, 1, undefined, key)).items.length > 0) return true
  }
  return false
}

function ordersOpen(open: string[]): Outcome {
  const named = open.slice(0, NAMED_MAX)
  const more = open.length > NAMED_MAX ? ' and others' : ''
  const detail = `Orders of this customer are not over: ${named.join(', ')}${more}. Complete or cancel them first, or erase with force: then nobody can ship them any more.`
  return { status: 409, body: { code: 'orders_open', detail, orders: named } }
}

const unknownCustomer = (): Outcome =>
  problem(404, 'unknown_customer', 'Nothing is kept about this customer; check the id or the e-mail address.')

async function deleteRecords(refs: readonly string[], { records, messaging }: OperationContext): Promise<void> {
  for (const kind of PERSONAL_KINDS) {
    for (const ref of refs) {
      for (let more = true; more; ) {
        const { items, nextCursor } = await records.list<unknown>(kind, 100, undefined, ref)
        for (const { id, value } of items) {
          // Of this kind, so its shape is known.
          if (kind === MESSAGE) await messaging.sender.forget(id, value as MessageRecord)
          else await records.delete(kind, id)
        }
        more = nextCursor !== null
      }
    }
  }
}
