/** Control messages: one msgpack map each; intern, command, subscribe. */
import { Unpackr } from 'msgpackr'
import { z } from 'zod'
import type { Outcome } from '../../engine/protocol.js'
import { CONTROLS_IN_FLIGHT_MAX, INTERN_NAMES_MAX, TOPICS_MAX } from '../limits.js'
import type { Metrics } from '../metrics.js'
import { commandReply, NamedOperations, unknownCommand } from '../operations/named-operations.js'
import type { Operation, OperationContext } from '../operations/operation.js'
import { overloaded } from '../problems.js'
import { Close, type Connection } from './connection.js'
import { messageFault } from './msgpack-guard.js'
import { packMessage } from './pack-message.js'
import type { Subscriptions } from './subscriptions.js'

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' })

const ref = z.union([z.int(), z.string().max(200)])
const names = z.array(z.string().max(512)).max(INTERN_NAMES_MAX)
const message = z.discriminatedUnion('op', [
  z.object({ op: z.literal('intern'), ref: ref.optional(), skus: names.default([]), locations: names.default([]) }),
  z.object({ op: z.literal('command'), ref: ref.optional(), name: z.string().max(100), body: z.unknown().optional() }),
  z.object({
    op: z.literal('subscribe'),
    ref: ref.optional(),
    topics: z.array(z.string().min(1).max(300)).max(TOPICS_MAX),
  }),
  z.object({ op: z.literal('unsubscribe'), ref: ref.optional(), topics: z.array(z.string().max(300)).max(TOPICS_MAX) }),
])

export class Controls {
  private readonly operations: NamedOperations

  constructor(
    operations: Operation[],
    private readonly context: OperationContext,
    metrics: Metrics,
    private readonly subscriptions: Subscriptions,
  ) {
    this.operations = new NamedOperations(operations, context, metrics)
  }

  /** Takes a message, or closes the socket with the reason. */
  take(connection: Connection, bytes: Uint8Array): void {
    const fault = messageFault(bytes)
    if (fault !== undefined) {
      connection.close(Close.malformed, fault)
      return
    }
    const checked = message.safeParse(unpackr.unpack(bytes))
    if (!checked.success) {
      const { path, message: what } = checked.error.issues[0]!
      connection.close(Close.malformed, `control message: ${path.join('.')} ${what}`.slice(0, 120))
      return
    }
    const control = checked.data
    switch (control.op) {
      case 'intern':
        this.intern(connection, control)
        break
      case 'command':
        void this.command(connection, control)
        break
      case 'subscribe':
        this.subscribe(connection, control)
        break
      case 'unsubscribe':
        for (const topic of control.topics) connection.topics.delete(topic)
        connection.send(packMessage({ op: 'unsubscribed', ref: control.ref }))
        break
      default:
    }
  }

  private intern(
    connection: Connection,
    { ref, skus, locations }: { ref?: unknown; skus: string[]; locations: string[] },
  ) {
    const { directory } = this.context
    const answer = {
      op: 'interned',
      ref,
      skus: skus.map((name) => directory.find('skus', name)),
      locations: locations.map((name) => directory.find('locations', name)),
    }
    connection.send(packMessage(answer))
  }

  private async command(connection: Connection, { ref, name, body }: { ref?: unknown; name: string; body?: unknown }) {
    const answer = (outcome: Outcome): void =>
      connection.send(packMessage({ op: 'reply', ref, ...commandReply(outcome) }))
    const operation = this.operations.find(name)
    if (!operation) {
      answer(unknownCommand(name))
      return
    }
    if (connection.controlsInFlight >= CONTROLS_IN_FLIGHT_MAX) {
      answer(overloaded())
      return
    }
    connection.controlsInFlight++
    const outcome = await this.operations.run(operation, body ?? {})
    connection.controlsInFlight--
    answer(outcome)
  }

  private subscribe(connection: Connection, { ref, topics }: { ref?: unknown; topics: string[] }): void {
    if (connection.topics.size + topics.length > TOPICS_MAX) {
      connection.close(Close.policy, `a socket subscribes to at most ${TOPICS_MAX} topics`)
      return
    }
    for (const topic of topics) connection.topics.add(topic)
    connection.send(packMessage({ op: 'subscribed', ref }))
    this.subscriptions.sendKnown(connection, topics)
  }
}
