/** X12 945 from a third-party warehouse: what it shipped of a warehouse shipping order (940) that we sent. */
import { isoDate } from '../dates.js'
import type { Findings } from '../faults.js'
import type { Source, WarehouseShippingAdvice } from '../records.js'
import type { EdiSettings } from '../settings.js'
import { readMark, readNumbers, readQuantity, readWeight } from './items.js'
import { element, needed, neededSegment, type TransactionSet, type X12Segment } from './segments.js'

export function readShippingAdvice(
  set: TransactionSet,
  source: Source,
  settings: EdiSettings,
  findings: Findings,
): WarehouseShippingAdvice | undefined {
  const w06 = neededSegment(set, 'W06', findings)
  if (!w06) return undefined
  const shippedOn = isoDate(element(w06, 3))
  const advice: WarehouseShippingAdvice = {
    source,
    order: needed(w06, 2, findings, 'the order’s number'),
    ...(element(w06, 6) === '' ? {} : { purchaseOrder: element(w06, 6) }),
    ...(element(w06, 4) === '' ? {} : { shipment: element(w06, 4) }),
    ...(shippedOn === undefined ? {} : { shippedOn }),
    packages: [],
    lines: [],
  }
  let inLines = false
  let packageAt: number | undefined
  let lineId = ''
  for (const segment of set.segments) {
    switch (segment.segment) {
      case 'LX':
        // A line id that stands behind W12 belongs to the line before.
        inLines = true
        packageAt = undefined
        lineId = element(segment, 1)
        break
      case 'MAN': {
        const mark = readMark(segment)
        const known = packageAt === undefined ? undefined : advice.packages[packageAt]
        if (Object.keys(mark).length === 0) break
        if (known) Object.assign(known, mark)
        else if (inLines) {
          packageAt = advice.packages.length
          advice.packages.push(mark)
        } else if (mark.trackingNumber) advice.trackingNumber ??= mark.trackingNumber
        break
      }
      case 'W12':
        advice.lines.push(readLine(segment, lineId, packageAt, settings, findings))
        break
      case 'N9':
      case 'REF':
        readReference(segment, advice, inLines)
        break
      case 'W27':
        if (element(segment, 2) !== '') advice.carrier ??= element(segment, 2)
        break
      case 'W03': {
        const weight = readWeight(segment, 2, 3)
        if (weight) advice.weight = weight
      }
    }
  }
  // Several lines of one LX, which is a package then, are told from each other by their place.
  const ids = new Set(advice.lines.map((line) => line.lineId))
  if (ids.size < advice.lines.length || ids.has('')) {
    advice.lines.forEach((line, at) => {
      line.lineId = String(at + 1)
    })
  }
  if (advice.lines.length === 0) neededSegment(set, 'W12', findings)
  return findings.rejected ? undefined : advice
}

function readLine(
  segment: X12Segment,
  lineId: string,
  packageAt: number | undefined,
  settings: EdiSettings,
  findings: Findings,
): WarehouseShippingAdvice['lines'][number] {
  const unit = element(segment, 5)
  // W1206 is a UPC; W1207 and W1208 are a pair, W1221 and W1222 another.
  const numbers: [string, string][] = [
    ['UP', element(segment, 6)],
    [element(segment, 21), element(segment, 22)],
  ]
  const pair = { ...segment, elements: segment.elements.slice(0, 8) }
  return {
    lineId,
    code: needed(segment, 1, findings, 'the line’s status'),
    ...readNumbers(pair, 7, settings, findings, numbers),
    ...(element(segment, 2) === '' ? {} : { ordered: readQuantity(segment, 2, unit, settings, findings) }),
    shipped: readQuantity(segment, 3, unit, settings, findings),
    ...(packageAt === undefined ? {} : { package: packageAt }),
  }
}

/** N901 (element 128): CN carrier's reference, 2I tracking number, BM bill of lading, LI the order's line. */
function readReference(segment: X12Segment, advice: WarehouseShippingAdvice, inLines: boolean): void {
  const [qualifier, value] = [element(segment, 1), element(segment, 2)]
  if (value === '') return
  const line = advice.lines.at(-1)
  if (qualifier === 'BM') advice.billOfLading ??= value
  else if (qualifier === 'LI' && inLines && line) line.lineId = value
  else if (qualifier === 'CN' || qualifier === '2I') {
    const last = inLines ? advice.packages.at(-1) : undefined
    if (last) last.trackingNumber ??= value
    else advice.trackingNumber ??= value
  }
}
