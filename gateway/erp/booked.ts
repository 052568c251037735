/**
 * What the journal has of stock, by SKU and location: summed up over all its entries, and over events that are to become
 * entries. Reads the whole journal, so it is for what is asked seldom.
 */
import type { StockMoved } from '../../actors/inventory/moves.js'
import type { EngineEvent } from '../../engine/protocol.js'
import type { OperationContext } from '../operations/operation.js'
import { eachUnits } from './entry.js'
import { Ledger } from './ledger.js'
import { unitsOfMoves } from './stock-posting.js'

const PAGE = 500
const EVENTS_AT_ONCE = 256

/** A SKU's place in the sums. */
export const placeKey = (sku: number, location: number): string => `${sku}/${location}`

type Services = Pick<OperationContext, 'records' | 'dispatch'>
type Until = Pick<EngineEvent, 'partition' | 'number'>

/** Units by `placeKey`. `until`: of its partition only what came before this event. */
export async function bookedStock(services: Services, until?: Until): Promise<Map<string, number>> {
  const ledger = new Ledger(services)
  const units = new Map<string, number>()
  const add = (account: number, sku: number, count: number): void => {
    if (account >= 0) units.set(placeKey(sku, account), (units.get(placeKey(sku, account)) ?? 0) + count)
  }
  const isAfter = (partition: number, number: number): boolean =>
    until !== undefined && partition === until.partition && number >= until.number
  // Read before the entries: whatever is posted up to here is found among them.
  const posted = await ledger.posted()
  const found = new Set<string>()
  for (let before: string | undefined; ; ) {
    const page: Awaited<ReturnType<Ledger['page']>> = await ledger.page(PAGE, before)
    for (const { value } of page.items) {
      const [partition, number] = value.event
      if (isAfter(partition, number)) continue
      if (number > (posted[partition] ?? 0)) found.add(value.event.join('-'))
      eachUnits(value, add)
    }
    if (page.nextCursor === null) break
    before = page.nextCursor
  }
  for (let partition = 0; partition < services.dispatch.links.partitions; partition++) {
    for await (const { type, number, data } of eventsAfter(services, partition, posted[partition] ?? 0)) {
      if (isAfter(partition, number)) break
      if (type !== 'inventory.moved' || found.has(`${partition}-${number}`)) continue
      // Published by the inventory's actors.
      eachUnits({ units: unitsOfMoves(data as StockMoved) }, add)
    }
  }
  return units
}

async function* eventsAfter({ dispatch }: Services, partition: number, first: number): AsyncGenerator<EngineEvent> {
  for (let after = first; ; ) {
    const page = await dispatch.events.page(partition, after, EVENTS_AT_ONCE)
    if (!page) throw new Error(`events of partition ${partition} cannot be read`)
    yield* page.events
    const last = page.events.at(-1)
    if (!last) return
    after = last.number
  }
}
