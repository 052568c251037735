/**
 * Carries out what channels say has happened: orders placed, changed, cancelled, refunded. It may be told the same thing
 * fifty times, all at once and in the wrong order: what belongs to one order is done one after the other, every step has an
 * id made of the channel's, and a cancellation that comes before its order is remembered until the order comes.
 */
import { createHash } from 'node:crypto'
import type { Problem } from '../../engine/protocol.js'
import { failed, type OperationContext } from '../operations/operation.js'
import { isOutcome, openedOrder } from '../operations/orders.js'
import { homeId } from '../order-request.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import { aliasedLine } from './aliased-line.js'
import { type Applied, Refused } from './applied.js'
import type { ChannelEvent, ChannelOrder, ChannelUnits, Connection } from './channel.js'
import { type ChannelMemory, MEMORY, toldLines } from './channel-memory.js'
import { type Connections, commonSettings } from './connections.js'
import { applyPartnerDocument } from './edi/exchange/partner-documents.js'

export class ChannelEvents {
  /** What is under way for each order. */
  private readonly chains = new Map<string, Promise<unknown>>()

  constructor(
    private readonly context: OperationContext,
    private readonly connections: Connections,
  ) {}

  /** Rejects with Refused, or with whatever it is to be tried again for. */
  apply(event: ChannelEvent, connection: Connection): Promise<Applied> {
    if (event.type === 'ignored') return Promise.resolve({ did: `ignored: ${event.reason}` })
    if (event.type === 'stock') return this.count(event, connection)
    if (event.type === 'partner') return applyPartnerDocument(event.document, connection, this.context)
    const externalId = event.type === 'order' || event.type === 'update' ? event.order.externalId : event.externalId
    return this.inTurn(`${connection.id}/${externalId}`, () => this.applyToOrder(event, connection, externalId))
  }

