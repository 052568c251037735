/** Published events as CloudEvents 1.0, and cursors over all partitions: one number for each, joined by dots. */
import type { EngineEvent } from '../engine/protocol.js'
import type { Directory } from './directory.js'
import type { Dispatch } from './dispatch.js'

export interface CloudEvent {
  specversion: '1.0'
  id: string
  source: string
  type: string
  subject: string
  time: string
  datacontenttype: 'application/json'
  data: unknown
}

/** Names for the indices that events carry. */
function namedData(directory: Directory, data: unknown): unknown {
  const { sku, location, moves, onHand, lines, ...rest } = data as {
    sku?: number
    location?: number
    /** SKU, location and units, one after the other. */
    moves?: number[]
    /** As `moves`. */
    onHand?: number[]
    lines?: { sku: number }[]
  }
  return {
    ...(sku === undefined ? {} : { sku: directory.name('skus', sku) }),
    ...(location === undefined ? {} : { location: directory.name('locations', location) }),
    ...rest,
    ...(moves === undefined ? {} : { moves: namedUnits(directory, moves) }),
    ...(onHand === undefined ? {} : { onHand: namedUnits(directory, onHand) }),
    ...(lines === undefined
      ? {}
      : { lines: lines.map((line) => ({ ...line, sku: directory.name('skus', line.sku) })) }),
  }
}

const namedUnits = (directory: Directory, triples: number[]): object[] =>
  Array.from({ length: triples.length / 3 }, (_, at) => ({
    sku: directory.name('skus', triples[at * 3]!),
    location: directory.name('locations', triples[at * 3 + 1]!),
    units: triples[at * 3 + 2]!,
  }))

export function cloudEvent(directory: Directory, event: EngineEvent): CloudEvent {
  const data = namedData(directory, event.data)
  const { sku } = data as { sku?: string }
  return {
    specversion: '1.0',
    id: `${event.partition}-${event.number}`,
    source: '/doorbuster',
    type: event.type,
    subject: sku === undefined ? event.subject : `${event.subject}/${sku}`,
    time: new Date(event.timeMs).toISOString(),
    datacontenttype: 'application/json',
    data,
  }
}

/** Where a reader stands in each partition's events. */
export class EventCursor {
  constructor(readonly numbers: number[]) {}

  /** A cursor as a client gives it back; undefined where it is not one of this server's. */
  static parse(text: string, partitions: number): EventCursor | undefined {
    if (text === '') return new EventCursor(new Array<number>(partitions).fill(0))
    if (!/^\d{1,15}(\.\d{1,15})*$/.test(text)) return undefined
    const numbers = text.split('.').map(Number)
    return numbers.length === partitions ? new EventCursor(numbers) : undefined
  }

  toString(): string {
    return this.numbers.join('.')
  }

  /**
   * The next events, at most `limit` of each partition, moving the cursor behind each as it is taken; `missed` where
   * older ones are no longer kept, or where the cursor is of a future that a restored backup does not know.
   */
  async *next(dispatch: Dispatch, limit: number): AsyncGenerator<EngineEvent | 'missed'> {
    for (let partition = 0; partition < this.numbers.length; partition++) {
      const after = this.numbers[partition]!
      const page = await dispatch.events.page(partition, after, limit)
      if (!page) continue
      const { events, missed, last } = page
      if (after > last) this.numbers[partition] = 0
      if (missed) yield 'missed'
      for (const event of events) {
        this.numbers[partition] = event.number
        yield event
      }
    }
  }
}
