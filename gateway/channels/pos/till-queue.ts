/**
 * Takes a till's queue: one transaction after the other, each once. What has been begun is in a journal before anything is
 * done, and what came of it when all is done, so that a queue that is sent again gives the same answers and one that a
 * crash cut off goes on where it was. Every step has an id that is made of the transaction's.
 */
import type { Outcome, Problem } from '../../../engine/protocol.js'
import type { OperationContext } from '../../operations/operation.js'
import { derivedId } from '../../order-request.js'
import { overloaded } from '../../problems.js'
import { RecordRefused } from '../../records.js'
import { aliasedLine } from '../aliased-line.js'
import { Refused } from '../applied.js'
import { collect, orderOfReceipt, saveTheSale } from './till-orders.js'
import { exchange, takeBack, voidSale } from './till-returns.js'
import { sell } from './till-sale.js'
import { JOURNAL, type JournalEntry, journalId, refsOfEntry, TillRefusal, type TillStep } from './till-step.js'
import {
  type BroughtBack,
  type PosSettings,
  type SoldLine,
  type Transaction,
  type TransactionResult,
  transaction,
} from './transactions.js'

/** Queues of one till that wait for their turn: a till that sends its queue again and again meets this. */
const QUEUES_WAITING_MAX = 64

/** No room now, or something failed behind the answer: the rest of the queue waits for the next time. */
class TryLater extends Error {}

export class TillQueues {
  /** The last queue that was sent of each till: the next one begins when it has ended. */
  private readonly tails = new Map<string, { ended: Promise<unknown>; waiting: number }>()

  /** Takes what a till sends, behind what it has sent before. `sent`: each is checked here. */
  async take(
    connection: string,
    till: string,
    settings: PosSettings,
    sent: readonly unknown[],
    context: OperationContext,
  ): Promise<TransactionResult[] | Outcome> {
    const key = JSON.stringify([connection, till])
    const tail = this.tails.get(key) ?? { ended: Promise.resolve(), waiting: 0 }
    if (tail.waiting >= QUEUES_WAITING_MAX) return overloaded()
    tail.waiting++
    this.tails.set(key, tail)
    const mine = tail.ended.then(() => takeAll(connection, till, settings, sent, context))
    tail.ended = mine.catch(() => undefined)
    try {
      return await mine
    } finally {
      tail.waiting--
      if (tail.waiting === 0) this.tails.delete(key)
    }
  }
}

async function takeAll(
  connection: string,
  till: string,
  settings: PosSettings,
  sent: readonly unknown[],
  context: OperationContext,
): Promise<TransactionResult[]> {
  const results: TransactionResult[] = []
  for (const raw of sent) {
    // What follows may need what could not be done: a return of a sale, for one.
    if (results.at(-1)?.outcome === 'later') {
      results.push({ id: idOfRaw(raw), outcome: 'later', detail: 'What stands before it in the queue waits.' })
      continue
    }
    const read = transaction.safeParse(raw)
    results.push(
      read.success ? await takeOne(connection, till, settings, read.data, raw, context) : unreadable(raw, read.error),
    )
  }
  return results
}

function idOfRaw(raw: unknown): string {
  const id = typeof raw === 'object' && raw !== null && 'id' in raw ? raw.id : undefined
  return typeof id === 'string' ? id.slice(0, 80) : ''
}

const unreadable = (
  raw: unknown,
  { issues }: { issues: { path: PropertyKey[]; message: string }[] },
): TransactionResult => ({
  id: idOfRaw(raw),
  outcome: 'refused',
  code: 'invalid',
  detail: 'This is no transaction as it should be; correct what is named and send it again.',
  errors: issues.slice(0, 20).map(({ path, message }) => ({ path: path.map(String).join('.'), message })),
})

async function takeOne(
  connection: string,
  till: string,
  settings: PosSettings,
  taken: Transaction,
  raw: unknown,
  context: OperationContext,
): Promise<TransactionResult> {
  const { id, type } = taken
  const { records, people, now } = context
  const name = journalId(connection, till, id)
  try {
    // Keyed: from a plain hash what is known of a customer could be guessed.
    const fingerprint = people.vault.blind(JSON.stringify(taken))
    const known = await records.get<JournalEntry>(JOURNAL, name)
    if (known && known.value.fingerprint !== fingerprint) {
      return conflict(id, type)
    }
    if (known?.value.result) return known.value.result
    const isRepeat = known !== undefined
    const receivedAt = new Date(now()).toISOString()
    const entry: JournalEntry = known?.value ?? {
      connection,
      till,
      id,
      type,
      fingerprint,
      ...(await sealed(raw, customerOf(taken) ?? settings.customer, orderOfReceipt(connection, till, id), context)),
      receivedAt,
      adjustments: [],
    }
    const save = () => records.put({ kind: JOURNAL, id: name, value: entry, refs: refsOfEntry(entry) })
    if (!isRepeat) await save()
    const step = stepOf({ connection, till, settings, entry, isRepeat, context }, save)
    const result = { id, type, ...(await carryOut(inOurs(taken, step), step)) }
    entry.result = result
    await save()
    return result
  } catch (error) {
    return await failure(error, name, taken, context)
  }
}

