import { describe, expect, it } from 'vitest'
import { ORDER_850, read, sample, samplesAreThere, x12File } from '../partner-files.contract.js'

const file = (...changes: [RegExp, string][]) =>
  x12File('850', 'PO', [
    ORDER_850.map((segment) => changes.reduce((text, [from, to]) => text.replace(from, to), segment)).filter(
      (segment) => segment !== '',
    ),
  ])

describe('an 850 purchase order', () => {
  it.skipIf(!samplesAreThere)('of the samples becomes an order with its lines, money and address', () => {
    const { orders, faults, acknowledgement } = read(sample('850.edi'))
    expect(faults).toEqual([])
    const [order] = orders
    expect(order).toMatchObject({
      externalId: '08292233294',
      lineIds: ['1', '2', '3', '4', '5', '6'],
      currency: 'USD',
      customer: { id: '0003947268292', name: 'XYZ RETAIL' },
      shipTo: { line1: '31875 SOLON RD', city: 'SOLON', region: 'OH', postalCode: '44139', country: 'US' },
    })
    const lines = order?.lines.map(({ sku, quantity, unitPrice }) => `${quantity} ${sku} ${unitPrice.amount}`)
    expect(lines).toEqual([
      '120 AB3542 9.25',
      '220 RD5322 13.79',
      '126 XY5266 10.99',
      '76 VX2332 4.35',
      '72 RV0524 7.50',
      '696 DX1875 9.55',
    ])
    expect(acknowledgement).toContain('AK1*PO*1421~\nAK2*850*000000010~\nAK5*A~\nAK9*A*1*1*1~')
  })

  it('has buyer, address, contact, dates and currency where the order needs them', () => {
    const { orders, faults } = read(file())
    expect(faults).toEqual([])
    expect(orders).toEqual([
      {
        externalId: 'PO-1001',
        lineIds: ['10', '20'],
        currency: 'GBP',
        customer: { id: '0042', name: 'Analytical Stores', email: 'ada@example.com', phone: '020 7946 0000' },
        shipTo: {
          name: 'Ada Byron',
          line1: '12 St James Square',
          line2: 'Flat 2',
          city: 'London',
          postalCode: 'SW1Y 4JH',
          country: 'GB',
        },
        lines: [
          { sku: 'TEE-RED-M', quantity: 2, unitPrice: { amount: '19.99', currency: 'GBP' } },
          { sku: 'MUG-BLUE', quantity: 1, unitPrice: { amount: '5.00', currency: 'GBP' } },
        ],
        notes: 'Ship on 2026-03-12',
      },
    ])
  })

  it('has the contact of the place that it goes to before that of the whole order', () => {
    const segments = ORDER_850.flatMap((segment) =>
      segment.startsWith('N4') ? [segment, 'PER*DC*Porter*TE*020 7946 0001'] : [segment],
    )
    const { orders } = read(x12File('850', 'PO', [segments]))
    expect(orders[0]?.customer).toMatchObject({ email: 'ada@example.com', phone: '020 7946 0001' })
  })

  it('takes the SKU from the qualifiers in the order that the settings name', () => {
    const skus = (skuQualifiers: string[]) => read(file(), { skuQualifiers }).orders[0]?.lines.map(({ sku }) => sku)
    expect(skus(['SK'])).toEqual(['TEE-RED-M', 'MUG-BLUE'])
    expect(skus(['BP', 'SK'])).toEqual(['B-77', 'MUG-BLUE'])
  })

  it('has line ids by place where PO101 is missing', () => {
    expect(read(file([/^PO1\*\d+/, 'PO1*'])).orders[0]?.lineIds).toEqual(['1', '2'])
  })

  it('counts pieces in the partner’s units and prices one piece', () => {
    const text = file([/^PO1\*10\*2\*EA\*19.99/, 'PO1*10*2*CA*24.00'], [/^AMT.*/, ''])
    expect(read(text, { units: { CA: 12 } }).orders[0]?.lines[0]).toMatchObject({
      quantity: 24,
      unitPrice: { amount: '2.00' },
    })
    const { orders, faults } = read(text)
    expect(orders).toEqual([])
    expect(faults[0]).toMatchObject({ segment: 'PO1', position: 10, element: 3, severity: 'rejected' })
    expect(faults[0]?.message).toContain('units')
  })

  it('is refused where a price for many is no exact price of one', () => {
    const text = file([/\*EA\*19.99\*PE/, '*EA*19.99*TP'], [/^AMT.*/, ''])
    expect(read(text).faults[0]?.message).toContain('no exact price of one')
  })

  it('has allowances as discounts, taxes as taxes and freight as shipping, to the penny', () => {
    const head = 'CTT'
    const text = x12File('850', 'PO', [
      [
        ...ORDER_850.filter((segment) => !segment.startsWith('CTT') && !segment.startsWith('AMT')).flatMap((segment) =>
          segment.startsWith('N1*BY')
            ? ['SAC*A*C310***400', 'SAC*C*D240***595', segment]
            : segment.startsWith('PO1*10')
              ? [segment, 'SAC*A*C310***100', 'TXI*TX*7.6']
              : [segment],
        ),
        `${head}*2`,
        'AMT*TT*53.53',
      ],
    ])
    const { orders, faults } = read(text)
    expect(faults).toEqual([])
    const [order] = orders
    expect(order?.shipping?.amount).toBe('5.95')
    expect(order?.lines[0]?.taxes).toEqual([{ name: 'TX', amount: { amount: '7.60', currency: 'GBP' } }])
    const discounts = order?.lines.map(({ discount }) => Number(discount?.amount ?? 0)) ?? []
    expect(discounts.reduce((sum, discount) => sum + discount, 0)).toBeCloseTo(5, 4)
  })

  it('tells of a total that is not what the lines come to, and takes the order', () => {
    const { orders, faults, acknowledgement } = read(file([/AMT\*TT\*44.98/, 'AMT*TT*45']))
    expect(orders).toHaveLength(1)
    expect(faults[0]).toMatchObject({ severity: 'noted', segment: 'AMT', message: 'says 45, and it comes to 44.98' })
    expect(acknowledgement).toContain('AK5*E*5~')
    expect(acknowledgement).toContain('AK9*E*1*1*1~')
  })

  it('is refused where a line is missing by its own count', () => {
    const { orders, acknowledgement } = read(file([/^CTT\*2/, 'CTT*3']))
    expect(orders).toEqual([])
    expect(acknowledgement).toContain('AK3*CTT*12**8~\nAK4*1*354*7*3~\nAK5*R*5~')
  })

  it('is told everything that is wrong with it at once, with segment, place and element', () => {
    const text = file([/PO-1001/, ''], [/\*2\*EA\*19.99/, '*none*EA*x'], [/^N3.*/, ''], [/SK\*MUG-BLUE/, 'ZZ*1'])
    const { orders, faults, acknowledgement } = read(text)
    expect(orders).toEqual([])
    const places = faults.map(({ segment, position, element }) => `${segment} ${position} ${element}`)
    expect(places).toEqual(['BEG 2 3', 'PO1 9 2', 'PO1 9 4', 'PO1 10 6', 'AMT 12 2', 'N1 7 undefined'])
    expect(acknowledgement).toContain('AK3*BEG*2**8~\nAK4*3*324*1~')
    expect(acknowledgement).toContain('AK3*PO1*9**8~\nAK4*2*330*7*none~\nAK4*4*212*7*x~')
    expect(acknowledgement).toContain('AK9*R*1*1*0~')
  })

  it('finds the address of a place that is named by its number alone', () => {
    const text = file([/^N3.*/, ''], [/^N4.*/, ''])
    const place = { line1: '1 High Street', city: 'Leeds', postalCode: 'LS1 4AP', country: 'GB' }
    expect(read(text, { places: { '0099': place } }).orders[0]?.shipTo).toEqual({ ...place, name: 'Ada Byron' })
    expect(read(text).faults[0]?.message).toContain('place 0099')
  })

  it('is a cancellation or a replacement where BEG says so, and nothing where it says something else', () => {
    expect(read(file([/BEG\*00/, 'BEG*01'])).cancellations[0]?.externalId).toBe('PO-1001')
    expect(read(file([/BEG\*00/, 'BEG*05']))).toMatchObject({ orders: [], replacements: [{ externalId: 'PO-1001' }] })
    expect(read(file([/BEG\*00/, 'BEG*22'])).faults[0]).toMatchObject({ segment: 'BEG', element: 1 })
  })

  it('refuses two lines of one number, since refunds name lines by it', () => {
    expect(read(file([/PO1\*20/, 'PO1*10'])).faults[0]?.message).toBe('line 10 is there twice')
  })

  it('says which settings are wrong', () => {
    expect(() => read(file(), { x12: { element: '~' } })).toThrow('settings')
  })
})
