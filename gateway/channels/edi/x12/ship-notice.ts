/**
 * X12 856 ship notice. Its HL segments are a tree (shipment, order, tare, pack, item, in the order that BSN05 says); read
 * are the items with the order and the package above each, whatever the order of levels.
 */

import { isoDate } from '../dates.js'
import { wholeNumber } from '../decimal.js'
import type { Findings } from '../faults.js'
import { HIERARCHY_LEVELS_MAX } from '../limits.js'
import type { ShipNotice, Source } from '../records.js'
import type { EdiSettings } from '../settings.js'
import { readMark, readNumbers, readQuantity, readWeight } from './items.js'
import { element, needed, neededSegment, type TransactionSet, type X12Segment } from './segments.js'

interface Level {
  code: string
  depth: number
  purchaseOrder: string
  /** SSCC of the tare above or here. */
  pallet: string | undefined
  /** Place in the notice's packages. */
  package: number | undefined
}

const PURPOSES = new Map<string, ShipNotice['purpose']>([
  ['00', 'original'],
  ['06', 'original'],
  ['14', 'original'],
  ['05', 'replacement'],
  ['01', 'cancelled'],
  ['03', 'cancelled'],
])

export function readShipNotice(
  set: TransactionSet,
  source: Source,
  settings: EdiSettings,
  findings: Findings,
): ShipNotice | undefined {
  const bsn = neededSegment(set, 'BSN', findings)
  if (!bsn) return undefined
  const code = needed(bsn, 1, findings, 'the purpose')
  const purpose = PURPOSES.get(code)
  if (code !== '' && !purpose) {
    findings.add('invalid', bsn, `purpose ${code} is not taken`, { element: 1, value: code })
  }
  const notice: ShipNotice = {
    source,
    shipment: needed(bsn, 2, findings, 'the shipment’s number'),
    purpose: purpose ?? 'original',
    packages: [],
    items: [],
  }
  new ShipNoticeReader(notice, settings, findings).read(set.segments)
  if (notice.items.length === 0 && notice.purpose !== 'cancelled') neededSegment(set, 'LIN', findings)
  return findings.rejected ? undefined : notice
}

class ShipNoticeReader {
  private readonly levels = new Map<string, Level>()
  private level: Level = { code: 'S', depth: 0, purchaseOrder: '', pallet: undefined, package: undefined }
  private line: X12Segment | undefined

  constructor(
    private readonly notice: ShipNotice,
    private readonly settings: EdiSettings,
    private readonly findings: Findings,
  ) {}

  read(segments: readonly X12Segment[]): void {
    for (const segment of segments) this.take(segment)
  }

  private take(segment: X12Segment): void {
    const { notice, level } = this
    const at = (n: number) => element(segment, n)
    switch (segment.segment) {
      case 'HL':
        this.open(segment)
        return
      case 'PRF':
        level.purchaseOrder = needed(segment, 1, this.findings, 'the purchase order’s number')
        return
      case 'MAN':
        this.mark(segment)
        return
      case 'LIN':
        this.line = segment
        return
      case 'SN1':
        this.item(segment)
        return
      case 'TD1':
        if (level.code === 'S') {
          const cartons = wholeNumber(at(2))
          const weight = readWeight(segment, 7, 8)
          if (cartons !== undefined) notice.cartons = cartons
          if (weight) notice.weight = weight
        }
        return
      case 'TD5':
        notice.carrier ??= at(3) || at(5) || at(4)
        if (notice.carrier === '') delete notice.carrier
        return
      case 'REF':
        this.reference(at(1), at(2))
        return
      case 'DTM': {
        const date = isoDate(at(2))
        if (date === undefined || level.code !== 'S') return
        if (at(1) === '011') notice.shippedOn = date
        else if (at(1) === '017') notice.deliveryOn = date
      }
    }
  }

  /** Senders leave out the parent now and then: then it is the level before. */
  private open(segment: X12Segment): void {
    const [id, parentId, code] = [
      needed(segment, 1, this.findings, 'the level’s number'),
      element(segment, 2),
      needed(segment, 3, this.findings, 'the level’s code'),
    ]
    const parent = parentId === '' ? (code === 'S' ? undefined : this.level) : this.levels.get(parentId)
    if (parentId !== '' && !parent) {
      const message = `level ${id} stands below ${parentId.slice(0, 12)}, which does not stand before it`
      this.findings.add('invalid', segment, message, { element: 2, value: parentId })
    }
    const depth = (parent?.depth ?? 0) + 1
    if (parentId !== '' && depth > HIERARCHY_LEVELS_MAX) {
      this.findings.add('invalid', segment, `more than ${HIERARCHY_LEVELS_MAX} levels below each other`, { element: 2 })
    }
    this.level = {
      code,
      depth,
      purchaseOrder: parent?.purchaseOrder ?? '',
      pallet: parent?.pallet,
      package: code === 'P' ? undefined : parent?.package,
    }
    this.levels.set(id, this.level)
    this.line = undefined
  }

  private mark(segment: X12Segment): void {
    const { level, notice } = this
    const mark = readMark(segment)
    if (level.code === 'T') {
      level.pallet = mark.sscc ?? level.pallet
      return
    }
    if (level.code === 'S' || level.code === 'O' || Object.keys(mark).length === 0) {
      if (level.code === 'S' && mark.trackingNumber) notice.trackingNumber ??= mark.trackingNumber
      return
    }
    const known = level.package === undefined ? undefined : notice.packages[level.package]
    if (known && level.code === 'P') Object.assign(known, mark)
    else {
      level.package = notice.packages.length
      notice.packages.push({ ...mark, ...(level.pallet === undefined ? {} : { pallet: level.pallet }) })
    }
  }

  private item(segment: X12Segment): void {
    const { level, line, notice } = this
    if (!line) {
      this.findings.add('missingSegment', { segment: 'LIN', position: segment.position }, 'SN1 stands without LIN')
      return
    }
    const unit = element(segment, 3)
    const lineId = element(line, 1) || element(segment, 1)
    notice.items.push({
      purchaseOrder: level.purchaseOrder,
      ...readNumbers(line, 2, this.settings, this.findings),
      ...(lineId === '' ? {} : { lineId }),
      quantity: readQuantity(segment, 2, unit, this.settings, this.findings),
      unit,
      ...(level.package === undefined ? {} : { package: level.package }),
    })
    if (level.purchaseOrder === '') {
      this.findings.add(
        'missingSegment',
        { segment: 'PRF', position: segment.position },
        'the item has no order above it',
      )
    }
    this.line = undefined
  }

  /** REF01 (element 128): CN carrier's reference, 2I tracking number, BM bill of lading. */
  private reference(qualifier: string, value: string): void {
    if (value === '') return
    const { notice, level } = this
    if (qualifier === 'BM') notice.billOfLading ??= value
    else if (qualifier === 'CN' || qualifier === '2I') {
      const known = level.code === 'P' && level.package !== undefined ? notice.packages[level.package] : undefined
      if (known) known.trackingNumber = value
      else if (level.code === 'P') {
        level.package = notice.packages.length
        notice.packages.push({ trackingNumber: value, ...(level.pallet === undefined ? {} : { pallet: level.pallet }) })
      } else notice.trackingNumber ??= value
    }
  }
}
