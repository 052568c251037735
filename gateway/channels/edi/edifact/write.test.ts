import { createRequire } from 'node:module'
import { Reader, type ReadSegment, Tracker } from 'edifact'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EdifactDocument, InvoiceDocument, OrderResponseDocument, ShipNoticeDocument } from '../documents.js'
import { UnwritableDocument, writeEdifact } from '../index.js'
import { bothEnds, OURS, STAMP, THEIRS } from '../partner-files.contract.js'
import { ediSettings } from '../settings.js'

const table = (message: string): unknown => createRequire(import.meta.url)(`edifact/messages/${message}.json`)

/** The library’s tables are of a later directory: terms of payment are PYT there, and a package’s numbers GIR. */
const LATER = new Map([
  ['PAT', 'PYT'],
  ['GIN', 'GIR'],
])

const shipTo = {
  name: 'Ada Byron',
  address: { line1: "12 St James's Square", city: 'London', postalCode: 'SW1Y 4JH', country: 'GB' },
  email: 'ada@example.com',
}
const orderResponse: OrderResponseDocument = {
  type: 'orderResponse',
  number: 'A-1',
  purchaseOrder: 'PO-2002',
  purchaseOrderDate: '2026-03-08',
  date: '2026-03-09',
  currency: 'EUR',
  answer: 'changed',
  buyer: { name: 'Analytical Stores', code: '5412345000013', qualifier: '9' },
  shipTo,
  lines: [
    {
      lineId: '1',
      sku: 'TEE-RED-M',
      numbers: { EN: '4012345678901' },
      ordered: 5,
      unitPrice: '12.5',
      accepted: 3,
      backordered: 2,
    },
    { lineId: '2', sku: 'MUG-BLUE', ordered: 1, accepted: 0, rejected: 1 },
  ],
}
const shipNotice: ShipNoticeDocument = {
  type: 'shipNotice',
  shipment: 'S-1',
  shippedAtMs: STAMP.atMs,
  carrier: { code: 'DHL', name: 'DHL' },
  shipFrom: { name: 'Leeds' },
  shipTo,
  orders: [
    {
      purchaseOrder: 'PO-2002',
      pallets: [
        {
          sscc: '000000010000000016',
          packages: [
            {
              sscc: '000000010000000023',
              trackingNumber: 'JD01',
              weightGrams: 1_250,
              items: [{ lineId: '1', sku: 'TEE-RED-M', quantity: 3, ordered: 5 }],
            },
          ],
        },
      ],
      packages: [{ trackingNumber: 'JD02', items: [{ lineId: '2', sku: 'MUG-BLUE', quantity: 1 }] }],
    },
  ],
}
const invoice: InvoiceDocument = {
  type: 'invoice',
  number: 'I-1',
  date: '2026-03-10',
  purchaseOrder: 'PO-2002',
  currency: 'EUR',
  dueDays: 30,
  billTo: { name: 'Analytical Stores' },
  lines: [
    {
      lineId: '1',
      sku: 'TEE-RED-M',
      description: 'Tee, red',
      quantity: 3,
      unitPrice: '12.5',
      taxes: [{ name: 'VAT', amount: '7.5' }],
    },
  ],
  discount: '1.5',
  shipping: '4.95',
  taxes: [{ name: 'VAT', amount: '0.99', rate: '20' }],
}
const ALL: [string, EdifactDocument][] = [
  ['ORDERS', orderResponse],
  ['DESADV', shipNotice],
  ['INVOIC', invoice],
]

const write = (document: EdifactDocument, edifact: Record<string, unknown> = {}) =>
  writeEdifact([document], ediSettings.parse({ ours: OURS, theirs: THEIRS, edifact }), STAMP)
const segments = (text: string): ReadSegment[] => new Reader().parse(text)
const lines = (text: string) =>
  segments(text).map(({ name, elements }) => `${name} ${elements.map((parts) => parts.join(':')).join('+')}`)