  private inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.chains.get(key) ?? Promise.resolve()
    const now = before.then(work, work)
    this.chains.set(key, now)
    const forget = (): void => {
      if (this.chains.get(key) === now) this.chains.delete(key)
    }
    now.then(forget, forget)
    return now
  }

  private async applyToOrder(
    event: Exclude<ChannelEvent, { type: 'ignored' | 'stock' | 'partner' }>,
    connection: Connection,
    externalId: string,
  ): Promise<Applied> {
    const id = homeId(connection.id, externalId)
    const known = await openedOrder(id, this.context)
    if (isOutcome(known) && known.status !== 404) throw new Error(`order ${id} cannot be read: ${known.status}`)
    const order = isOutcome(known) ? undefined : known
    switch (event.type) {
      case 'order':
        return order
          ? { order: order.id, person: order.person, did: 'known already' }
          : this.place(event.order, connection)
      case 'update':
        return order ? this.update(event, order, connection) : this.place(event.order, connection, event.at)
      case 'cancel':
        return order ? this.cancel(event, order, connection) : this.rememberCancel(event, connection)
      case 'refund':
        return order ? this.refund(event, order, connection) : Promise.reject(new Error('the order has not come yet'))
    }
  }

  private memory(connection: Connection, externalId: string) {
    return this.context.records.get<ChannelMemory>(MEMORY, `${connection.id}/${externalId}`)
  }

  private async remember(connection: Connection, externalId: string, change: Partial<ChannelMemory>): Promise<void> {
    await this.context.records.update<ChannelMemory>(MEMORY, `${connection.id}/${externalId}`, (before) => ({
      value: { lineIds: [], ...before, ...change },
    }))
  }

  private async place(input: ChannelOrder, connection: Connection, at?: string): Promise<Applied> {
    const { lineIds, lines, origin: _origin, ...order } = input
    const memory = await this.memory(connection, input.externalId)
    await this.remember(connection, input.externalId, {
      ...toldLines(input, lineIds, memory?.value),
      ...(at === undefined ? {} : { changedAt: at }),
    })
    const aliased = lines.map((line) => aliasedLine(line, this.connections.alias(connection, line.sku)))
    const outcome = await this.context.call('order.create', {
      // It was sold: what is not there is waited for.
      allowBackorder: true,
      ...order,
      lines: aliased,
      channel: connection.id,
      unknownSkus: 'hold',
      by: connection.id,
    })
    if (failed(outcome)) throw refusal(outcome.status, outcome.body as Problem)
    const { id } = outcome.body as { id: string }
    const placed = await openedOrder(id, this.context)
    const person = isOutcome(placed) ? {} : { person: placed.person }
    if (memory?.value.cancelled !== undefined && !isOutcome(placed)) {
      await this.cancel(
        { type: 'cancel', externalId: input.externalId, reason: memory.value.cancelled },
        placed,
        connection,
      )
      return { order: id, ...person, did: 'placed, and cancelled as it had been before it came' }
    }
    return { order: id, ...person, did: 'placed' }
  }

  private async update(
    { order: input, at }: Extract<ChannelEvent, { type: 'update' }>,
    order: OpenedOrder,
    connection: Connection,
  ): Promise<Applied> {
    const done = (did: string): Applied => ({ order: order.id, person: order.person, did })
    const memory = (await this.memory(connection, input.externalId))?.value ?? { lineIds: [] }
    if (at !== undefined && memory.changedAt !== undefined && Date.parse(at) <= Date.parse(memory.changedAt)) {
      return done('older than what is known: nothing changed')
    }
    const changes = this.changesOf(input, order, memory, connection)
    const { lineIds } = changes
    if (changes.body !== undefined) {
      const key = digestOf([connection.id, input.externalId, at ?? '', JSON.stringify(changes.body)])
      const outcome = await this.context.call('order.revise', { id: order.id, by: connection.id, ...changes.body }, key)
      if (failed(outcome)) throw refusal(outcome.status, outcome.body as Problem)
    }
    await this.remember(connection, input.externalId, {
      ...toldLines(input, lineIds, memory),
      ...(at === undefined ? {} : { changedAt: at }),
    })
    return done(changes.body === undefined ? 'the same as it is' : 'changed')
  }

  /** What of an order is other than it is said to be now: only that is changed. */
  private changesOf(
    input: ChannelOrder,
    order: OpenedOrder,
    { lineIds }: ChannelMemory,
    connection: Connection,
  ): { body?: Record<string, unknown>; lineIds: string[] } {
    const own = order.lines.filter(({ parent }) => parent === undefined)
    const lines: object[] = []
    const known = [...lineIds]
    for (const [at, line] of input.lines.entries()) {
      const lineId = input.lineIds[at]!
      const place = lineIds.indexOf(lineId)
      const alias = this.connections.alias(connection, line.sku)
      const quantity = line.quantity * alias.quantity
      if (place < 0) {
        const { unitPrice } = aliasedLine(line, alias)
        lines.push({ sku: alias.sku, quantity, unitPrice })
        known.push(lineId)
        continue
      }
      const ours = own[place]
      if (ours && liveUnits(ours) !== quantity) lines.push({ line: ours.number, quantity })
    }
    for (const [place, lineId] of lineIds.entries()) {
      const ours = own[place]
      if (ours && !input.lineIds.includes(lineId) && liveUnits(ours) > 0) lines.push({ line: ours.number, quantity: 0 })
    }
    const body: Record<string, unknown> = {}
    if (lines.length > 0) body.lines = lines
    if (!isSame(input.shipTo, order.shipTo)) body.shipTo = input.shipTo
    if (!isSame(input.customer, order.customer)) body.customer = input.customer
    if (input.notes !== undefined && input.notes !== order.notes) body.notes = input.notes
    if (input.shippingService !== undefined && input.shippingService !== order.service) {
      body.shippingService = input.shippingService
    }
    return Object.keys(body).length > 0 ? { body, lineIds: known } : { lineIds: known }
  }

  private async rememberCancel(
    { externalId, reason, units }: Extract<ChannelEvent, { type: 'cancel' }>,
    connection: Connection,
  ): Promise<Applied> {
    // A part of what is not there yet: it is tried again when it is.
    if (units) throw new Error('the order has not come yet')
    await this.remember(connection, externalId, { cancelled: reason })
    return { did: 'remembered until the order comes' }
  }

  private async cancel(
    { externalId, reason, units }: Extract<ChannelEvent, { type: 'cancel' }>,
    order: OpenedOrder,
    connection: Connection,
  ): Promise<Applied> {
    const done = (did: string): Applied => ({ order: order.id, person: order.person, did })
    if (order.status === 'cancelled') return done('cancelled already')
    const lines = units ? await this.linesOf(units, order, externalId, connection) : undefined
    const key = digestOf([connection.id, externalId, 'cancel', JSON.stringify(units ?? null)])
    const wish = { id: order.id, reason, by: connection.id, ...(lines ? { lines } : {}) }
    const outcome = await this.context.call('order.cancel', wish, key)
    if (failed(outcome)) throw refusal(outcome.status, outcome.body as Problem)
    return done('cancelled')
  }

  /** Units in the order's own words. */
  private async linesOf(
    units: ChannelUnits[],
    order: OpenedOrder,
    externalId: string,
    connection: Connection,
  ): Promise<{ line: number; sku: string; quantity: number }[]> {
    const lineIds = (await this.memory(connection, externalId))?.value.lineIds ?? []
    const own = order.lines.filter(({ parent }) => parent === undefined)
    return units.map(({ lineId, sku, quantity }) => {
      const alias = sku === undefined ? undefined : this.connections.alias(connection, sku)
      const ours =
        own[lineId === undefined ? -1 : lineIds.indexOf(lineId)] ??
        own.find((line) => this.context.directory.name('skus', line.sku) === alias?.sku)
      if (!ours) throw new Refused(`there is no line ${lineId ?? sku} in order ${order.id}`)
      const name = this.context.directory.name('skus', ours.sku)
      return { line: ours.number, sku: name, quantity: quantity * (alias?.quantity ?? 1) }
    })
  }

  private async refund(
    { externalId, refundId, amount, reason, units }: Extract<ChannelEvent, { type: 'refund' }>,
    order: OpenedOrder,
    connection: Connection,
  ): Promise<Applied> {
    const { call } = this.context
    const key = (what: string): string => digestOf([connection.id, externalId, 'refund', refundId, what])
    const wanted = await this.linesOf(units, order, externalId, connection)
    const did: string[] = []
    for (const [at, { line, sku, quantity }] of wanted.entries()) {
      const { units: tally } = order.lines[line - 1]!
      const notSent = (tally[0] ?? 0) + (tally[1] ?? 0) + (tally[2] ?? 0)
      const cancelled = Math.min(quantity, notSent)
      if (cancelled > 0) {
        const wish = { id: order.id, reason, by: connection.id, lines: [{ line, quantity: cancelled }] }
        const outcome = await call('order.cancel', wish, key(`cancel ${at}`))
        if (failed(outcome) && outcome.status >= 500) throw new Error('the units could not be cancelled')
        did.push(`${cancelled} units cancelled`)
      }
      const back = units[at]!
      if (quantity === cancelled || !back.restock) continue
      const location = placeOf(connection, back.location) ?? lastLocation(order, this.context)
      if (location === undefined) continue
      const returned = await call(
        'return.atTheCounter',
        {
          order: order.id,
          location,
          lines: [
            { sku, quantity: quantity - cancelled, disposition: 'restock', reason: reason.slice(0, 100) || 'refund' },
          ],
          resolution: 'none',
          by: connection.id,
        },
        key(`return ${at}`),
      )
      if (failed(returned) && returned.status >= 500) throw new Error('the units could not be taken back')
      did.push(failed(returned) ? `not returned: ${(returned.body as Problem).detail}` : `${quantity} units returned`)
    }
    if (Number(amount) > 0 && order.payment) {
      const paid = { event: 'refunded', amount: { amount, currency: order.currency }, reference: refundId }
      const outcome = await call('order.payment', { id: order.id, by: connection.id, ...paid }, key('payment'))
      if (failed(outcome) && outcome.status >= 500) throw new Error('the refund could not be noted')
      did.push(failed(outcome) ? `money not noted: ${(outcome.body as Problem).detail}` : 'money given back')
    }
    return { order: order.id, person: order.person, did: did.join('; ') || 'nothing to do' }
  }

  /** The channel counts stock that is kept there: what it may sell and what is promised here is what is on hand. */
  private async count(
    { sku: theirs, location: place, available }: Extract<ChannelEvent, { type: 'stock' }>,
    connection: Connection,
  ): Promise<Applied> {
    if (!commonSettings(connection).takesStock) return { did: 'ignored: its counts are not ours (settings.takesStock)' }
    const location = placeOf(connection, place)
    if (location === undefined)
      throw new Refused(`their location ${place} is none of ours: put it in settings.locations`)
    const { sku, quantity } = this.connections.alias(connection, theirs)
    const stock = await this.context.call('inventory.get', { sku })
    if (failed(stock)) throw refusal(stock.status, stock.body as Problem)
    const { locations } = stock.body as { locations: { location: string; reserved: number; allocated: number }[] }
    const here = locations.find((row) => row.location === location)
    const onHand = available * quantity + (here?.reserved ?? 0) + (here?.allocated ?? 0)
    const outcome = await this.context.call('inventory.put', { sku, location, onHand })
    if (failed(outcome)) throw refusal(outcome.status, outcome.body as Problem)
    return { did: `${sku} at ${location} counted` }
  }
}

const digestOf = (parts: string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('base64url')

function refusal(status: number, { detail, errors }: Problem): Error {
  return status >= 500 ? new Error(detail) : new Refused(detail, errors)
}

/** Units that are neither cancelled nor returned. */
const liveUnits = ({ quantity, units }: OpenedOrder['lines'][number]): number => quantity - (units[6] ?? 0)

function isSame(theirs: object, ours: object): boolean {
  const plain = (value: object): string =>
    JSON.stringify(
      Object.entries(value)
        .filter(([, part]) => part !== undefined && part !== '')
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  return plain(theirs) === plain(ours)
}

function placeOf({ settings }: Connection, theirs: string | undefined): string | undefined {
  const { locations } = settings as { locations?: Record<string, string> }
  return theirs !== undefined && locations && Object.hasOwn(locations, theirs) ? locations[theirs] : undefined
}

const lastLocation = ({ fulfillments }: OpenedOrder, { directory }: OperationContext): string | undefined => {
  const sent = fulfillments.findLast(({ status }) => status === 'shipped' || status === 'delivered')
  return sent && directory.name('locations', sent.location)
}
