/**
 * What channels send: in the log before anything is done about it, then read and carried out, and tried again as long as it
 * may still come to something. What it was is kept with the orders that it made.
 *
 * A payload holds personal data and nobody knows yet whose, so it is sealed with a key of its day. That key is destroyed
 * after KEPT_DAYS, and with it what the log holds.
 */
import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import type { Outcome } from '../../engine/protocol.js'
import type { OperationContext } from '../operations/operation.js'
import { OutwardError } from '../outward/outward-error.js'
import { problem } from '../problems.js'
import { listeners, polledChannels, webhookChannels } from './adapters.js'
import { type Applied, Refused } from './applied.js'
import type { ChannelEvents } from './apply.js'
import { type Connection, type Delivery, UnreadablePayload } from './channel.js'
import { type DeliveredPayload, INTAKE, type KeptDelivery, refsOf, shownDelivery } from './kept-delivery.js'
import { NotedHttp } from './noted-http.js'

const ATTEMPTS_MAX = 12
const RETRY_MS = 2_000
const RETRY_MS_MAX = 3_600_000
/** How long whoever sends it waits for what came of it; it is durable already. */
const ANSWER_MS = 2_000
const LOOK_MS = 1_000
const AT_ONCE = 16
const DAY_MS = 86_400_000
const KEPT_DAYS = 30

const dayKey = (ms: number): string => `intake/${new Date(ms).toISOString().slice(0, 10)}`

export class ChannelIntake {
  private readonly underWay = new Map<string, Promise<KeptDelivery>>()
  private timer: NodeJS.Timeout | undefined
  private looking = false
  private stopped = false

  constructor(
    private readonly context: OperationContext,
    private readonly events: ChannelEvents,
    private readonly connectionOf: (type: Connection['type'], id: string) => Connection | undefined,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref()
  }

  /** Lets what is under way end; the rest is done after the next start. */
  async stop(): Promise<void> {
    this.stopped = true
    clearInterval(this.timer)
    await Promise.allSettled(this.underWay.values())
  }

  /** A delivery as the platform sent it: refused where it is not signed, else durable once this resolves. */
  async receive(connection: Connection, delivery: Delivery): Promise<Outcome> {
    const channel = webhookChannels[connection.type]
    if (!channel) return problem(404, 'not_found', `Channels of the type ${connection.type} call no webhooks.`)
    if (!channel.isSigned(delivery, connection)) {
      return problem(401, 'wrong_signature', 'The delivery is not signed with this connection’s secret.')
    }
    const own = channel.deliveryId(delivery) ?? createHash('sha256').update(delivery.body).digest('base64url')
    // Also by its content: a body under an id that was used for another one is another delivery.
    const content = createHash('sha256').update(delivery.body).digest('base64url').slice(0, 16)
    return this.take(connection, `${own}/${content}`, { headers: { ...delivery.headers }, body: delivery.body })
  }

  /** Of a sender who was known where it came in; `own` names the delivery for ever. */
  takeKnown(connection: Connection, own: string, { headers, body }: Delivery): Promise<Outcome> {
    return this.take(connection, own, { headers: { ...headers }, body })
  }

  /** What a platform that calls nobody has told when it was asked. */
  takeTold(connection: Connection, id: string, told: unknown): Promise<Outcome> {
    return this.take(connection, id, { told })
  }

  private async take(connection: Connection, own: string, payload: DeliveredPayload): Promise<Outcome> {
    const { records, people, now } = this.context
    const id = `${connection.type}/${connection.id}/${own}`.slice(0, 400)
    const receivedMs = now()
    const person = dayKey(receivedMs)
    await people.vault.ensure(person)
    const kept: KeptDelivery = {
      connection: { type: connection.type, id: connection.id },
      person,
      payload: people.vault.seal(person, payload),
      state: 'waiting',
      receivedMs,
      attempts: 0,
      did: [],
      orders: [],
    }
    // Due at once, so that it is found by the next start where this one does not come to it.
    const isNew = await records.create({ kind: INTAKE, id, value: kept, refs: refsOf(kept), dueMs: receivedMs })
    const known = isNew ? kept : (await records.get<KeptDelivery>(INTAKE, id))?.value
    if (known?.state === 'done') return { status: 200, body: shownDelivery(known) }
    return this.answer(this.process(id))
  }

