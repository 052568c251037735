/** Events that a reader of events could do nothing with: seen, and handled once more when what was wrong is mended. */
import { z } from 'zod'
import { DEAD_LETTER, type DeadLetter } from '../outbox/event-consumer.js'
import { problem } from '../problems.js'
import type { Stored } from '../records.js'
import * as schemas from '../schemas.js'
import { isoTime } from './inventory.js'
import { operation } from './operation.js'

/** Without the event's data, which its own readers know how to show. */
const letterView = ({ id, value: { consumer, event, reason, atMs } }: Stored<DeadLetter>): object => ({
  id,
  consumer,
  event: {
    id: `${event.partition}-${event.number}`,
    type: event.type,
    subject: event.subject,
    time: isoTime(event.timeMs),
  },
  reason,
  at: isoTime(atMs),
})

export const deadLetterOperations = [
  operation({
    name: 'deadLetter.list',
    summary: 'Events that a reader (messages, webhooks, exchanges) has given up',
    http: { method: 'GET', path: '/v1/dead-letters', status: 200 },
    query: schemas.page.extend({ consumer: z.string().min(1).max(100).optional() }),
    async run({ limit, cursor, consumer }, { records }) {
      const { items, nextCursor } = await records.list<DeadLetter>(DEAD_LETTER, limit, cursor, consumer)
      return { status: 200, body: { items: items.map(letterView), nextCursor } }
    },
  }),
  operation({
    name: 'deadLetter.resend',
    summary: 'Gives an event to its reader once more; it is no dead letter any more where that goes well',
    http: { method: 'POST', path: '/v1/dead-letters/{id}/resend', status: 200 },
    parameters: z.object({ id: z.string().min(1).max(200).meta({ description: 'Its slash encoded as %2F' }) }),
    async run({ id }, { records, consumers }) {
      const letter = await records.get<DeadLetter>(DEAD_LETTER, id)
      if (!letter)
        return problem(404, 'unknown_dead_letter', `There is no dead letter ${id}; it may have gone out since.`)
      const { consumer: name, event } = letter.value
      const consumer = consumers.find((one) => one.name === name)
      if (!consumer) return problem(409, 'unknown_consumer', `Nothing here reads events as ${name} any more.`)
      try {
        await consumer.redo(event)
      } catch (error) {
        return problem(409, 'still_failing', `It was given up again: ${(error as Error).message}`)
      }
      await records.delete(DEAD_LETTER, id)
      return { status: 200, body: letterView(letter) }
    },
  }),
]
