/** The OpenAPI document, made from the schemas that check the requests. */
import { z } from 'zod'
import type { Operation } from '../operations/operation.js'
import { orderExport } from '../order-schemas.js'

const PROBLEM = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What is wrong and what to do' },
    code: { type: 'string', description: 'Stable, for programs' },
    errors: {
      type: 'array',
      items: { type: 'object', properties: { path: { type: 'string' }, message: { type: 'string' } } },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'code'],
}

const PROBLEM_RESPONSE = {
  description: 'A problem (RFC 9457)',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

const jsonSchema = (schema: z.ZodType): object => {
  const { $schema: _, ...document } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return document
}

function parameters(schema: z.ZodObject | undefined, where: 'path' | 'query'): object[] {
  if (!schema) return []
  const document = jsonSchema(schema) as { properties?: Record<string, object>; required?: string[] }
  return Object.entries(document.properties ?? {}).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || (document.required ?? []).includes(name),
    schema: property,
  }))
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key and body give the first answer again; the same key with another body gives 409',
  schema: { type: 'string', maxLength: 200 },
}

const SIGNED_FORM = {
  required: true,
  description: 'A form, whose signature stands in a header',
  content: { 'application/x-www-form-urlencoded': { schema: { type: 'object' } } },
}

const EVENT_STREAM = {
  operationId: 'event.stream',
  summary: 'What happens, as server-sent events that can be resumed',
  tags: ['events'],
  parameters: [
    {
      name: 'after',
      in: 'query',
      required: false,
      description: 'The id of the last event seen',
      schema: { type: 'string' },
    },
    { name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'string' } },
  ],
  responses: {
    200: {
      description: 'CloudEvents 1.0 in JSON, one in each event',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    },
  },
}

const ORDER_EXPORT = {
  operationId: 'order.export',
  summary: 'All orders that match, newest first, as a stream: a row for each order line, or an order on each line',
  tags: ['orders'],
  parameters: parameters(orderExport, 'query'),
  responses: {
    200: {
      description: 'A stream that breaks off where it could not be finished: without its last chunk it is not whole',
      content: { 'text/csv': { schema: { type: 'string' } }, 'application/jsonl': { schema: { type: 'string' } } },
    },
    default: PROBLEM_RESPONSE,
  },
}

export function openApiDocument(operations: Operation[], version: string): object {
  const paths: Record<string, Record<string, object>> = {
    '/v1/events': { get: EVENT_STREAM },
    '/v1/orders/export': { get: ORDER_EXPORT },
  }
  for (const operation of operations) {
    if (!operation.http) continue
    const { method, path, status, produces, form, isUnrepeatable } = operation.http
    paths[path] ??= {}
    paths[path][method.toLowerCase()] = {
      operationId: operation.name,
      summary: operation.summary,
      tags: [path.split('/')[2]],
      parameters: [
        ...parameters(operation.parameters, 'path'),
        ...parameters(operation.query, 'query'),
        ...(method === 'POST' && !form && !isUnrepeatable ? [IDEMPOTENCY_KEY] : []),
      ],
      ...(form ? { requestBody: SIGNED_FORM } : {}),
      ...(operation.body && !form
        ? { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(operation.body) } } } }
        : {}),
      responses: {
        [status]: {
          description: 'Done',
          content: produces
            ? { [produces]: { schema: { type: 'string', format: 'binary' } } }
            : { 'application/json': { schema: { type: 'object' } } },
        },
        default: PROBLEM_RESPONSE,
      },
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Doorbuster',
      version,
      description: 'Order management with durable, serialized stock reservations.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: { schemas: { Problem: PROBLEM } },
  }
}
