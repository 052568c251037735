/** What the tills of a store send, and what was made of it. */
import { z } from 'zod'
import { TillQueues } from '../channels/pos/till-queue.js'
import { JOURNAL, type JournalEntry, journalId } from '../channels/pos/till-step.js'
import { posSettings, tillName, transactionId, transactions } from '../channels/pos/transactions.js'
import { problem } from '../problems.js'
import { channelName, page } from '../schemas.js'
import { withoutUndefined } from '../without-undefined.js'
import { type OperationContext, operation } from './operation.js'

const parameters = z.object({ connection: channelName })
const queues = new TillQueues()

/** The transaction as it was sent: null once its customer is erased. */
function shown(
  { till, person, payload, receivedAt, result, voidedBy }: JournalEntry,
  { people }: OperationContext,
): object {
  return {
    till,
    receivedAt,
    transaction: people.vault.open(person, payload) ?? null,
    result: result ?? null,
    ...(voidedBy === undefined ? {} : { voidedBy }),
  }
}

export const posOperations = [
  operation({
    name: 'pos.take',
    summary: 'A till’s queue: transactions in the order in which they happened, each with its own outcome, each once',
    http: { method: 'POST', path: '/v1/channels/pos/{connection}/transactions', status: 200 },
    parameters,
    body: posSettings.partial().extend({ till: tillName, transactions }),
    async run({ connection, till, transactions: sent, ...given }, context) {
      const known = context.channels.connections.get('pos', connection)?.settings ?? {}
      const checked = posSettings.safeParse({ ...known, ...withoutUndefined(given) })
      if (!checked.success) {
        const detail = 'location and currency: put them into the connection’s settings, or send them with the queue'
        return problem(422, 'invalid', detail)
      }
      const settings = checked.data
      if (context.directory.find('locations', settings.location) < 0) {
        return problem(404, 'unknown_location', `There is no location ${settings.location}; put the location first.`)
      }
      const results = await queues.take(connection, till, settings, sent, context)
      return 'status' in results ? results : { status: 200, body: { results } }
    },
  }),
  operation({
    name: 'pos.get',
    summary: 'A transaction of a till and what was made of it',
    http: { method: 'GET', path: '/v1/channels/pos/{connection}/transactions/{till}/{id}', status: 200 },
    parameters: parameters.extend({ till: tillName, id: transactionId }),
    async run({ connection, till, id }, context) {
      const kept = await context.records.get<JournalEntry>(JOURNAL, journalId(connection, till, id))
      if (!kept) return problem(404, 'unknown_transaction', `There is no transaction ${id} of till ${till}.`)
      return { status: 200, body: shown(kept.value, context) }
    },
  }),
  operation({
    name: 'pos.list',
    summary: 'Transactions of a connection’s tills, by till and id, the highest first',
    http: { method: 'GET', path: '/v1/channels/pos/{connection}/transactions', status: 200 },
    parameters,
    query: page.extend({ cursor: z.string().max(300).optional() }),
    async run({ connection, limit, cursor }, context) {
      const found = await context.records.list<JournalEntry>(JOURNAL, limit, cursor, connection)
      return {
        status: 200,
        body: { items: found.items.map(({ value }) => shown(value, context)), nextCursor: found.nextCursor },
      }
    },
  }),
]
