import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UnreadablePayload } from '../../channel.js'
import { FILE_CHARS_MAX } from '../limits.js'
import { ORDER_850, read, USUAL, x12File } from '../partner-files.contract.js'

const ORDER = x12File('850', 'PO', [ORDER_850])
const numbered = (control: string, number: string) =>
  x12File('850', 'PO', [ORDER_850.map((segment) => segment.replace('PO-1001', number))], USUAL, control)

describe('a file of X12 interchanges', () => {
  it('gives the same order with any separators, with line breaks or without', () => {
    const plain = read(ORDER).orders
    expect(plain).toHaveLength(1)
    const signs = fc.constantFrom(...'|^~!"#$%&\'()+,;<=>?@[\\]_`{}\x1c\x1d\x1e\x1f')
    const separators = fc.uniqueArray(signs, { minLength: 3, maxLength: 3 })
    const breaks = fc.constantFrom('', '\n', '\r\n', '\n\n', '  \r\n')
    fc.assert(
      fc.property(separators, breaks, ([element, component, terminator], lineBreak) => {
        if (!element || !component || !terminator) throw new Error('three separators')
        const text = x12File('850', 'PO', [ORDER_850], { element, component, terminator, lineBreak })
        // The order's own texts hold some of the signs; those would be separators for a sender who does not know.
        fc.pre(!/[@\s.-]/.test(element + component + terminator))
        expect(read(text).orders).toEqual(plain)
      }),
    )
  })

  it.each(['\n', '\r', '\r\n'])('may end its segments with the line break %j itself', (lineBreak) => {
    const [first = '', rest = ''] = [lineBreak.charAt(0), lineBreak.slice(1)]
    const text = x12File('850', 'PO', [ORDER_850], { ...USUAL, terminator: first, lineBreak: rest })
    expect(read(text).orders).toEqual(read(ORDER).orders)
  })

  it('may hold several, each with its own separators, groups and documents', () => {
    const second = x12File(
      '850',
      'PO',
      [
        ORDER_850.map((segment) => segment.replace('PO-1001', 'PO-1')),
        ORDER_850.map((segment) => segment.replace('PO-1001', 'PO-2')),
      ],
      { element: '|', component: ':', terminator: '!', lineBreak: '' },
      '000000043',
    )
    const { orders, interchanges, faults, acknowledgement } = read(ORDER + second)
    expect(faults).toEqual([])
    expect(orders.map(({ externalId }) => externalId)).toEqual(['PO-1001', 'PO-1', 'PO-2'])
    expect(interchanges.map(({ control, taken }) => `${control} ${taken}`)).toEqual([
      '000000042 true',
      '000000043 true',
    ])
    expect(acknowledgement.match(/AK9\*A/g)).toHaveLength(2)
    expect(acknowledgement).toContain('GE*2*77~')
  })

  it.each([
    ['a header that is too short', (text: string) => text.replace('DOORBUSTER     ', 'DOORBUSTER'), ''],
    ['no IEA', (text: string) => text.replace(/IEA.*\n/, ''), '023'],
    ['an end in the middle of a segment', (text: string) => text.slice(0, text.indexOf('PO1*20') + 8), '023'],
    ['another control number at its end', (text: string) => text.replace('IEA*1*000000042', 'IEA*1*000000041'), '001'],
    ['another count of groups', (text: string) => text.replace('IEA*1', 'IEA*2'), '021'],
    ['a segment outside of any document', (text: string) => text.replace('GE*1', 'N1*ST*X~\nGE*1'), '024'],
  ])('with %s is refused by its control number, and those beside it are read', (_, damage, code) => {
    const file = read(numbered('000000041', 'PO-1') + damage(ORDER) + numbered('000000043', 'PO-3'))
    expect(file.orders.map(({ externalId }) => externalId)).toEqual(['PO-1', 'PO-3'])
    expect(file.faults.length).toBeGreaterThan(0)
    expect(
      file.faults.every(({ interchange, severity }) => interchange === '000000042' && severity === 'rejected'),
    ).toBe(true)
    expect(file.interchanges.map(({ taken }) => taken)).toEqual([true, false, true])
    expect(file.acknowledgement).toContain(`TA1*000000042*${code === '' ? '**R*022' : `260309*0800*R*${code}`}~`)
  })

  it.each([
    ['SE01', /SE\*14/, 'SE*15', '4'],
    ['SE02', /SE\*14\*0001/, 'SE*14*0002', '3'],
    ['ST02', /ST\*850\*0001/, 'ST*850*', '7*3~'],
  ])('refuses a document whose %s does not fit, and says so in its 997', (_, from, to, code) => {
    const file = read(ORDER.replace(from, to))
    expect(file.orders).toEqual([])
    expect(file.faults[0]?.document).toBe('850')
    expect(file.acknowledgement).toContain(`AK5*R*${code}`)
    expect(file.acknowledgement).toContain('AK9*R*1*1*0~')
  })

  it('refuses a document without SE and takes the one behind it', () => {
    const two = x12File('850', 'PO', [ORDER_850, ORDER_850.map((segment) => segment.replace('PO-1001', 'PO-2'))])
    const file = read(two.replace('SE*14*0001~\n', ''))
    expect(file.orders.map(({ externalId }) => externalId)).toEqual(['PO-2'])
    expect(file.acknowledgement).toContain('AK2*850*0001~\nAK5*R*2~\nAK2*850*0002~\nAK5*A~\nAK9*P*2*2*1~')
  })

  it.each([
    ['count', /GE\*1\*7/, 'GE*2*7', 'AK9*R*2*1*0*5~'],
    ['control number', /GE\*1\*7/, 'GE*1*8', 'AK9*R*1*1*0*4~'],
    ['end', /GE\*1\*7~\n/, '', 'AK9*R*1*1*0*3~'],
  ])('refuses a group whose %s does not fit', (_, from, to, answer) => {
    const file = read(ORDER.replace(from, to))
    expect(file.orders).toEqual([])
    expect(file.acknowledgement).toContain(answer)
  })

  it('may have lost the terminator of its last segment', () => {
    expect(read(ORDER.trimEnd().slice(0, -1)).orders).toHaveLength(1)
  })

  it('is not fooled by a text that looks like a header with other separators', () => {
    const header = x12File('850', 'PO', [], { element: '|', component: ':', terminator: '!', lineBreak: '' }).slice(
      0,
      106,
    )
    const file = read(ORDER.replace('Analytical Stores', header))
    expect(file.interchanges).toHaveLength(1)
    expect(file.orders[0]?.customer.name).toBe(header.replaceAll(/\s+$/g, ''))
  })

  it('is refused where it is from or for somebody else, and a test where the connection is live', () => {
    const settings = { ours: { id: 'DOORBUSTER' }, theirs: { qualifier: '12', id: '5551234567' } }
    expect(read(ORDER, settings).orders).toHaveLength(1)
    const refused = (text: string) => {
      const file = read(text, settings)
      expect(file.orders).toEqual([])
      return /TA1.*/.exec(file.acknowledgement)?.[0]
    }
    expect(refused(ORDER.replace('*12*5551234567 ', '*12*5551234568 '))).toContain('R*006')
    expect(refused(ORDER.replace('*ZZ*DOORBUSTER ', '*ZZ*SOMEBODYEL '))).toContain('R*008')
    expect(refused(ORDER.replace('*0*P*', '*0*T*'))).toContain('R*020')
  })

  it('has a document of a type that is not taken refused by its type', () => {
    const file = read(x12File('204', 'SM', [['B2**SCAC']]))
    expect(file.acknowledgement).toContain('AK5*R*1~')
    expect(file.faults[0]?.message).toContain('204')
  })

  it('never answers an answer', () => {
    const file = read(x12File('997', 'FA', [['AK1*PR*12', 'AK2*855*0001', 'AK5*A', 'AK9*A*1*1*1']]))
    expect(file.acknowledgement).toBe('')
    expect(file.receipts).toMatchObject([
      { answers: '12', status: 'accepted', documents: [{ control: '0001', accepted: true }] },
    ])
  })

  it('is refused as a whole where it is none, too large, or has nothing that can be read', () => {
    expect(() => read('')).toThrow(UnreadablePayload)
    expect(() => read('{"order": 1}')).toThrow('ISA')
    expect(() => read('ISA*'.repeat(FILE_CHARS_MAX / 4 + 1))).toThrow('send it in parts')
  })

  it('that is cut anywhere gives a fault and no order, never an exception of another kind', () => {
    fc.assert(
      fc.property(fc.nat(ORDER.length - 4), (length) => {
        const cut = ORDER.slice(0, length)
        try {
          const { orders, faults } = read(cut)
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
    const damage = fc.tuple(fc.nat(ORDER.length), fc.nat(30), fc.string({ maxLength: 8, unit: 'binary' }))
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 5 }), (damages) => {
        const text = damages.reduce(
          (rest, [at, length, put]) => rest.slice(0, at) + put + rest.slice(at + length),
          ORDER,
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

  it('of eight million characters that are all headers, terminators or separators is done within seconds', () => {
    for (const text of ['ISA*00*', `${ORDER.slice(0, 106)}`, '~\n*']) {
      const long = (ORDER + text.repeat(Math.floor((FILE_CHARS_MAX - ORDER.length) / text.length))).slice(
        0,
        FILE_CHARS_MAX,
      )
      expect(read(long).faults.length).toBeLessThanOrEqual(1_000)
    }
  }, 60_000)
})
