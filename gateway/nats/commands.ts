/** doorbuster.v1.command.<name>: any operation by request and reply, with the bodies and statuses of HTTP. */
import { createHash } from 'node:crypto'
import type { Msg, NatsConnection, Subscription } from 'nats'
import type { Logger } from 'pino'
import type { Outcome } from '../../engine/protocol.js'
import { NATS_COMMANDS_IN_FLIGHT_MAX } from '../limits.js'
import { IDEMPOTENCY_KEY_BYTES_MAX, type IdempotentRuns } from '../operations/idempotent-runs.js'
import { commandReply, type NamedOperations, unknownCommand } from '../operations/named-operations.js'
import type { Operation } from '../operations/operation.js'
import { overloaded, problem } from '../problems.js'
import { faultOf } from './connection.js'
import { decodeBody, encodeReply, type Format, headerOf, replyHeaders } from './message-body.js'
import { COMMANDS, Header, nameIn, QUEUE_GROUP } from './subjects.js'

export class NatsCommands {
  inFlight = 0
  taken = 0

  constructor(
    private readonly operations: NamedOperations,
    private readonly once: IdempotentRuns,
    private readonly logger: Logger,
  ) {}

  subscribe(connection: NatsConnection): Subscription {
    return connection.subscribe(`${COMMANDS}.>`, {
      queue: QUEUE_GROUP,
      callback: (error, message) => {
        if (error) this.logger.error({ reason: faultOf(error) }, 'commands cannot be taken from NATS')
        else this.take(message)
      },
    })
  }

  private take(message: Msg): void {
    this.taken++
    const decoded = decodeBody(message.data, message.headers)
    const { format } = decoded
    const name = nameIn(message.subject, COMMANDS)
    const operation = this.operations.find(name)
    if ('fault' in decoded) this.answer(message, format, decoded.fault)
    else if (!operation) this.answer(message, format, unknownCommand(name))
    else if (this.inFlight >= NATS_COMMANDS_IN_FLIGHT_MAX) this.answer(message, format, overloaded())
    else void this.carryOut(message, format, operation, decoded.body)
  }

  private async carryOut(message: Msg, format: Format, operation: Operation, body: unknown): Promise<void> {
    this.inFlight++
    try {
      const key = headerOf(message.headers, Header.idempotencyKey)
      if (key === undefined) this.answer(message, format, await this.operations.run(operation, body))
      else {
        const { outcome, replayed } = await this.runOnce(operation, key, message, body)
        this.answer(message, format, outcome, replayed)
      }
    } catch (error) {
      this.logger.error({ reason: faultOf(error) }, 'a NATS command failed')
    } finally {
      this.inFlight--
    }
  }

  /** As over HTTP the key counts for what HTTP asks by POST; the rest may be repeated as it is. */
  private async runOnce(
    operation: Operation,
    key: string,
    { data }: Msg,
    body: unknown,
  ): Promise<{ outcome: Outcome; replayed: boolean }> {
    if (operation.http && operation.http.method !== 'POST') {
      return { outcome: await this.operations.run(operation, body), replayed: false }
    }
    if (Buffer.byteLength(key) > IDEMPOTENCY_KEY_BYTES_MAX) {
      const detail = `An Idempotency-Key is at most ${IDEMPOTENCY_KEY_BYTES_MAX} bytes.`
      return { outcome: problem(422, 'invalid', detail), replayed: false }
    }
    const digest = createHash('sha256')
      .update(JSON.stringify([operation.name]))
      .update(data)
      .digest('base64')
    return this.once.run(key, digest, (subject) => this.operations.run(operation, body, key, subject))
  }

  private answer(message: Msg, format: Format, outcome: Outcome, replayed = false): void {
    if (!message.reply) return
    const headers = replyHeaders(format, replayed)
    const options = headers ? { headers } : {}
    const bytes = encodeReply(format, commandReply(outcome))
    try {
      message.respond(bytes, options)
    } catch (error) {
      const detail = `The answer of ${bytes.length} bytes is larger than this NATS server takes; ask for less at once.`
      this.logger.warn({ reason: faultOf(error), bytes: bytes.length }, 'an answer could not be sent by NATS')
      message.respond(encodeReply(format, commandReply(problem(413, 'answer_too_large', detail))), options)
    }
  }
}
