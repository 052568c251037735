/** Control messages: one msgpack map each; intern, command, subscribe. */
import { Unpackr } from 'msgpackr'
import { z } from 'zod'
import type { Outcome, Problem } from '../../engine/protocol.js'
import { CONTROLS_IN_FLIGHT_MAX, INTERN_NAMES_MAX, TOPICS_MAX } from '../limits.js'
import type { Metrics } from '../metrics.js'
import { checkInput, type Operation, type OperationContext } from '../operations/operation.js'
import { overloaded, problem, problemDocument } from '../problems.js'
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
  private readonly operations: Map<string, Operation>

  constructor(
    operations: Operation[],
    private readonly context: OperationContext,
    private readonly metrics: Metrics,
    private readonly subscriptions: Subscriptions,
  ) {
    this.operations = new Map(operations.map((operation) => [operation.name, operation]))
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
    const answer = ({ status, body }: Outcome): void => {
      const document = status >= 400 ? problemDocument(status, body as Problem) : body
      connection.send(packMessage({ op: 'reply', ref, status, body: document }))
    }
    const operation = this.operations.get(name)
    if (!operation) {
      answer(problem(404, 'not_found', `There is no command ${name.slice(0, 100)}; see /openapi.json for their names.`))
      return
    }
    if (connection.controlsInFlight >= CONTROLS_IN_FLIGHT_MAX) {
      answer(overloaded())
      return
    }
    const started = performance.now()
    connection.controlsInFlight++
    const outcome = await this.run(operation, body ?? {})
    connection.controlsInFlight--
    this.metrics.request(operation.name, outcome.status, performance.now() - started)
    answer(outcome)
  }

  private async run(operation: Operation, body: unknown): Promise<Outcome> {
    const checked = checkInput(operation, { parameters: body, query: body, body })
    if ('refused' in checked) return checked.refused
    try {
      return await operation.run(checked.input, this.context)
    } catch (error) {
      this.metrics.fault(operation.name, error)
      return problem(500, 'internal', 'Something went wrong here that should not; it is in the log of the server.')
    }
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
