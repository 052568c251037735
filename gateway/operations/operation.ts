/**
 * An operation: one thing that a client may ask, by HTTP and by control message alike. Its schemas check the input and
 * describe it in the OpenAPI document.
 */
import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import { faulty } from '../../actors/outcomes.js'
import type { Outcome } from '../../engine/protocol.js'
import type { Shipping } from '../carriers/shipping.js'
import type { ChannelDesk } from '../channels/channel-desk.js'
import type { Directory } from '../directory.js'
import type { Dispatch } from '../dispatch.js'
import type { Messaging } from '../notify/messaging.js'
import { derivedId } from '../order-request.js'
import type { EventConsumer } from '../outbox/event-consumer.js'
import type { OutwardClient } from '../outward/outward-http.js'
import type { People } from '../personal-data/people.js'
import { problem } from '../problems.js'
import type { RecordStore } from '../records.js'
import type { Webhooks } from '../webhooks/webhooks.js'

export interface OperationContext {
  dispatch: Dispatch
  directory: Directory
  records: RecordStore
  people: People
  /** The way to others over HTTP. */
  outward: OutwardClient
  channels: ChannelDesk
  messaging: Messaging
  webhooks: Webhooks
  /** Readers of events that run. */
  consumers: EventConsumer[]
  shipping: Shipping
  dataDir: string
  now: () => number
  /** Another operation, as a client would ask for it. */
  call: (name: string, input: object, idempotencyKey?: string) => Promise<Outcome>
  /** Tells the log of something that went wrong behind an answer that was given already. */
  fault: (error: unknown) => void
  /** The request's Idempotency-Key: what has no id of its own takes it, so that a retry after a crash counts once. */
  idempotencyKey?: string
  /** Whose data the answer shows, noted for whoever keeps the answer. */
  subject?: { person?: string }
}

export interface Operation {
  /** As control messages name it. */
  name: string
  summary: string
  /** None: only for control messages. Path parameters stand in braces. */
  http?: {
    method: 'GET' | 'POST' | 'PUT' | 'PATCH'
    path: string
    status: number
    /** Content type of a body that is bytes (`Uint8Array`); none: JSON. Control messages carry them as they are. */
    produces?: string
    /** The body is a form that somebody signs: `run` gets its text, the query's, and what the header of this name says. */
    form?: { signature: string }
    /** Its answer holds a secret, so it is not kept for an Idempotency-Key. */
    isUnrepeatable?: boolean
  }
  /** Path parameters, query and body in one. */
  parameters?: z.ZodObject
  query?: z.ZodObject
  body?: z.ZodType
  run(input: unknown, context: OperationContext): Promise<Outcome>
}

/** A body in bytes that brings headers of its own. */
export class Content {
  constructor(
    readonly bytes: Uint8Array,
    readonly headers: Readonly<Record<string, string>>,
  ) {}
}

/** An operation whose `run` is typed by its schemas. */
export function operation<
  P extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Q extends z.ZodObject = z.ZodObject<Record<never, never>>,
  B extends z.ZodType = z.ZodType<object>,
>(definition: {
  name: string
  summary: string
  http?: Operation['http']
  parameters?: P
  query?: Q
  body?: B
  run(input: z.output<P> & z.output<Q> & z.output<B>, context: OperationContext): Promise<Outcome>
}): Operation {
  // The three schemas have checked the parts of the input by the time that `run` sees them.
  return definition as Operation
}

/** Checks the parts of an input; the outcome that says everything that is wrong, or the input. */
export function checkInput(
  operation: Pick<Operation, 'parameters' | 'query' | 'body'>,
  parts: { parameters: unknown; query: unknown; body: unknown },
): { input: unknown } | { refused: Outcome } {
  const errors: { path: string; message: string }[] = []
  const input = {}
  for (const part of ['parameters', 'query', 'body'] as const) {
    const schema = operation[part]
    if (!schema) continue
    const checked = schema.safeParse(parts[part])
    if (checked.success) Object.assign(input, checked.data)
    else for (const issue of checked.error.issues) errors.push({ path: issue.path.join('.'), message: issue.message })
  }
  if (errors.length === 0) return { input }
  return { refused: faulty(errors) }
}

/**
 * An id for what came without one. A retry under the same Idempotency-Key gets the same id, so that it finds what the first
 * try made although a crash kept it from being answered. `place`: in a list of many.
 */
export const newId = ({ idempotencyKey }: OperationContext, place = ''): string =>
  idempotencyKey === undefined ? randomUUID() : derivedId(['', idempotencyKey, place])

/** How operations are asked for by those that serve no client: what is wrong with an input is answered likewise. */
export function caller(operations: Operation[], context: () => OperationContext): OperationContext['call'] {
  const byName = new Map(operations.map((operation) => [operation.name, operation]))
  return async (name, input, idempotencyKey) => {
    const operation = byName.get(name)
    if (!operation) throw new Error(`there is no operation ${name}`)
    const checked = checkInput(operation, { parameters: input, query: input, body: input })
    if ('refused' in checked) return checked.refused
    return operation.run(checked.input, idempotencyKey === undefined ? context() : { ...context(), idempotencyKey })
  }
}

export const failed = (outcome: Outcome): boolean => outcome.status >= 300

/** One page of a list whose cursor is the position behind its last item. */
export function pageFrom(cursor: string | undefined): number | Outcome {
  if (cursor === undefined) return 0
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  return problem(422, 'invalid', 'cursor: not one that this list gave', [{ path: 'cursor', message: 'unknown cursor' }])
}
