/** What stands in DOORBUSTER_EVENTS, and what has to hold of it. */
import type { JetStreamManager } from 'nats'
import { expect } from 'vitest'

export interface PublishedEvent {
  readonly subject: string
  readonly id: string
  readonly data: { id: string; type: string; subject: string }
}

const READ_AT_ONCE = 500

export async function readEvents(manager: JetStreamManager): Promise<PublishedEvent[]> {
  const { state } = await manager.streams.info('DOORBUSTER_EVENTS')
  const events: PublishedEvent[] = []
  for (let first = state.first_seq; first <= state.last_seq; first += READ_AT_ONCE) {
    const count = Math.min(READ_AT_ONCE, state.last_seq - first + 1)
    const sequences = Array.from({ length: state.messages === 0 ? 0 : count }, (_, i) => first + i)
    const messages = sequences.map((seq) => manager.streams.getMessage('DOORBUSTER_EVENTS', { seq }))
    for (const message of await Promise.all(messages)) {
      const { subject, header } = message
      events.push({ subject, id: header.get('Nats-Msg-Id'), data: message.json<PublishedEvent['data']>() })
    }
  }
  return events
}

/** The server of these tests has one partition, so that all its events are in one order. */
export function expectOnceAndInOrder(events: readonly PublishedEvent[]): void {
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  const numbers = events.map(({ id }) => Number(id.split('-')[1]))
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
}
