/**
 * Messages of the intake that no repetition would help: kept on doorbuster.v1.dead.<name> with the reason in their
 * headers, so that a person can see them, and send them again once the reason is gone.
 */
import { headers, type Msg, type NatsConnection } from 'nats'
import type { Outcome, Problem } from '../../engine/protocol.js'
import { DEAD_REASON_CHARACTERS_MAX } from '../limits.js'
import { headerOf } from './message-body.js'
import { DEAD, DEAD_STREAM, Header, INTAKE, nameIn } from './subjects.js'

const PUBLISH_TIMEOUT_MS = 5_000

/** A header is one line of printable text. */
const oneLine = (text: string): string => text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, DEAD_REASON_CHARACTERS_MAX)

/**
 * Resolves once it is kept. `id` names the message, so that it is kept once however often this is tried. Of its headers
 * only the content type is taken along: others could tell NATS to do things to the stream.
 */
export async function keepDead(
  connection: NatsConnection,
  message: Msg,
  sequence: number,
  id: string,
  { status, body }: Outcome,
): Promise<void> {
  // An outcome from 400 on has a problem.
  const { code, detail, errors } = body as Problem
  const made = headers()
  const first = errors?.[0]
  made.set(Header.status, String(status))
  made.set(Header.code, code)
  made.set(Header.reason, oneLine(first ? `${detail} ${first.path}: ${first.message}` : detail))
  made.set(Header.sequence, String(sequence))
  const type = headerOf(message.headers, Header.contentType)
  if (type !== undefined) made.set(Header.contentType, oneLine(type))
  await connection.jetstream().publish(`${DEAD}.${nameIn(message.subject, INTAKE)}`, message.data, {
    msgID: id,
    headers: made,
    timeout: PUBLISH_TIMEOUT_MS,
    expect: { streamName: DEAD_STREAM },
  })
}
