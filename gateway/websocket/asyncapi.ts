/** The AsyncAPI document of /v1/socket and of NATS: control messages, and packed frames in words, since JSON Schema has no bytes. */
import { ANY_LOCATION, Operation, recordBytes, STATUS_CODES } from '../../actors/inventory/wire.js'
import { FRAME_RECORDS_MAX } from '../limits.js'
import { COMMANDS, DEAD, EVENTS, INTAKE, RESERVE } from '../nats/subjects.js'
import type { Operation as ClientOperation } from '../operations/operation.js'
import { SUBPROTOCOL } from './server.js'

const text = { type: 'string' }
const texts = { type: 'array', items: text }
const indices = { type: 'array', items: { type: 'integer', description: '-1: unknown' } }
const ref = { description: 'Echoed in the answer', anyOf: [{ type: 'integer' }, text] }

function control(op: string, summary: string, properties: object): object {
  return {
    name: op,
    summary,
    contentType: 'application/msgpack',
    payload: { type: 'object', required: ['op'], properties: { op: { const: op }, ref, ...properties } },
  }
}

const operations = Object.entries(Operation).map(
  ([name, code]) => `${code} ${name} (${recordBytes(code)} bytes a record)`,
)
const statuses = STATUS_CODES.map((code, status) => `${status} ${code}`)

const FRAME = {
  name: 'frame',
  summary: 'Many records of one operation, packed',
  contentType: 'application/octet-stream',
  description: [
    'Little-endian. Header of 8 bytes: u8 version (1), u8 operation, u16 count, u32 frame (echoed).',
    `Operations: ${operations.join(', ')}; at most ${FRAME_RECORDS_MAX} records.`,
    'reserve: u8[16] id (UUID), u64 buyer (0 none), u32 SKU index, u32 quantity, u32 ttlSeconds (0 default),',
    `u16 location index (${ANY_LOCATION} any), u16 flags (0). confirm, release: u8[16] id, u32 SKU index.`,
    'count: u32 SKU index, u32 on hand, u32 safety stock, u16 location index, u16 0.',
    'A reply has operation | 0x80 and 8 bytes a record: u8 status, u8 replayed, u16 location index, u32 remaining.',
    `Status: ${statuses.join(', ')}.`,
  ].join(' '),
}

const anyCommand = (names: readonly string[]): object => ({
  name: { description: 'Any call of the OpenAPI document by its operationId', enum: names },
})
const body = (name: string, summary: string, payload: object): object => ({
  name,
  summary,
  contentType: 'application/json',
  payload,
})
const ANSWER = { type: 'object', required: ['status', 'body'], properties: { status: { type: 'integer' }, body: {} } }

/** What is spoken by NATS where the server was given one. */
function natsChannels(names: readonly string[]): Record<string, object> {
  return {
    natsCommand: {
      address: `${COMMANDS}.{name}`,
      parameters: anyCommand(names),
      description:
        'Request and reply. JSON, or msgpack under Content-Type: application/msgpack; Idempotency-Key counts as over HTTP.',
      messages: {
        request: body('request', 'Path parameters, query and body in one', { type: 'object' }),
        answer: body('answer', 'Status, and a document or a problem document', ANSWER),
      },
    },
    natsReserve: {
      address: RESERVE,
      description: 'Request and reply. A malformed frame is answered by a problem document under Doorbuster-Status.',
      messages: { frame: FRAME },
    },
    natsIntake: {
      address: `${INTAKE}.{name}`,
      parameters: anyCommand(names),
      description:
        'The JetStream stream DOORBUSTER_INTAKE: acknowledged once durable here; repeats of an id or a Nats-Msg-Id change nothing.',
      messages: { command: body('command', 'Path parameters, query and body in one', { type: 'object' }) },
    },
    natsDead: {
      address: `${DEAD}.{name}`,
      parameters: anyCommand(names),
      description: 'The stream DOORBUSTER_DEAD: what no repetition would help, as it came.',
      messages: {
        letter: {
          ...body('letter', 'The command, and why it was refused', {}),
          headers: {
            type: 'object',
            properties: {
              'Doorbuster-Status': text,
              'Doorbuster-Code': text,
              'Doorbuster-Reason': text,
              'Doorbuster-Intake-Sequence': text,
            },
          },
        },
      },
    },
    natsEvent: {
      address: `${EVENTS}.{type}`,
      parameters: { type: { description: 'As in the event stream of HTTP' } },
      description: 'The stream DOORBUSTER_EVENTS; Nats-Msg-Id is the id of the event.',
      messages: { event: body('event', 'A CloudEvent 1.0', { type: 'object' }) },
    },
  }
}

export function asyncApiDocument(clientOperations: ClientOperation[], version: string): object {
  const names = clientOperations.map(({ name }) => name)
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Doorbuster',
      version,
      description: `WebSocket at /v1/socket, subprotocol ${SUBPROTOCOL}; and NATS where the server is given one.`,
    },
    channels: {
      socket: {
        address: '/v1/socket',
        messages: {
          frame: FRAME,
          intern: control('intern', 'Asks for the indices of names', { skus: texts, locations: texts }),
          interned: control('interned', 'Indices, which hold for the life of the data directory', {
            skus: indices,
            locations: indices,
          }),
          command: control('command', 'Any call of the OpenAPI document by its operationId; a PDF comes as bytes', {
            name: { type: 'string', enum: names },
            body: { type: 'object', description: 'Path parameters, query and body in one' },
          }),
          reply: control('reply', 'The answer to a command', { status: { type: 'integer' }, body: {} }),
          subscribe: control('subscribe', 'inventory.SKU, event.TYPE or event.>', { topics: texts }),
          event: control('event', 'Something that was subscribed to', { topic: text, event: { type: 'object' } }),
        },
      },
      ...natsChannels(names),
    },
    operations: {
      send: { action: 'receive', channel: { $ref: '#/channels/socket' } },
      receive: { action: 'send', channel: { $ref: '#/channels/socket' } },
      natsCommand: { action: 'receive', channel: { $ref: '#/channels/natsCommand' } },
      natsReserve: { action: 'receive', channel: { $ref: '#/channels/natsReserve' } },
      natsIntake: { action: 'receive', channel: { $ref: '#/channels/natsIntake' } },
      natsDead: { action: 'send', channel: { $ref: '#/channels/natsDead' } },
      natsEvent: { action: 'send', channel: { $ref: '#/channels/natsEvent' } },
    },
  }
}
