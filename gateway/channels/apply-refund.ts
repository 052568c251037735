/** A refund that a channel tells of: units that were not sent are cancelled, those that came back are returned, money is noted. */
import type { Problem } from '../../engine/protocol.js'
import { failed, type OperationContext } from '../operations/operation.js'
import type { OpenedOrder } from '../personal-data/opened-order.js'
import { type Applied, stepKey } from './applied.js'
import type { ChannelEvent, Connection } from './channel.js'
import { placeOf } from './connections.js'

/** `wanted`: the refund's units in the order's own words, each in its place. */
export async function applyRefund(
  { externalId, refundId, amount, reason, units }: Extract<ChannelEvent, { type: 'refund' }>,
  wanted: readonly { line: number; sku: string; quantity: number }[],
  order: OpenedOrder,
  connection: Connection,
  context: OperationContext,
): Promise<Applied> {
  const { call } = context
  const key = (what: string): string => stepKey([connection.id, externalId, 'refund', refundId, what])
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
    const location = placeOf(connection, back.location) ?? lastLocation(order, context)
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

const lastLocation = ({ fulfillments }: OpenedOrder, { directory }: OperationContext): string | undefined => {
  const sent = fulfillments.findLast(({ status }) => status === 'shipped' || status === 'delivered')
  return sent && directory.name('locations', sent.location)
}
