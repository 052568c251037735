import fc from 'fast-check'
import { X12FatInterchange, X12Parser } from 'node-x12'
import { describe, expect, it } from 'vitest'
import type {
  InventoryAdviceDocument,
  InvoiceDocument,
  OrderResponseDocument,
  PurchaseOrderDocument,
  ShipNoticeDocument,
  WarehouseOrderDocument,
  X12Document,
} from '../documents.js'
import { UnwritableDocument, writeX12 } from '../index.js'
import { bothEnds, OURS, read, STAMP, THEIRS } from '../partner-files.contract.js'
import { ediSettings } from '../settings.js'

const address = { line1: '12 St James Square', city: 'London', postalCode: 'SW1Y 4JH', country: 'GB' }
const shipTo = { name: 'Ada Byron', address, email: 'ada@example.com', phone: '020 7946 0000' }
const purchaseOrder: PurchaseOrderDocument = {
  type: 'purchaseOrder',
  number: 'DS-1',
  date: '2026-03-09',
  dropShip: true,
  currency: 'GBP',
  customerOrder: 'C-9',
  shipTo,
  deliverOn: '2026-03-12',
  note: 'Leave with the porter',
  lines: [
    { lineId: '1', sku: 'TEE-RED-M', numbers: { VN: 'V-1' }, quantity: 2, unitPrice: '9.995' },
    { lineId: '2', sku: 'MUG-BLUE', quantity: 1, unitPrice: '5', description: 'Mug, blue' },
  ],
}
const orderResponse: OrderResponseDocument = {
  type: 'orderResponse',
  number: 'A-1',
  purchaseOrder: 'PO-1001',
  date: '2026-03-09',
  currency: 'GBP',
  answer: 'changed',
  lines: [
    {
      lineId: '10',
      sku: 'TEE-RED-M',
      ordered: 5,
      unitPrice: '9.99',
      accepted: 3,
      backordered: 1,
      rejected: 1,
      shipOn: '2026-03-12',
    },
    { lineId: '20', sku: 'MUG-BLUE', ordered: 1, accepted: 0, rejected: 1 },
  ],
}
const shipNotice: ShipNoticeDocument = {
  type: 'shipNotice',
  shipment: 'S-1',
  shippedAtMs: STAMP.atMs,
  carrier: { code: 'UPSN', name: 'UPS' },
  trackingNumber: '1Z999',
  billOfLading: 'BOL-1',
  shipFrom: { name: 'Leeds', code: 'W7' },
  shipTo,
  orders: [
    {
      purchaseOrder: 'PO-1001',
      pallets: [
        {
          sscc: '000000010000000016',
          packages: [
            {
              sscc: '000000010000000023',
              trackingNumber: '1Z001',
              weightGrams: 1_250,
              items: [{ lineId: '10', sku: 'TEE-RED-M', quantity: 3, ordered: 5 }],
            },
          ],
        },
      ],
      packages: [{ trackingNumber: '1Z002', weightGrams: 80, items: [{ lineId: '20', sku: 'MUG-BLUE', quantity: 1 }] }],
    },
  ],
}
const invoice: InvoiceDocument = {
  type: 'invoice',
  number: 'I-1',
  date: '2026-03-10',
  purchaseOrder: 'PO-1001',
  currency: 'GBP',
  dueDays: 30,
  billTo: { name: 'Analytical Stores', code: '0042' },
  lines: [
    { lineId: '10', sku: 'TEE-RED-M', quantity: 3, unitPrice: '9.995', taxes: [{ name: 'VAT', amount: '6' }] },
    { lineId: '20', sku: 'MUG-BLUE', quantity: 1, unitPrice: '5' },
  ],
  discount: '1.5',
  shipping: '4.95',
}
const inventoryAdvice: InventoryAdviceDocument = {
  type: 'inventoryAdvice',
  reference: 'R-1',
  date: '2026-03-09',
  warehouse: { name: 'Leeds', code: 'W7' },
  items: [
    { sku: 'TEE-RED-M', available: 12, expected: { quantity: 40, date: '2026-04-01' } },
    { sku: 'MUG-BLUE', available: 0 },
  ],
}
const warehouseOrder: WarehouseOrderDocument = {
  type: 'warehouseOrder',
  number: 'FO-1',
  purchaseOrder: 'PO-1001',
  date: '2026-03-09',
  shipTo,
  carrier: { code: 'UPSN', service: 'Ground' },
  note: 'Gift wrap',
  lines: [{ lineId: '10', sku: 'TEE-RED-M', quantity: 3, description: 'Tee, red' }],
}
const ALL: X12Document[] = [purchaseOrder, orderResponse, shipNotice, invoice, inventoryAdvice, warehouseOrder]

