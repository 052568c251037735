/**
 * Brings partners up to date about an order: looks at what it is and at what they were told, and makes the documents that
 * are missing. It may be asked any number of times and by whatever has happened; what is meant to be made is written down
 * before it is made, so that a crash in between neither loses a document nor makes it twice.
 */
import { createHash } from 'node:crypto'
import type { Fulfillment } from '../../../../actors/order/order.js'
import { fulfillmentId } from '../../../../actors/order/order-id.js'
import { IdentifierError } from '../../../carriers/serial.js'
import type { OperationContext } from '../../../operations/operation.js'
import { isOutcome, openedOrder } from '../../../operations/orders.js'
import type { OpenedOrder } from '../../../personal-data/opened-order.js'
import type { Connection } from '../../channel.js'
import { type ChannelMemory, memoryOf } from '../../channel-memory.js'
import { inTurn } from '../../turns.js'
import type { EdifactDocument, X12Document } from '../documents.js'
import type { EdiSettings } from '../settings.js'
import { UnwritableDocument } from '../written-text.js'
import { documentId, issue, type Occasion } from './document-store.js'
import { type Doer, fulfillmentDocument, type Wanted, wantedOf } from './fulfillment-documents.js'
import { answersOf, orderAnswer } from './order-answer.js'
import { day, type PartnerLine, partnerLines } from './partner-lines.js'
import { doerOf, ediConnections, partnerSettings } from './partners.js'
import { referenceOf } from './references.js'
import { invoice, type Shipped, shipNotice, shippedUnits } from './shipment-documents.js'

const STATE = 'edi-order'

interface Told {
  connection: string
  /** Of what the partner was told. */
  digest: string
  wanted: Wanted[]
  /** Documents of it so far. */
  count: number
  purpose?: 'changed' | 'cancelled'
  atMs: number
  /** Written down, and not yet known to be made. */
  isDue: boolean
}

interface ExchangeState {
  answer?: { digest: string; count: number; atMs: number; isDue: boolean }
  /** By fulfillment's number, in the order in which they were invoiced. */
  shipped: [number: number, units: Shipped][]
  /** By fulfillment's number. */
  told: Record<string, Told>
}

/** Rejects with UnwritableDocument where one can't be written, once the others are made. */
export const exchangeOrder = (order: string, context: OperationContext): Promise<void> =>
  inTurn(context.records, `order/${order}`, () => new Exchange(order, context).run())

class Exchange {
  private state: ExchangeState = { shipped: [], told: {} }

  constructor(
    private readonly id: string,
    private readonly context: OperationContext,
  ) {}

  async run(): Promise<void> {
    const { context, id } = this
    if (ediConnections(context).length === 0) return
    const order = await openedOrder(id, context)
    if (isOutcome(order)) {
      if (order.status >= 500) throw new Error(`order ${id} cannot be read: ${order.status}`)
      return
    }
    const partner = context.channels.connections.byChannel(order.channel)
    const buyer = partner?.type === 'edi' && order.externalId !== undefined ? partner : undefined
    const doers = new Map(order.fulfillments.map((one) => [one.number, doerOf(one.location, context)]))
    const concerned = [...doers.values()].some((doer) => doer !== undefined)
    if ((!buyer && !concerned) || !context.people.vault.has(order.person)) return
    this.state = (await context.records.get<ExchangeState>(STATE, id))?.value ?? this.state
    const unwritable: UnwritableDocument[] = []
    const attempt = async (work: () => Promise<void>): Promise<void> => {
      try {
        await work()
      } catch (error) {
        // Amounts, dates and identifiers that can't be: trying again gives the same.
        const isHopeless =
          error instanceof UnwritableDocument || error instanceof RangeError || error instanceof IdentifierError
        if (!isHopeless) throw error
        unwritable.push(new UnwritableDocument(error.message))
      }
    }
    if (buyer) await this.tellBuyer(order, buyer, attempt)
    for (const fulfillment of order.fulfillments) {
      const doer = doers.get(fulfillment.number)
      if (doer) await attempt(() => this.tellDoer(order, fulfillment, doer))
    }
    const [first] = unwritable
    if (first) throw first
  }

  private async save(change: Partial<ExchangeState>): Promise<void> {
    this.state = { ...this.state, ...change }
    await this.context.records.put({ kind: STATE, id: this.id, value: this.state })
  }