const customerOf = (taken: Transaction): PosSettings['customer'] | undefined =>
  'customer' in taken ? taken.customer : undefined

/** What the till sent is the customer's, as its order is. */
async function sealed(
  raw: unknown,
  customer: PosSettings['customer'],
  order: string,
  { people }: OperationContext,
): Promise<Pick<JournalEntry, 'person' | 'payload'>> {
  const person = people.personOf(customer, order)
  await people.vault.ensure(person)
  return { person, payload: people.vault.seal(person, raw) }
}

/** In our SKUs where the connection has aliases. */
function inOurs(taken: Transaction, { connection, context }: TillStep): Transaction {
  const alias = (sku: string) => context.channels.connections.alias({ type: 'pos', id: connection }, sku)
  const sold = <Line extends SoldLine>(lines: Line[]): Line[] => lines.map((line) => aliasedLine(line, alias(line.sku)))
  const back = (lines: BroughtBack): BroughtBack =>
    lines.map((line) => {
      const { sku, quantity } = alias(line.sku)
      return { ...line, sku, quantity: line.quantity * quantity }
    })
  switch (taken.type) {
    case 'sale':
    case 'save_the_sale':
      return { ...taken, lines: sold(taken.lines) }
    case 'return':
      return { ...taken, lines: back(taken.lines) }
    case 'exchange':
      return { ...taken, lines: sold(taken.lines), back: back(taken.back) }
    default:
      return taken
  }
}

const conflict = (id: string, type: string): TransactionResult => ({
  id,
  type,
  outcome: 'refused',
  code: 'conflict',
  detail: 'This id was used for another transaction of this till; use a new id.',
})

async function failure(
  error: unknown,
  name: string,
  { id, type }: Transaction,
  context: OperationContext,
): Promise<TransactionResult> {
  if (error instanceof TillRefusal) {
    return { id, type, outcome: 'refused', code: error.code, detail: error.message, ...error.more }
  }
  if (error instanceof Refused) return { id, type, outcome: 'refused', code: 'invalid', detail: error.message }
  if (!(error instanceof TryLater || error instanceof RecordRefused)) context.fault(error)
  return { id, type, outcome: 'later', detail: `Transaction ${name} could not be finished now; send it again.` }
}

function stepOf(
  parts: Pick<TillStep, 'connection' | 'till' | 'settings' | 'entry' | 'isRepeat' | 'context'>,
  save: () => Promise<unknown>,
): TillStep {
  const { connection, till, entry, context, settings } = parts
  const idOf = (part: string): string => derivedId(['pos', connection, till, entry.id, part])
  const must = async <Body>(name: string, input: object, idempotencyKey?: string): Promise<Body> => {
    const { status, body } = await context.call(name, input, idempotencyKey)
    // What an operation answers is known to whoever names it.
    if (status < 300) return body as Body
    const { code, detail, errors } = body as Problem
    if (status >= 500) throw new TryLater(detail)
    throw new TillRefusal(code, detail, errors ? { errors } : {})
  }
  return {
    ...parts,
    idOf,
    must,
    async adjust(part, note) {
      const id = idOf(`adjust/${part}`)
      let planned = entry.adjustments.find((one) => one.id === id)
      if (!planned) {
        planned = { id, location: settings.location, ...note }
        entry.adjustments.push(planned)
        await save()
      }
      const { sku, location, delta, reason } = planned
      await must('inventory.adjust', { id, sku, location, delta, reason })
    },
  }
}

type Done = Omit<TransactionResult, 'id' | 'type'>

async function carryOut(taken: Transaction, step: TillStep): Promise<Done> {
  switch (taken.type) {
    case 'sale':
      return sell(taken, step)
    case 'save_the_sale':
      return saveTheSale(taken, step)
    case 'pickup':
      return collect(taken, step)
    case 'return':
      return takeBack(taken, step)
    case 'exchange':
      return exchange(taken, step)
    case 'void':
      return voidSale(taken, step)
    case 'no_sale':
      return { outcome: 'ignored', reason: 'the drawer was opened and nothing was sold' }
    case 'cash':
      return { outcome: 'ignored', reason: 'money moved in the till; no goods did' }
  }
}
