import { describe, expect, it } from 'vitest'
import { read, sample, samplesAreThere, x12File } from '../partner-files.contract.js'

describe('what suppliers and warehouses send', () => {
  it.skipIf(!samplesAreThere)('the sample 855 says what the supplier does with each line', () => {
    const { acknowledgements, faults } = read(sample('855.edi'))
    expect(faults).toEqual([])
    const [answer] = acknowledgements
    expect(answer).toMatchObject({ purchaseOrder: 'POTEST1112', answer: 'byLine', date: '2020-10-15' })
    const lines = answer?.lines.map(
      ({ sku, ordered, parts }) => `${ordered} ${sku} ${parts[0]?.answer} ${parts[0]?.quantity}`,
    )
    expect(lines).toEqual([
      '3 9780446360265 accepted 3',
      '2 9780767928427 rejected 0',
      '1 9780099599531 rejected 0',
      '2 9780446360272 accepted 2',
    ])
  })

  it.skipIf(!samplesAreThere)('the sample 856 says what was shipped of which order', () => {
    const { shipNotices, faults } = read(sample('856.edi'))
    expect(faults).toEqual([])
    expect(shipNotices).toMatchObject([
      {
        shipment: '829716',
        shippedOn: '2011-12-06',
        carrier: 'XXXX',
        billOfLading: '999999-001',
        trackingNumber: '5787970539',
        weight: { value: '60.310', unit: 'LB' },
        items: [
          { purchaseOrder: '99999817', sku: '87787D', quantity: 24 },
          { purchaseOrder: '99999817', sku: '99887D', quantity: 6 },
        ],
      },
    ])
  })

  it('an 856 has each item in its package on its pallet', () => {
    const { shipNotices } = read(
      x12File('856', 'SH', [
        [
          'BSN*00*S1*20260309*0800*0001',
          'HL*1**S',
          'HL*2*1*O',
          'PRF*PO-1',
          'HL*3*2*T',
          'MAN*GM*00000000010000000016',
          'HL*4*3*P',
          'MAN*GM*000000010000000023*CP',
          'MAN*CP*1Z999',
          'HL*5*4*I',
          'LIN*1*SK*A',
          'SN1*1*2*EA',
          'HL*6*2*P',
          'MAN*CP*1Z998',
          'HL*7*6*I',
          'LIN**SK*B',
          'SN1**1*EA',
        ],
      ]),
    )
    expect(shipNotices[0]?.packages).toEqual([
      { sscc: '000000010000000023', trackingNumber: '1Z999', pallet: '000000010000000016' },
      { trackingNumber: '1Z998' },
    ])
    expect(shipNotices[0]?.items.map(({ sku, package: at }) => `${sku} ${at}`)).toEqual(['A 0', 'B 1'])
  })

  it('an 856 whose levels hang on none is refused', () => {
    const { faults } = read(
      x12File('856', 'SH', [['BSN*00*S1*20260309*0800*0001', 'HL*1*9*S', 'LIN**SK*A', 'SN1**1*EA']]),
    )
    expect(faults.map(({ segment, position }) => `${segment} ${position}`)).toEqual(['HL 3', 'PRF 5'])
  })

  it('an 846 says how many pieces are free to sell', () => {
    const { inventoryAdvices, faults } = read(
      x12File('846', 'IB', [
        [
          'BIA*00*SI*R-1*20260309',
          'N1*WH*Leeds*92*W7',
          'LIN*1*SK*A',
          'QTY*33*12*EA',
          'LIN*2*SK*B',
          'QTY*17*9*EA>1',
          'QTY*20*2*EA',
          'LIN*3*SK*C',
          'QTY*63*5*EA',
          'DTM*018*20260401',
        ],
      ]),
    )
    expect(faults).toEqual([])
    expect(inventoryAdvices[0]).toMatchObject({ reference: 'R-1', date: '2026-03-09', warehouse: 'W7' })
    expect(inventoryAdvices[0]?.items.map(({ sku, available }) => `${sku} ${available}`)).toEqual([
      'A 12',
      'B 7',
      'C undefined',
    ])
    expect(inventoryAdvices[0]?.items[2]?.quantities[0]?.date).toBe('2026-04-01')
  })

  it('a 945 says what the warehouse shipped of our order, and what it did not', () => {
    const { shippingAdvices, faults } = read(
      x12File('945', 'SW', [
        [
          'W06*N*FO-1*20260309*SH-9**PO-1',
          'N9*BM*BOL-1',
          'W27*M*UPSN*Ground',
          'LX*1',
          'MAN*GM*00000000010000000016',
          'MAN*CP*1Z999',
          'W12*CC*2*2**EA**SK*A',
          'N9*LI*10',
          'LX*2',
          'W12*CP*3*1*2*EA*012345678905',
          'N9*LI*20',
          'W03*3*2.5*KG',
        ],
      ]),
    )
    expect(faults).toEqual([])
    expect(shippingAdvices).toEqual([
      {
        source: { interchange: '000000042', group: '7', control: '0001' },
        order: 'FO-1',
        purchaseOrder: 'PO-1',
        shipment: 'SH-9',
        shippedOn: '2026-03-09',
        carrier: 'UPSN',
        billOfLading: 'BOL-1',
        weight: { value: '2.5', unit: 'KG' },
        packages: [{ sscc: '000000010000000016', trackingNumber: '1Z999' }],
        lines: [
          { lineId: '10', code: 'CC', sku: 'A', numbers: { SK: 'A' }, ordered: 2, shipped: 2, package: 0 },
          { lineId: '20', code: 'CP', sku: '012345678905', numbers: { UP: '012345678905' }, ordered: 3, shipped: 1 },
        ],
      },
    ])
  })

  it('documents that lack what they have to have are refused by segment and element', () => {
    const answers = (type: string, group: string, segments: string[]) =>
      read(x12File(type, group, [segments])).acknowledgement
    expect(answers('855', 'PR', ['REF*A*B'])).toContain('AK3*BAK*2**3~')
    expect(answers('855', 'PR', ['BAK*00*AD**20260309'])).toContain('AK3*BAK*2**8~\nAK4*3*324*1~')
    expect(answers('846', 'IB', ['BIA*00*SI*R*20260309', 'LIN**SK*A', 'QTY*33*x'])).toContain('AK4*2*380*7*x~')
    expect(answers('945', 'SW', ['W06*N*FO-1', 'W12*CC*2**'])).toContain('AK3*W12*3**8~')
  })

  it('a 997 says which of our documents were refused and why', () => {
    const { receipts } = read(
      x12File('997', 'FA', [['AK1*SH*12', 'AK2*856*0001', 'AK3*HL*7**8', 'AK4*2*734*7*9', 'AK5*R*5', 'AK9*R*1*1*0']]),
    )
    expect(receipts).toMatchObject([
      {
        answers: '12',
        status: 'rejected',
        documents: [{ control: '0001', accepted: false }],
        errors: ['0001: segment HL at 7, code 8', '0001: segment HL at 7, element 2, code 7 “9”', '0001: code 5'],
      },
    ])
  })
})