  private async tellBuyer(
    order: OpenedOrder,
    connection: Connection,
    attempt: (work: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const { context } = this
    const memory = (await memoryOf(connection.id, order.externalId!, context)) ?? { lineIds: [] }
    const lines = partnerLines(order, memory, connection, context)
    const settings = partnerSettings(connection, memory.origin)
    await attempt(() => this.answer(order, connection, memory, lines, settings))
    for (const fulfillment of order.fulfillments) {
      if (fulfillment.status !== 'shipped' && fulfillment.status !== 'delivered') continue
      if (this.state.shipped.some(([number]) => number === fulfillment.number)) continue
      await attempt(() => this.tellShipped(order, fulfillment, connection, memory, lines, settings))
    }
  }

  private occasion(
    order: OpenedOrder,
    connection: Connection,
    settings: EdiSettings,
    memory: ChannelMemory | undefined,
    atMs: number,
    subject: string,
  ): Occasion {
    const { person, id } = order
    return { connection, settings, syntax: memory?.origin?.syntax ?? 'x12', atMs, subject, order: id, person }
  }

  private async answer(
    order: OpenedOrder,
    connection: Connection,
    memory: ChannelMemory,
    lines: PartnerLine[],
    settings: EdiSettings,
  ): Promise<void> {
    const answers = answersOf(order, lines)
    if (!answers) return
    const digest = digestOf(answers)
    const known = this.state.answer
    if (known && !known.isDue && known.digest === digest) return
    const { context } = this
    const due = known?.isDue
      ? { ...known, digest }
      : { digest, count: (known?.count ?? 0) + 1, atMs: context.now(), isDue: true }
    await this.save({ answer: due })
    const number = `${await referenceOf(connection.id, order.id, context)}-${due.count}`
    const subject = `${order.id}-answer-${due.count}`
    const document = orderAnswer(order, answers, {
      number,
      atMs: due.atMs,
      replaces: due.count > 1,
      orderedOn: orderedOn(order, memory),
    })
    await issue(document, this.occasion(order, connection, settings, memory, due.atMs, subject), context)
    await this.save({ answer: { ...due, isDue: false } })
  }

  private async tellShipped(
    order: OpenedOrder,
    fulfillment: Fulfillment,
    connection: Connection,
    memory: ChannelMemory,
    lines: PartnerLine[],
    settings: EdiSettings,
  ): Promise<void> {
    const { context, state } = this
    const shipped = shippedUnits(order, fulfillment)
    const atMs = shippedAtMs(order, fulfillment)
    const named = fulfillmentId(order.id, fulfillment.number)
    const make = async (what: string, write: (id: string) => Promise<X12Document | EdifactDocument>): Promise<void> => {
      const subject = `${named}-${what}`
      const occasion = this.occasion(order, connection, settings, memory, atMs, subject)
      await issue(await write(documentId(occasion)), { ...occasion, fulfillment: named }, context)
    }
    const shipment = { order, fulfillment, lines, shipped, settings, atMs, orderedOn: orderedOn(order, memory) }
    // Where only a part of a kit went there is nothing that the partner would know by its own numbers.
    if (Object.keys(shipped).length > 0) {
      const before = sumOf(state.shipped.map(([, units]) => units))
      await make('shipment', (id) => shipNotice({ ...shipment, id }, context))
      await make('invoice', (id) => invoice({ ...shipment, id }, before, state.shipped.length === 0, context))
    }
    await this.save({ shipped: [...state.shipped, [fulfillment.number, shipped]] })
  }

  private async tellDoer(order: OpenedOrder, fulfillment: Fulfillment, doer: Doer): Promise<void> {
    const { context } = this
    const known = this.state.told[fulfillment.number]
    const next = known?.isDue ? known : this.nextTold(order, fulfillment, doer, known)
    if (!next) return
    const told = (isDue: boolean): Partial<ExchangeState> => ({
      told: { ...this.state.told, [fulfillment.number]: { ...next, isDue } },
    })
    await this.save(told(true))
    const named = fulfillmentId(order.id, fulfillment.number)
    const { connection, settings } = doer
    const number = await referenceOf(connection.id, named, context)
    const { wanted, purpose, atMs } = next
    const document = await fulfillmentDocument({ order, fulfillment, doer, wanted, number, purpose, atMs }, context)
    const occasion = this.occasion(order, connection, settings, undefined, atMs, `${named}-${doer.kind}-${next.count}`)
    await issue(document, { ...occasion, fulfillment: named }, context)
    await this.save(told(false))
  }

  /** What the partner is to be told next; undefined where it knows how things are. */
  private nextTold(
    order: OpenedOrder,
    fulfillment: Fulfillment,
    doer: Doer,
    known: Told | undefined,
  ): Told | undefined {
    const { context } = this
    const made = { connection: doer.connection.id, count: (known?.count ?? 0) + 1, atMs: context.now(), isDue: true }
    if (fulfillment.status === 'pending' || fulfillment.status === 'accepted') {
      if (!known && order.status === 'on_hold') return undefined
      const wanted = wantedOf(fulfillment, doer, context)
      const digest = digestOf([wanted, order.shipTo, fulfillment.service])
      if (known?.digest === digest) return undefined
      return { ...made, digest, wanted, ...(known ? { purpose: 'changed' } : {}) }
    }
    const isOff = ['cancelled', 'rejected', 'failed'].includes(fulfillment.status)
    if (!isOff || !known || known.purpose === 'cancelled') return undefined
    // What the partner itself has refused it need not be told.
    if (lastHand(order, fulfillment) === doer.connection.id) return undefined
    return { ...made, digest: known.digest, wanted: known.wanted, purpose: 'cancelled' }
  }
}

const orderedOn = ({ placedMs }: OpenedOrder, { origin }: ChannelMemory): string => origin?.orderedOn ?? day(placedMs)

/** In the timeline an entry of a fulfillment order begins with its number. */
const isOf = (detail: string | undefined, { number }: Fulfillment): boolean =>
  detail === `${number}` || detail?.startsWith(`${number}: `) === true

const shippedAtMs = ({ timeline }: OpenedOrder, fulfillment: Fulfillment): number =>
  timeline.find(({ type, detail }) => type === 'fulfillment.shipped' && isOf(detail, fulfillment))?.atMs ??
  fulfillment.sinceMs

const lastHand = ({ timeline }: OpenedOrder, fulfillment: Fulfillment): string | undefined =>
  timeline.findLast(({ type, detail }) => type.startsWith('fulfillment.') && isOf(detail, fulfillment))?.by

function sumOf(all: Shipped[]): Shipped {
  const sum: Shipped = {}
  for (const units of all) for (const [line, count] of Object.entries(units)) sum[line] = (sum[line] ?? 0) + count
  return sum
}

const digestOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url')