describe('documents written as EDIFACT', () => {
  it.each(ALL)('%s: the library’s strict reader takes each segment, and its table their order', (message, document) => {
    const read = segments(write(document))
    const tracker = new Tracker(table(message))
    const errors: string[] = []
    tracker.on('error', (error) => errors.push(error.message))
    for (const { name } of read.slice(1, -1)) tracker.accept(LATER.get(name) ?? name)
    expect(errors).toEqual([])
    const [count, reference] = read.at(-2)?.elements.flat() ?? []
    expect([count, reference]).toEqual([String(read.length - 2), '1'])
  })

  it('the same input gives the same text', () => {
    for (const [, document] of ALL) expect(write(document)).toBe(write(document))
  })

  it('ORDRSP says what is accepted, backordered and refused', () => {
    const read = lines(write(orderResponse))
    expect(read).toContain('BGM 231+A-1+4')
    expect(read).toContain('LIN 1+3+4012345678901:EN')
    expect(read).toContain('PIA 1+TEE-RED-M:SA')
    expect(read).toEqual(expect.arrayContaining(['QTY 21:5:PCE', 'QTY 113:3:PCE', 'QTY 83:2:PCE', 'LIN 2+7']))
  })

  it('DESADV has each package with its SSCC, below its pallet', () => {
    const read = lines(write(shipNotice))
    const levels = read.filter((line) => /^(CPS|PCI|GIN|LIN)/.test(line))
    expect(levels).toEqual([
      'CPS 1',
      'CPS 2+1',
      'PCI 33E',
      'GIN BJ+000000010000000016',
      'CPS 3+2',
      'PCI 33E',
      'GIN BJ+000000010000000023',
      'LIN 1',
      'CPS 4+1',
      'PCI 30',
      'LIN 2',
    ])
    expect(read).toContain('RFF ON:PO-2002:1')
  })

  it('INVOIC adds up', () => {
    const amounts = lines(write(invoice)).filter((line) => line.startsWith('MOA'))
    expect(amounts).toEqual([
      'MOA 124:0.99',
      'MOA 8:1.50',
      'MOA 8:4.95',
      'MOA 203:37.50',
      'MOA 124:7.50',
      'MOA 79:37.50',
      'MOA 176:8.49',
      'MOA 77:49.44',
    ])
  })

  it('texts arrive as they were typed, and none ends a component, an element or a segment', () => {
    const plain = lines(write(orderResponse)).length
    const latin = fc.string({ unit: fc.constantFrom(..."AZaz019'+:?.,é£ÿ*~|"), minLength: 1, maxLength: 35 })
    fc.assert(
      fc.property(latin, (text) => {
        const name = `A${text}Z`.slice(0, 34)
        const read = segments(write({ ...orderResponse, shipTo: { ...shipTo, name } }))
        expect(read).toHaveLength(plain)
        expect(read.find(({ elements }) => elements[0]?.[0] === 'DP')?.elements[3]?.[0]).toBe(name.trim())
      }),
    )
  })

  it('no text injects a segment, whatever the level and the separators', () => {
    // An address of e-mail has a sign that two of the levels lack, and is left out there.
    const { email: _, ...reached } = shipTo
    const plain = lines(write({ ...orderResponse, shipTo: reached })).length
    const level = fc.constantFrom('UNOA', 'UNOB', 'UNOC')
    const separators = fc.constantFrom(
      {},
      { component: '|', element: '*', terminator: '~', release: '%' },
      { terminator: '!', decimal: ',' },
    )
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.string({ unit: fc.constantFrom(..."'+:?~*|%!\nUNZT1"), maxLength: 100 }),
    )
    fc.assert(
      fc.property(level, separators, hostile, (level, chosen, text) => {
        const name = `Ada ${text}`
        const address = { ...shipTo.address, line1: `12 ${text}`, city: `London ${text}` }
        const written = write({ ...orderResponse, shipTo: { name, address } }, { level, ...chosen })
        const standard = Object.keys(chosen).length === 0
        const count = standard ? segments(written).length : written.trim().split('\n').length - 1
        expect(count).toBe(plain)
      }),
      { numRuns: 80 },
    )
  })

  it('a number that can’t be written as it is stops the document', () => {
    const [line] = orderResponse.lines
    if (!line) throw new Error('a line')
    const withSku =
      (sku: string, level = 'UNOC') =>
      () =>
        write({ ...orderResponse, lines: [{ ...line, sku }] }, { level })
    expect(withSku("TEE'RED+M:1?")).not.toThrow()
    expect(withSku('ΤΕΕ')).toThrow(UnwritableDocument)
    expect(withSku('tee', 'UNOA')).toThrow('UNOA')
    expect(() => writeEdifact([], bothEnds, STAMP)).toThrow('no document')
    expect(() => writeEdifact([invoice], ediSettings.parse({}), STAMP)).toThrow('ours and theirs')
  })
})
