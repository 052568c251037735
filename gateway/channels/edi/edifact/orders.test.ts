import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UnreadablePayload } from '../../channel.js'
import { FILE_CHARS_MAX } from '../limits.js'
import { edifactFile, ORDERS, read, STANDARD } from '../partner-files.contract.js'

const FILE = edifactFile('ORDERS:D:96A:UN:EAN008', ORDERS)
const changed = (from: RegExp | string, to: string) =>
  edifactFile(
    'ORDERS:D:96A:UN',
    ORDERS.map((segment) => segment.replace(from, to)).filter((segment) => segment !== ''),
  )

describe('an EDIFACT file of ORDERS', () => {
  it.each(['ORDERS:D:96A:UN:EAN008', 'ORDERS:D:01B:UN:EAN010'])('as %s becomes an order', (identifier) => {
    const { orders, faults, acknowledgement } = read(edifactFile(identifier, ORDERS))
    expect(faults).toEqual([])
    expect(orders).toEqual([
      {
        externalId: 'PO-2002',
        lineIds: ['1', '2'],
        currency: 'EUR',
        customer: {
          id: '5412345000013',
          name: 'Analytical Stores',
          email: 'ada@example.com',
          phone: '+44 20 7946 0000',
        },
        shipTo: {
          name: 'Ada Byron',
          line1: "12 St James's Square",
          line2: 'Flat 2',
          city: 'London',
          postalCode: 'SW1Y 4JH',
          country: 'GB',
        },
        lines: [
          {
            sku: 'TEE-RED-M',
            quantity: 3,
            unitPrice: { amount: '12.50', currency: 'EUR' },
            taxes: [{ name: 'VAT', amount: { amount: '7.50', currency: 'EUR' } }],
          },
          { sku: '4012345678918', quantity: 1, unitPrice: { amount: '8.00', currency: 'EUR' } },
        ],
        shipping: { amount: '4.95', currency: 'EUR' },
        notes: 'Deliver on 2026-03-16\nRing twice',
      },
    ])
    expect(acknowledgement).toContain('UCI+REF42+5412345000013:14+DOORBUSTER:ZZ+7')
    expect(acknowledgement).toContain(`UCM+1+${identifier}+7'`)
  })

  it('gives the same order with any separators that UNA names, with a release character or without', () => {
    const plain = read(FILE).orders
    const signs = fc.constantFrom(...'!"#$%&()*;<=>@[\\]^_`{|}~:+?\x1c\x1d\x1e\x1f')
    fc.assert(
      fc.property(
        fc.uniqueArray(signs, { minLength: 4, maxLength: 4 }),
        fc.constantFrom('.', ','),
        (chosen, decimal) => {
          const [component = '', element = '', release = '', terminator = ''] = chosen
          const text = edifactFile('ORDERS:D:96A:UN:EAN008', ORDERS, {
            component,
            element,
            decimal,
            release,
            terminator,
          })
          expect(read(text).orders).toEqual(plain)
        },
      ),
      { numRuns: 200 },
    )
    const free = { component: '\x1f', element: '\x1d', decimal: '.', release: '', terminator: '\x1c' }
    expect(read(edifactFile('ORDERS:D:96A:UN', ORDERS, free)).orders).toEqual(plain)
  })

  it('may hold several interchanges with their own separators, and several messages in groups or without', () => {
    const other = { component: '|', element: '*', decimal: ',', release: '\\', terminator: '~' }
    const second = edifactFile(
      'ORDERS:D:01B:UN',
      ORDERS.map((segment) => segment.replace('PO-2002', 'PO-2')),
      other,
      'REF43',
    )
    const message = (number: number) =>
      `UNH+${number}+ORDERS:D:96A:UN'${ORDERS.map((segment) => segment.replace('PO-2002', `PO-3${number}`)).join("'")}'UNT+${ORDERS.length + 2}+${number}'`
    const third = `UNB+UNOA:3+5412345000013:14+DOORBUSTER:ZZ+260309:0800+REF44'UNG+ORDERS+A+B+260309:0800+5+UN+D:96A'${message(1)}${message(2)}UNE+2+5'UNZ+1+REF44'`
    const { orders, faults, acknowledgement } = read(`${FILE}\r\n${second}\n${third}`)
    expect(faults).toEqual([])
    expect(orders.map(({ externalId }) => externalId)).toEqual(['PO-2002', 'PO-2', 'PO-31', 'PO-32'])
    expect(acknowledgement.match(/UCI/g)).toHaveLength(3)
    expect(acknowledgement).toContain("UNZ+3+77'")
  })

  it.each([
    ['no UNZ', (text: string) => text.replace(/UNZ.*/, ''), '13'],
    ['an end in the middle of a segment', (text: string) => text.slice(0, text.indexOf('QTY') + 6), '13'],
    ['another reference at its end', (text: string) => text.replace('UNZ+1+REF42', 'UNZ+1+REF41'), '28'],
    ['another count', (text: string) => text.replace('UNZ+1', 'UNZ+2'), '29'],
    ['a level that is not read', (text: string) => text.replace('UNOC:3', 'UNOE:3'), '2'],
  ])('with %s is refused by its reference, and those beside it are read', (_, damage, code) => {
    const numbered = (reference: string) =>
      edifactFile(
        'ORDERS:D:96A:UN',
        ORDERS.map((segment) => segment.replace('PO-2002', reference)),
        STANDARD,
        reference,
      )
    const file = read(numbered('PO-1') + damage(FILE) + numbered('PO-3'))
    expect(file.orders.map(({ externalId }) => externalId)).toEqual(['PO-1', 'PO-3'])
    expect(file.faults.every(({ interchange }) => interchange === 'REF42')).toBe(true)
    expect(file.acknowledgement).toContain(`UCI+REF42+5412345000013:14+DOORBUSTER:ZZ+4+${code}'`)
  })

  it.each([
    ['count', /UNT\+\d+/, 'UNT+3', '29'],
    ['reference', /UNT\+(\d+)\+1/, 'UNT+$1+2', '28'],
    ['type', /ORDERS:D/, 'QUOTES:D', '12'],
  ])('refuses a message whose %s does not fit', (_, from, to, code) => {
    const file = read(FILE.replace(from, to))
    expect(file.orders).toEqual([])
    expect(file.faults[0]?.severity).toBe('rejected')
    expect(file.acknowledgement).toContain(`EAN008+4+${code}'`)
  })

  it('is told everything that is wrong with an order at once, by segment and element', () => {
    const { orders, faults, acknowledgement } = read(changed(/QTY\+21:3:PCE|PRI\+AAA:8/, 'XXX+1'))
    expect(orders).toEqual([])
    expect(faults.map(({ segment, position }) => `${segment} ${position}`)).toContain('LIN 14')
    expect(faults.map(({ message }) => message)).toContain('the line has no price')
    expect(acknowledgement).toContain("UCS+14'\nUCD+13+3'")
  })

  it('may have lost the terminator of its last segment', () => {
    expect(read(FILE.slice(0, -1)).orders).toHaveLength(1)
  })

  it('tells of a segment that can’t be read', () => {
    const { faults, acknowledgement } = read(changed('Ring twice', 'Ring\u0007twice'))
    expect(faults[0]).toMatchObject({ segment: 'FTX', position: 5 })
    expect(acknowledgement).toContain("UCS+5+21'")
  })

  it('is a cancellation where BGM says so, and refused where it only opens a blanket order', () => {
    expect(read(changed('PO-2002+9', 'PO-2002+1')).cancellations[0]?.externalId).toBe('PO-2002')
    expect(read(changed('BGM+220', 'BGM+221')).faults[0]).toMatchObject({ segment: 'BGM', element: 1 })
  })

  it('does not begin an interchange where a text only looks like one', () => {
    const { interchanges, orders } = read(changed('Ring twice', "x?'UNB?+UNOC?:3?+A?+B?'"))
    expect(interchanges).toHaveLength(1)
    expect(orders[0]?.notes).toContain("x'UNB+UNOC:3+A+B'")
  })

  it('is refused where it is from or for somebody else, and a test where the connection is live', () => {
    const refused = (text: string, settings: Record<string, unknown>) => {
      const file = read(text, settings)
      expect(file.orders).toEqual([])
      return file.acknowledgement
    }
    expect(refused(FILE, { theirs: { qualifier: '14', id: '999' } })).toContain('+4+23')
    expect(refused(FILE, { ours: { qualifier: 'ZZ', id: 'OTHER' } })).toContain('+4+7')
    expect(refused(FILE.replace('+REF42', '+REF42++++++1'), {})).toContain('+4+25')
  })

  it('a CONTRL says what a partner’s system thinks of what we sent, and is not answered', () => {
    const text = edifactFile('CONTRL:D:3:UN', ['UCI+77+A:ZZ+B:ZZ+7', 'UCM+1+DESADV:D:96A:UN+4+12', 'UCS+4+13'])
    expect(read(text)).toMatchObject({
      acknowledgement: '',
      receipts: [
        {
          answers: '77',
          status: 'rejected',
          documents: [{ control: '1', accepted: false }],
          errors: ['1: code 12', '1: segment 4, code 13'],
        },
      ],
    })
  })

  it('that is cut anywhere gives a fault and no order, never an exception of another kind', () => {
    fc.assert(
      fc.property(fc.nat(FILE.length - 2), (length) => {
        try {
          const { orders, faults } = read(FILE.slice(0, length))
          expect(orders).toEqual([])
          expect(faults.length).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadablePayload)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('that is damaged at random is read or refused, never hung upon', () => {
    const damage = fc.tuple(fc.nat(FILE.length), fc.nat(30), fc.string({ maxLength: 8, unit: 'binary' }))
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 5 }), (damages) => {
        const text = damages.reduce(
          (rest, [at, length, put]) => rest.slice(0, at) + put + rest.slice(at + length),
          FILE,
        )
        try {
          expect(read(text).orders.length).toBeLessThanOrEqual(1)
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadablePayload)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('of eight million characters of nothing but service characters is done within seconds', () => {
    for (const text of ["?'", 'UNB+UNOA:', "A'", "UNA:+.? 'UNB"]) {
      const long = (FILE.slice(0, -12) + text.repeat(FILE_CHARS_MAX / text.length)).slice(0, FILE_CHARS_MAX)
      expect(read(long).faults.length).toBeLessThanOrEqual(1_000)
    }
  }, 60_000)
})
