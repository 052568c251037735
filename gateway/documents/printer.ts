/**
 * Prints documents in a thread of their own: a slip takes tens of milliseconds, a long pick list seconds, and whoever
 * reserves meanwhile would wait for it.
 */
import { Piscina } from 'piscina'
import type { Outcome } from '../../engine/protocol.js'
import type { ShippingLabel } from '../carriers/labels/shipping-label.js'
import { PRINTS_WAITING_MAX } from '../limits.js'
import { overloaded } from '../problems.js'
import type { PackingSlip } from './packing-slip.js'
import type { PickList } from './pick-list.js'

const IDLE_MS = 30_000

/** No thread until something is printed, and none long after. */
const pool = new Piscina<object, Uint8Array>({
  minThreads: 0,
  maxThreads: 1,
  idleTimeout: IDLE_MS,
  maxQueue: PRINTS_WAITING_MAX,
})

/** The PDF that a function of a module makes of its content; an outcome where too many wait already. */
async function print(module: string, name: string, content: object): Promise<Outcome> {
  if (pool.queueSize >= PRINTS_WAITING_MAX)
    return overloaded('More documents wait to be printed than can be. Try again.')
  const body = await pool.run(content, { filename: new URL(module, import.meta.url).href, name })
  return { status: 200, body }
}

export const printPackingSlip = (slip: PackingSlip): Promise<Outcome> => print('./packing-slip.js', 'packingSlip', slip)
export const printPickList = (list: PickList): Promise<Outcome> => print('./pick-list.js', 'pickList', list)
export const printLabels = (labels: readonly ShippingLabel[]): Promise<Outcome> =>
  print('../carriers/labels/pdf.js', 'labelsPdf', labels)
