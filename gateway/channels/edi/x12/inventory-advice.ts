/** X12 846 inventory advice from a drop-ship supplier or a third-party warehouse: how many pieces it has of each SKU. */
import { isoDate } from '../dates.js'
import type { Findings } from '../faults.js'
import type { InventoryAdvice, Source } from '../records.js'
import type { EdiSettings } from '../settings.js'
import { readNumbers, readQuantity } from './items.js'
import { element, needed, neededSegment, type TransactionSet } from './segments.js'

type Item = InventoryAdvice['items'][number]

/** QTY01 (element 673). */
const AVAILABLE = '33'
const ON_HAND = '17'
const COMMITTED = '20'

export function readInventoryAdvice(
  set: TransactionSet,
  source: Source,
  settings: EdiSettings,
  findings: Findings,
): InventoryAdvice | undefined {
  const bia = neededSegment(set, 'BIA', findings)
  if (!bia) return undefined
  const reference = needed(bia, 3, findings, 'the reference')
  const date = isoDate(needed(bia, 4, findings, 'the date'))
  const items: Item[] = []
  let warehouse: string | undefined
  for (const segment of set.segments) {
    const item = items.at(-1)
    switch (segment.segment) {
      case 'LIN':
        items.push({ ...readNumbers(segment, 2, settings, findings), quantities: [] })
        break
      case 'QTY':
        if (item) {
          const qualifier = needed(segment, 1, findings, 'what the quantity is')
          // The unit stands in the first part of a composite, whose other parts scale it.
          const [unit = ''] = element(segment, 3).split(set.separators.component)
          const quantity = readQuantity(segment, 2, unit, settings, findings)
          item.quantities.push({ qualifier, quantity, unit })
        }
        break
      case 'DTM': {
        const last = item?.quantities.at(-1)
        const day = isoDate(element(segment, 2))
        if (last && day !== undefined) last.date = day
        break
      }
      case 'N1': {
        const role = element(segment, 1)
        const name = element(segment, 4) || element(segment, 2)
        if (name === '' || (role !== 'WH' && role !== 'SF' && role !== 'LC')) break
        if (item) item.warehouse = name
        else warehouse = name
      }
    }
  }
  for (const item of items) {
    const available = availableOf(item)
    if (available !== undefined) item.available = available
  }
  if (items.length === 0) neededSegment(set, 'LIN', findings)
  if (findings.rejected) return undefined
  return {
    source,
    reference,
    ...(date === undefined ? {} : { date }),
    ...(warehouse === undefined ? {} : { warehouse }),
    items,
  }
}

function availableOf({ quantities }: Item): number | undefined {
  const of = (wanted: string) => quantities.find(({ qualifier }) => qualifier === wanted)?.quantity
  const onHand = of(ON_HAND)
  return of(AVAILABLE) ?? (onHand === undefined ? undefined : Math.max(0, onHand - (of(COMMITTED) ?? 0)))
}
