/**
 * Runs an operation by its name from one body: what control messages, NATS requests and the intake stream share. The body
 * holds path parameters, query and body in one; whatever goes wrong comes back as an outcome.
 */
import type { Outcome, Problem } from '../../engine/protocol.js'
import type { Metrics } from '../metrics.js'
import { problem, problemDocument } from '../problems.js'
import type { Subject } from './idempotent-runs.js'
import { checkInput, type Operation, type OperationContext } from './operation.js'

/** What the sender of a command gets: HTTP's status, and a document or a problem document. */
export interface CommandReply {
  status: number
  body: unknown
}

export const commandReply = ({ status, body }: Outcome): CommandReply => ({
  status,
  // From 400 on an outcome's body is a problem: whoever makes an outcome makes it so.
  body: status >= 400 ? problemDocument(status, body as Problem) : body,
})

const NAME_SHOWN_MAX = 100

export const unknownCommand = (name: string): Outcome =>
  problem(404, 'not_found', `There is no command ${name.slice(0, NAME_SHOWN_MAX)}; see /openapi.json for their names.`)

export class NamedOperations {
  private readonly byName: Map<string, Operation>

  constructor(
    operations: Operation[],
    private readonly context: OperationContext,
    private readonly metrics: Metrics,
  ) {
    this.byName = new Map(operations.map((operation) => [operation.name, operation]))
  }

  find(name: string): Operation | undefined {
    return this.byName.get(name)
  }

  /** Checks the body and runs; never rejects. `idempotencyKey` as in `OperationContext`. */
  async run(operation: Operation, body: unknown, idempotencyKey?: string, subject?: Subject): Promise<Outcome> {
    const started = performance.now()
    const outcome = await this.checkedRun(operation, body, idempotencyKey, subject)
    this.metrics.request(operation.name, outcome.status, performance.now() - started)
    return outcome
  }

  private async checkedRun(
    operation: Operation,
    body: unknown,
    idempotencyKey?: string,
    subject?: Subject,
  ): Promise<Outcome> {
    const checked = checkInput(operation, { parameters: body, query: body, body })
    if ('refused' in checked) return checked.refused
    const { context } = this
    try {
      const own = { ...(idempotencyKey === undefined ? {} : { idempotencyKey }), ...(subject ? { subject } : {}) }
      return await operation.run(checked.input, idempotencyKey === undefined ? context : { ...context, ...own })
    } catch (error) {
      this.metrics.fault(operation.name, error)
      return problem(500, 'internal', 'Something went wrong here that should not; it is in the log of the server.')
    }
  }
}