const write = (document: X12Document) => writeX12([document], bothEnds, STAMP)
/** As the partner reads it: ends are the other way round. */
const received = (document: X12Document) => read(write(document), { ours: THEIRS, theirs: OURS, skuQualifiers: ['SK'] })
/** The segments of the one document, as node-x12 reads them with all its checks. */
function segments(text: string): string[][] {
  const parsed = new X12Parser(true).parse(text)
  if (parsed instanceof X12FatInterchange) throw new Error('several interchanges')
  const [group] = parsed.functionalGroups
  return (group?.transactions[0]?.segments ?? []).map(({ tag, elements }) => [
    tag,
    ...elements.map(({ value }) => value),
  ])
}

describe('documents written as X12', () => {
  it.each(ALL.map((document) => [document.type, document] as const))(
    '%s is read back by node-x12 without a complaint',
    (_, document) => {
      const text = write(document)
      const parser = new X12Parser(true)
      parser.parse(text)
      expect(parser.diagnostics).toEqual([])
      expect(text.indexOf('~')).toBe(105)
      expect(write(document)).toBe(text)
    },
  )

  it('an 850 to a supplier is the order that was sent', () => {
    const { orders, faults } = received(purchaseOrder)
    expect(faults).toEqual([])
    expect(orders).toEqual([
      {
        externalId: 'DS-1',
        lineIds: ['1', '2'],
        currency: 'GBP',
        customer: { name: 'Ada Byron', email: 'ada@example.com', phone: '020 7946 0000' },
        shipTo: { name: 'Ada Byron', ...address },
        lines: [
          { sku: 'TEE-RED-M', quantity: 2, unitPrice: { amount: '9.995', currency: 'GBP' } },
          { sku: 'MUG-BLUE', quantity: 1, unitPrice: { amount: '5.00', currency: 'GBP' } },
        ],
        notes: 'Deliver on 2026-03-12\nLeave with the porter',
      },
    ])
  })

  it('an 855 says what is accepted, backordered and refused of each line', () => {
    const [answer] = received(orderResponse).acknowledgements
    expect(answer).toMatchObject({ purchaseOrder: 'PO-1001', supplierReference: 'A-1', code: 'AC' })
    const parts = answer?.lines.map((line) => line.parts.map(({ answer, quantity }) => `${answer} ${quantity}`))
    expect(parts).toEqual([['changed 3', 'backordered 1', 'rejected 1'], ['rejected 1']])
  })

  it('an 856 has shipment, order, tare, pack and item with the SSCC of each package', () => {
    const text = write(shipNotice)
    expect(text).toContain('MAN*GM*00000000010000000023~')
    expect(segments(text).filter(([tag]) => tag === 'HL')).toEqual([
      ['HL', '1', '', 'S'],
      ['HL', '2', '1', 'O'],
      ['HL', '3', '2', 'T'],
      ['HL', '4', '3', 'P'],
      ['HL', '5', '4', 'I'],
      ['HL', '6', '2', 'P'],
      ['HL', '7', '6', 'I'],
    ])
    const [notice] = received(shipNotice).shipNotices
    expect(notice).toMatchObject({
      shipment: 'S-1',
      shippedOn: '2026-03-09',
      carrier: 'UPSN',
      cartons: 2,
      weight: { value: '1.330', unit: 'KG' },
      packages: [
        { sscc: '000000010000000023', trackingNumber: '1Z001', pallet: '000000010000000016' },
        { trackingNumber: '1Z002' },
      ],
      items: [
        { purchaseOrder: 'PO-1001', lineId: '10', sku: 'TEE-RED-M', quantity: 3, package: 0 },
        { purchaseOrder: 'PO-1001', lineId: '20', sku: 'MUG-BLUE', quantity: 1, package: 1 },
      ],
    })
  })

  it('an 810 adds up to the cent', () => {
    const read = segments(write(invoice))
    // 3 × 9.995 + 5 − 1.50 + 4.95 + 6 = 44.435, in whole cents.
    expect(read.find(([tag]) => tag === 'TDS')).toEqual(['TDS', '4444'])
    expect(read.filter(([tag]) => tag === 'SAC').map((sac) => sac.slice(1, 6))).toEqual([
      ['A', 'C310', '', '', '150'],
      ['C', 'D240', '', '', '495'],
    ])
    expect(read.find(([tag]) => tag === 'IT1')).toEqual(['IT1', '10', '3', 'EA', '9.995', 'PE', 'SK', 'TEE-RED-M'])
  })

  it('an 846 says what is available and what is expected', () => {
    const [advice] = received(inventoryAdvice).inventoryAdvices
    expect(advice).toMatchObject({ reference: 'R-1', warehouse: 'W7' })
    expect(advice?.items.map(({ sku, available }) => `${sku} ${available}`)).toEqual(['TEE-RED-M 12', 'MUG-BLUE 0'])
    expect(advice?.items[0]?.quantities[1]).toMatchObject({ qualifier: '63', quantity: 40, date: '2026-04-01' })
  })

  it('a 940 tells the warehouse what to ship, to whom and how', () => {
    const read = segments(write(warehouseOrder))
    expect(read[0]).toEqual(['W05', 'N', 'FO-1', 'PO-1001'])
    expect(read.find(([tag]) => tag === 'W01')).toEqual(['W01', '3', 'EA', '', 'SK', 'TEE-RED-M'])
    expect(read.find(([tag]) => tag === 'W66')?.at(10)).toBe('UPSN')
    expect(read.at(-1)).toEqual(['W76', '3'])
  })

  it('no text of a customer ends an element or a segment', () => {
    const plain = segments(write(purchaseOrder)).map(([tag, ...elements]) => `${tag} ${elements.length}`)
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.string({
        unit: fc.constantFrom('*', '~', '>', '^', '\n', '\r', 'A', "'", '€', 'é', '\u2028', '\ud800'),
        maxLength: 80,
      }),
      fc.constant('X~SE*1*0001~GE*1*77~IEA*1*000000077~ISA*00*'),
    )
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, line1, note) => {
        const document = {
          ...purchaseOrder,
          note: `Note ${note}`,
          shipTo: { ...shipTo, name: `Ada ${name}`, address: { ...address, line1: `12 ${line1}` } },
        }
        const text = write(document)
        expect(segments(text).map(([tag, ...elements]) => `${tag} ${elements.length}`)).toEqual(plain)
        expect(/^[\x20-\x7e\n]*$/.test(text)).toBe(true)
        expect(received(document).orders).toHaveLength(1)
      }),
      { numRuns: 60 },
    )
  })

  it('a number that can’t be written as it is stops the document, and says which', () => {
    const [line] = purchaseOrder.lines
    if (!line) throw new Error('a line')
    const withSku = (sku: string) => () => write({ ...purchaseOrder, lines: [{ ...line, sku }] })
    expect(withSku('TEE*RED')).toThrow(UnwritableDocument)
    expect(withSku('TEE*RED')).toThrow('the SKU “TEE*RED”')
    expect(withSku('TÉE')).toThrow(UnwritableDocument)
    expect(withSku('')).toThrow('it is empty')
    expect(() => write({ ...purchaseOrder, number: 'N'.repeat(23) })).toThrow('over 22 characters')
    const wrong = {
      ...shipNotice,
      orders: [{ purchaseOrder: 'P', packages: [{ sscc: '000000010000000017', items: [] }] }],
    }
    expect(() => write(wrong)).toThrow('does not check')
  })

  it('needs both ends, a control number and documents of one type', () => {
    expect(() => writeX12([invoice], ediSettings.parse({}), STAMP)).toThrow('ours and theirs')
    expect(() => writeX12([invoice], bothEnds, { controlNumber: 0, atMs: 0 })).toThrow('control number')
    expect(() => writeX12([invoice, shipNotice], bothEnds, STAMP)).toThrow('one type')
    expect(() => writeX12([], bothEnds, STAMP)).toThrow('no document')
  })

  it('has the separators, version and mark that the partner wants', () => {
    const settings = ediSettings.parse({
      ours: OURS,
      theirs: THEIRS,
      test: true,
      x12: { element: '|', component: ':', repetition: '!', terminator: '\x1d', lineBreaks: false, version: '005010' },
    })
    const text = writeX12([{ ...purchaseOrder, note: 'a|b:c!d' }], settings, STAMP)
    expect(text.slice(81, 106)).toBe('|!|00501|000000077|0|T|:\x1d')
    expect(text).toContain('MSG|a b c d\x1d')
    expect(read(text, { test: true }).orders).toHaveLength(1)
  })
})
