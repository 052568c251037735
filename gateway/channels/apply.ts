/**
 * Carries out what channels say has happened: orders placed, changed, cancelled, refunded. It may be told the same thing
 * fifty times, all at once and in the wrong order: what belongs to one order is done one after the other, every step has an
 * id made of the channel's, and a cancellation that comes before its order is remembered until the order comes.
 */
import type { Problem } from '../../engine/protocol.js'
import { failed, type OperationContext } from '../operations/operation.js'
import { isOutcome, openedOrder } from '../operations/orders.js'
import { homeId } from '../order-request.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import { aliasedLine } from './aliased-line.js'
import { type Applied, Refused, refusal, stepKey } from './applied.js'
import { applyCount } from './apply-count.js'
import { applyRefund } from './apply-refund.js'
import type { ChannelEvent, ChannelOrder, ChannelUnits, Connection } from './channel.js'
import { type ChannelMemory, MEMORY, toldLines } from './channel-memory.js'
import type { Connections } from './connections.js'
import { applyPartnerDocument } from './edi/exchange/partner-documents.js'
import { changesOf } from './order-changes.js'
import { inTurn } from './turns.js'

export class ChannelEvents {
  constructor(
    private readonly context: OperationContext,
    private readonly connections: Connections,
  ) {}

  /** Rejects with Refused, or with whatever it is to be tried again for. */
  apply(event: ChannelEvent, connection: Connection): Promise<Applied> {
    if (event.type === 'ignored') return Promise.resolve({ did: `ignored: ${event.reason}` })
    if (event.type === 'stock') return applyCount(event, connection, this.context)
    if (event.type === 'partner') return applyPartnerDocument(event.document, connection, this.context)
    const externalId = event.type === 'order' || event.type === 'update' ? event.order.externalId : event.externalId
    return inTurn(this, `${connection.id}/${externalId}`, () => this.applyToOrder(event, connection, externalId))
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
    const changes = changesOf(input, order, memory.lineIds, (sku) => this.connections.alias(connection, sku))
    const { lineIds } = changes
    if (changes.body !== undefined) {
      const key = stepKey([connection.id, input.externalId, at ?? '', JSON.stringify(changes.body)])
      const outcome = await this.context.call('order.revise', { id: order.id, by: connection.id, ...changes.body }, key)
      if (failed(outcome)) throw refusal(outcome.status, outcome.body as Problem)
    }
    await this.remember(connection, input.externalId, {
      ...toldLines(input, lineIds, memory),
      ...(at === undefined ? {} : { changedAt: at }),
    })
    return done(changes.body === undefined ? 'the same as it is' : 'changed')
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
    const key = stepKey([connection.id, externalId, 'cancel', JSON.stringify(units ?? null)])
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
    event: Extract<ChannelEvent, { type: 'refund' }>,
    order: OpenedOrder,
    connection: Connection,
  ): Promise<Applied> {
    const wanted = await this.linesOf(event.units, order, event.externalId, connection)
    return applyRefund(event, wanted, order, connection, this.context)
  }
}
