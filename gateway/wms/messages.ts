/**
 * Takes messages of a WMS: each counts once, by its id; those of one fulfillment order are carried out in the order of the
 * work, and one that comes before what it follows waits for it. What a message does here has ids made of the message's.
 */

import { createHash } from 'node:crypto'
import PQueue from 'p-queue'

import type { Outcome, Problem } from '../../engine/protocol.js'
import { failed, type OperationContext } from '../operations/operation.js'
import { actorOf, type WmsConnection } from './connection.js'
import { type FulfillmentState, inOrder, readMessage, type WmsMessage } from './message.js'

export const WMS_MESSAGE = 'wms-message'
/** Fulfillment orders that are worked on at once. */
const AT_ONCE = 16
/** Messages that may wait for one fulfillment order. */
const WAITING_MAX = 100

export interface MessageOutcome {
  id: string
  fulfillment: string
  /** `waiting`: it comes before what it follows, and is carried out when that has come. */
  outcome: 'done' | 'waiting' | 'refused'
  status?: string
  code?: string
  detail?: string
  /** It had come before. */
  isRepeat?: true
}

/** A message as it is kept. */
interface Kept {
  fingerprint: string
  message: WmsMessage
  outcome: MessageOutcome
}

const keptId = (connection: string, message: string): string => `${connection}/${message}`
const waitingRef = (connection: string, fulfillment: string): string => `${connection}/waiting/${fulfillment}`
export const waitingOf = (connection: string): string => `${connection}/waiting`

/** Outcomes in the order of the messages. Rejects where the log takes nothing: the whole batch may come again. */
export async function takeMessages(
  connection: WmsConnection,
  messages: WmsMessage[],
  context: OperationContext,
): Promise<MessageOutcome[]> {
  const outcomes = new Map<WmsMessage, MessageOutcome>()
  const groups = new Map<string, WmsMessage[]>()
  for (const message of messages) {
    const group = groups.get(message.fulfillment)
    if (group) group.push(message)
    else groups.set(message.fulfillment, [message])
  }
  const work = async (fulfillment: string, group: WmsMessage[]): Promise<void> => {
    const { items } = await context.records.list<Kept>(
      WMS_MESSAGE,
      WAITING_MAX,
      undefined,
      waitingRef(connection.id, fulfillment),
    )
    const ids = new Set(group.map(({ id }) => id))
    const waiting = items.map(({ value }) => value.message).filter(({ id }) => !ids.has(id))
    for (const message of [...group, ...waiting].sort(inOrder)) {
      outcomes.set(message, await takeOne(connection, message, context))
    }
  }
  const queue = new PQueue({ concurrency: AT_ONCE })
  await Promise.all([...groups].map(([fulfillment, group]) => queue.add(() => work(fulfillment, group))))
  return messages.map((message) => outcomes.get(message)!)
}

async function takeOne(
  connection: WmsConnection,
  message: WmsMessage,
  context: OperationContext,
): Promise<MessageOutcome> {
  const { records } = context
  const id = keptId(connection.id, message.id)
  const fingerprint = createHash('sha256').update(JSON.stringify(message)).digest('base64url')
  const known = await records.get<Kept>(WMS_MESSAGE, id)
  if (known && known.value.fingerprint !== fingerprint) {
    const detail = 'This message id was used with other content; use a new one.'
    return { id: message.id, fulfillment: message.fulfillment, outcome: 'refused', code: 'conflict', detail }
  }
  // What was refused may be possible by now.
  if (known?.value.outcome.outcome === 'done') return { ...known.value.outcome, isRepeat: true }
  const outcome = await carryOut(connection, message, context)
  const { fulfillment } = message
  const refs = outcome.outcome === 'waiting' ? [waitingRef(connection.id, fulfillment), waitingOf(connection.id)] : []
  const value: Kept = { fingerprint, message, outcome }
  await records.put({ kind: WMS_MESSAGE, id, value, refs })
  return outcome
}

async function carryOut(
  connection: WmsConnection,
  message: WmsMessage,
  context: OperationContext,
): Promise<MessageOutcome> {
  const { id, fulfillment } = message
  const told = { id, fulfillment }
  const refused = ({ status, body }: Outcome): MessageOutcome => {
    const { code, detail } = body as Problem
    // Nothing was decided: the WMS is to send the batch again.
    if (status >= 500) throw new NotTaken(detail)
    return { ...told, outcome: 'refused', code, detail }
  }
  const read = await context.call('fulfillment.get', { id: fulfillment })
  if (failed(read)) return refused(read)
  // What the operation shows.
  const state = read.body as FulfillmentState
  if (!connection.locations.includes(state.location)) {
    const detail = `Fulfillment ${fulfillment} is not of a location of this connection.`
    return { ...told, outcome: 'refused', code: 'wrong_location', detail }
  }
  const reading = readMessage(message, state)
  if ('refused' in reading) return { ...told, outcome: 'refused', code: 'not_possible', detail: reading.refused }
  if ('waits' in reading) {
    return { ...told, outcome: 'waiting', status: state.status, detail: `waits for ${reading.waits}` }
  }
  let { status } = state
  for (const { action, body } of reading.commands) {
    const outcome = await context.call(`fulfillment.${action}`, {
      fulfillment,
      id: commandId(connection.id, message, action),
      by: actorOf(connection.id),
      ...body,
    })
    if (failed(outcome)) return refused(outcome)
    status = (outcome.body as FulfillmentState).status
  }
  return { ...told, outcome: 'done', status }
}

/**
 * Short, however long the names are: a fulfillment order remembers some of them. What takes goods back may be another
 * command when it is asked for again, and is the same step all the same.
 */
function commandId(connection: string, { id, type }: WmsMessage, action: string): string {
  const isTakenBack = (type === 'cannot_ship' || type === 'damaged') && action !== 'accept'
  const hash = createHash('sha256')
    .update(JSON.stringify([connection, id]))
    .digest('base64url')
    .slice(0, 22)
  return `wms:${hash}:${isTakenBack ? type : action}`
}

/** The log took nothing: the messages may come again. */
export class NotTaken extends Error {}
