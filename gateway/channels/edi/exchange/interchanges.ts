/**
 * Takes a partner's file: in the log before anything is done about it, carried out by the intake, answered with a 997 or
 * CONTRL. By its sender and control number an interchange is known when it comes again: the same one gets the same answer,
 * and another one under the same number is refused, since a partner who reuses numbers would lose orders without a word.
 */
import { createHash } from 'node:crypto'
import type { Outcome } from '../../../../engine/protocol.js'
import type { OperationContext } from '../../../operations/operation.js'
import { homeId } from '../../../order-request.js'
import { problem } from '../../../problems.js'
import { type Connection, UnreadablePayload } from '../../channel.js'
import type { Stamp } from '../documents.js'
import { nextControlNumber } from './counters.js'
import { exchangeOrder } from './order-exchange.js'
import { type ReadFile, readEdi } from './reading.js'

const FILE = 'edi-file'
const INTERCHANGE = 'edi-interchange'

/** Who was refused gets a problem; else the text that goes back and its type. */
export type InterchangeAnswer = { type: string; text: string } | Outcome

export class Interchanges {
  /** Files that are being taken: the same one, sent many times at once, is taken once. */
  private readonly underWay = new Map<string, Promise<InterchangeAnswer>>()

  constructor(private readonly context: OperationContext) {}

  take(connection: Connection, body: Uint8Array): Promise<InterchangeAnswer> {
    const digest = digestOf(body)
    const key = `${connection.id}/${digest}`
    const known = this.underWay.get(key)
    if (known) return known
    const work = take(connection, body, digest, this.context).finally(() => this.underWay.delete(key))
    this.underWay.set(key, work)
    return work
  }
}

async function take(
  connection: Connection,
  body: Uint8Array,
  digest: string,
  context: OperationContext,
): Promise<InterchangeAnswer> {
  const stamp = await stampOf(connection, digest, context)
  let read: ReadFile
  try {
    read = await readEdi(body, connection.settings, stamp)
  } catch (error) {
    if (!(error instanceof UnreadablePayload)) throw error
    // Kept all the same: the owner sees among the deliveries what a partner sends that is no EDI.
    await context.channels.intake.takeKnown(connection, digest, { headers: {}, body })
    return problem(422, 'unreadable', error.message, error.errors)
  }
  const clash = await clashOf(connection, digest, read, context)
  if (clash !== undefined) {
    return problem(
      409,
      'conflict',
      `Interchange ${clash} came before with other content; give it a new control number and send it again.`,
    )
  }
  await context.channels.intake.takeKnown(connection, digest, { headers: {}, body })
  await answerChanges(connection, read, context)
  const { syntax, acknowledgement } = read.file
  return { type: contentType(syntax), text: acknowledgement }
}

/** What leaves an order's status as it is publishes no event, and its partner waits for an answer all the same. */
async function answerChanges({ id }: Connection, { file }: ReadFile, context: OperationContext): Promise<void> {
  for (const { externalId } of [...file.replacements, ...file.cancellations]) {
    await exchangeOrder(homeId(id, externalId), context).catch(context.fault)
  }
}

export const contentType = (syntax: 'x12' | 'edifact'): string =>
  syntax === 'x12' ? 'application/edi-x12' : 'application/edifact'

/** Line breaks between segments come and go on the way, and are no part of what is said. */
function digestOf(body: Uint8Array): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')
  return createHash('sha256')
    .update(text.replace(/[\r\n]+/g, ''), 'latin1')
    .digest('base64url')
}

/** Of the answer to a file: given once, so that the same file is answered with the same text. */
async function stampOf({ id }: Connection, digest: string, context: OperationContext): Promise<Stamp> {
  const { records, now } = context
  const key = `${id}/${digest}`
  const known = await records.get<Stamp>(FILE, key)
  if (known) return known.value
  const stamp = { controlNumber: await nextControlNumber(id, `file/${digest}`, context), atMs: now() }
  if (await records.create({ kind: FILE, id: key, value: stamp })) return stamp
  return (await records.get<Stamp>(FILE, key))?.value ?? stamp
}

/** The control number of the first interchange that another file had; undefined where all of them are this file's own now. */
async function clashOf(
  { id }: Connection,
  digest: string,
  { file }: ReadFile,
  { records }: OperationContext,
): Promise<string | undefined> {
  const keys = file.interchanges
    .filter(({ taken }) => taken)
    .map(({ sender, control }) => ({ control, key: `${id}/${sender.qualifier}:${sender.id}/${control}` }))
  for (const { control, key } of keys) {
    const known = await records.get<{ file: string }>(INTERCHANGE, key)
    if (known && known.value.file !== digest) return control
  }
  for (const { control, key } of keys) {
    const value = { file: digest }
    if (await records.create({ kind: INTERCHANGE, id: key, value, refs: [id] })) continue
    const known = await records.get<{ file: string }>(INTERCHANGE, key)
    if (known?.value.file !== digest) return control
  }
  return undefined
}