  /** What came of it, or that it is kept, where that takes longer than anybody should wait. */
  private async answer(processing: Promise<KeptDelivery>): Promise<Outcome> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), ANSWER_MS)
    })
    const kept = await Promise.race([processing, late]).finally(() => clearTimeout(timer))
    if (kept === 'late' || kept.state === 'waiting') return { status: 202, body: { state: 'waiting' } }
    if (kept.state === 'done') return { status: 200, body: shownDelivery(kept) }
    return { status: 202, body: shownDelivery(kept) }
  }

  /** One at a time for each delivery. */
  process(id: string): Promise<KeptDelivery> {
    const known = this.underWay.get(id)
    if (known) return known
    const work = this.carryOut(id).finally(() => this.underWay.delete(id))
    this.underWay.set(id, work)
    return work
  }

  private async carryOut(id: string): Promise<KeptDelivery> {
    const { records } = this.context
    const row = await records.get<KeptDelivery>(INTAKE, id)
    if (!row) throw new Error(`the delivery ${id} is gone`)
    const kept: KeptDelivery = { ...row.value, attempts: row.value.attempts + 1, did: [], orders: [] }
    let person: string | undefined
    try {
      const { applied, refused } = await this.applied(kept)
      kept.state = 'done'
      kept.did = applied.map(({ did }) => did)
      kept.orders = [...new Set(applied.flatMap(({ order }) => order ?? []))]
      person = applied.find((one) => one.person)?.person
      delete kept.reason
      delete kept.errors
      // What could be done of it is done, and the rest is told.
      if (refused.length > 0) this.failed(kept, id, refusalOf(refused))
    } catch (error) {
      this.failed(kept, id, error)
    }
    // From here on it is the customer's: it goes when he or she is erased.
    if (person !== undefined) this.reseal(kept, person)
    const dueMs = kept.state === 'waiting' ? { dueMs: this.context.now() + retryMs(kept.attempts) } : {}
    await records.put({ kind: INTAKE, id, value: kept, refs: refsOf(kept), ...dueMs })
    return kept
  }

  private async applied(kept: KeptDelivery): Promise<{ applied: Applied[]; refused: Refused[] }> {
    const { people, outward } = this.context
    const { type, id } = kept.connection
    const connection = this.connectionOf(type, id)
    if (!connection) throw new Error(`there is no connection ${id} any more`)
    const payload = people.vault.open<DeliveredPayload>(kept.person, kept.payload)
    if (!payload) throw new Refused('what was sent is no longer kept')
    const http = new NotedHttp(outward.forConnection(`channel/${type}/${id}`))
    const events =
      'told' in payload
        ? polledChannels[type]!.read(payload.told, connection)
        : await webhookChannels[type]!.read(payload, connection, http)
    // What the platform was asked is a part of what it has sent.
    const { answers } = http
    if (answers !== undefined) kept.payload = people.vault.seal(kept.person, { ...payload, answers })
    const applied: Applied[] = []
    const refused: Refused[] = []
    for (const event of events) {
      try {
        applied.push(await this.events.apply(event, connection))
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        refused.push(error)
      }
    }
    return { applied, refused }
  }

  private failed(kept: KeptDelivery, id: string, error: unknown): void {
    kept.reason = error instanceof Error ? error.message : String(error)
    const isFinal =
      error instanceof UnreadablePayload ||
      error instanceof Refused ||
      (error instanceof OutwardError && !error.isWorthRetrying) ||
      kept.attempts >= ATTEMPTS_MAX
    if (error instanceof UnreadablePayload || error instanceof Refused) kept.errors = error.errors
    kept.state = isFinal ? 'failed' : 'waiting'
    // Of the reason only what kind it is: it may quote what a customer wrote.
    this.logger.warn(
      { delivery: createHash('sha256').update(id).digest('hex').slice(0, 12), state: kept.state },
      'a delivery was not carried out',
    )
  }

  private reseal(kept: KeptDelivery, person: string): void {
    const { vault } = this.context.people
    const payload = vault.open<DeliveredPayload>(kept.person, kept.payload)
    if (!payload || !vault.has(person)) return
    kept.payload = vault.seal(person, payload)
    kept.person = person
  }

  /** Deliveries that are due: of another life of the server, or put off. */
  private async look(): Promise<void> {
    if (this.looking || this.stopped) return
    this.looking = true
    try {
      const { records, people, now } = this.context
      const { items } = await records.due<KeptDelivery>(INTAKE, now(), AT_ONCE)
      const idle = items.filter(({ id }) => !this.underWay.has(id))
      await Promise.allSettled(idle.map(({ id }) => this.process(id)))
      const old = dayKey(now() - KEPT_DAYS * DAY_MS)
      if (people.vault.has(old)) people.vault.destroy([old])
    } catch (error) {
      this.logger.warn({ err: error }, 'deliveries could not be looked at')
    } finally {
      this.looking = false
    }
  }

  /** Whether a channel is told of what happens here. */
  static listens = (type: Connection['type']): boolean => listeners[type] !== undefined
}

function refusalOf(refused: Refused[]): Refused {
  const [first] = refused
  if (refused.length === 1) return first!
  const errors = refused.flatMap((one) => (one.errors.length > 0 ? one.errors : [{ path: '', message: one.message }]))
  return new Refused(`${first!.message} (and ${refused.length - 1} more)`, errors)
}

const retryMs = (attempts: number): number => Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** (attempts - 1))
