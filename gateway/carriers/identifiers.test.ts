import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bracketed, type Element, elementString, parseElementString, postalCodeElement, SEPARATOR } from './gs1-128.js'
import { isS10, makeS10, numberedS10, parseS10, S10_CAPACITY, spacedS10 } from './s10.js'
import { IdentifierError, serialOf } from './serial.js'
import { gs1CheckDigit, isSscc, makeSscc, normalSscc, numberedSscc, parseSscc, ssccCapacity } from './sscc.js'

const letters = (length: number) => fc.stringMatching(new RegExp(`^[A-Z]{${length}}$`))
const digits = (least: number, most: number) => fc.stringMatching(new RegExp(`^\\d{${least},${most}}$`))
const replaced = (text: string, index: number, character: string): string =>
  text.slice(0, index) + character + text.slice(index + 1)
const increased = (digit: string, by: number): string => String((Number(digit) + by) % 10)

describe('An S10 identifier', () => {
  const parts = fc.record({
    serviceIndicator: letters(2),
    serial: fc.integer({ min: 0, max: 99_999_999 }),
    country: letters(2),
  })

  test.each([
    ['RR473124829GB', { serviceIndicator: 'RR', serial: 47_312_482, country: 'GB' }],
    ['EE000000005SE', { serviceIndicator: 'EE', serial: 0, country: 'SE' }],
  ])('%s is made of its parts and read back into them', (text, expected) => {
    expect(makeS10(expected)).toBe(text)
    expect(parseS10(text)).toEqual(expected)
    expect(parseS10(spacedS10(text).toLowerCase())).toEqual(expected)
  })

  test('goes through text and back whatever its parts are', () => {
    fc.assert(
      fc.property(parts, (each) => {
        expect(parseS10(makeS10(each))).toEqual(each)
      }),
    )
  })

  test('with one changed digit is refused, but for the pair of remainders that the standard gives one check digit', () => {
    const weights = [8, 6, 4, 2, 3, 5, 9, 7]
    const remainder = (serial: string) => weights.reduce((sum, weight, i) => sum + weight * Number(serial[i]), 0) % 11
    fc.assert(
      fc.property(parts, fc.integer({ min: 2, max: 10 }), fc.integer({ min: 1, max: 9 }), (each, index, by) => {
        const right = makeS10(each)
        const wrong = replaced(right, index, increased(right[index]!, by))
        const remainders = [right, wrong].map((text) => remainder(text.slice(2, 10)))
        const toldApart = index === 10 || !(remainders.includes(0) && remainders.includes(6))
        expect(isS10(wrong)).toBe(!toldApart)
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    '',
    'RR47312482GB',
    'R1473124829GB',
    'RR473124829G',
    'RR473124829GBX',
    'ＲＲ473124829GB',
    'A'.repeat(1e6),
  ])('is not made of what has another form: %.20s', (text) => {
    expect(() => parseS10(text)).toThrow(IdentifierError)
    expect(isS10(text)).toBe(false)
  })

  test('says which part is out of range', () => {
    expect(() => makeS10({ serviceIndicator: 'r', serial: 1, country: 'GB' })).toThrow('service indicator')
    expect(() => makeS10({ serviceIndicator: 'RR', serial: 1, country: 'G^' })).toThrow('country code')
    expect(() => makeS10({ serviceIndicator: 'RR', serial: 1e8, country: 'GB' })).toThrow('8 digits')
    expect(() => makeS10({ serviceIndicator: 'RR', serial: 1.5, country: 'GB' })).toThrow('1.5')
  })

  test('by number differs for each number, up to the last', () => {
    expect(numberedS10('L', 0, 'GB')).toBe('LA000000005GB')
    expect(numberedS10('L', S10_CAPACITY - 1, 'GB')).toMatch(/^LZ99999999\dGB$/)
    expect(() => numberedS10('L', S10_CAPACITY, 'GB')).toThrow(IdentifierError)
    const number = fc.integer({ min: 0, max: S10_CAPACITY - 1 })
    fc.assert(
      fc.property(number, number, (a, b) => (numberedS10('L', a, 'GB') === numberedS10('L', b, 'GB')) === (a === b)),
    )
  })
})

describe('An SSCC', () => {
  const parts = digits(4, 12).chain((companyPrefix) =>
    fc.record({
      extensionDigit: fc.integer({ min: 0, max: 9 }),
      companyPrefix: fc.constant(companyPrefix),
      serial: fc.integer({ min: 0, max: 10 ** (16 - companyPrefix.length) - 1 }),
    }),
  )

  test('has the check digit of the example that GS1 gives', () => {
    expect(gs1CheckDigit('10614141234567890')).toBe(8)
    expect(makeSscc({ extensionDigit: 1, companyPrefix: '0614141', serial: 234_567_890 })).toBe('106141412345678908')
    expect(parseSscc('(00) 1 0614141 234567890 8', '0614141').serial).toBe(234_567_890)
    expect(normalSscc('00106141412345678908')).toBe('106141412345678908')
  })

  test('goes through text and back whatever its parts are', () => {
    fc.assert(
      fc.property(parts, (each) => {
        expect(parseSscc(makeSscc(each), each.companyPrefix)).toEqual(each)
      }),
    )
  })

  test('with one changed digit is refused, whichever it is', () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 0, max: 17 }), fc.integer({ min: 1, max: 9 }), (each, index, by) => {
        const right = makeSscc(each)
        expect(isSscc(right)).toBe(true)
        expect(isSscc(replaced(right, index, increased(right[index]!, by)))).toBe(false)
      }),
    )
  })

  test.each(['', '10614141234567890', '1061414123456789088', '(01)106141412345678908', '1'.repeat(1e6)])(
    'is not made of what has another form: %.24s',
    (text) => expect(() => normalSscc(text)).toThrow(IdentifierError),
  )

  test('says what is wrong with a part, and whose it is not', () => {
    expect(() => makeSscc({ extensionDigit: 10, companyPrefix: '9521234', serial: 1 })).toThrow(IdentifierError)
    expect(() => makeSscc({ extensionDigit: 1, companyPrefix: '952', serial: 1 })).toThrow('4 to 12 digits')
    expect(() => makeSscc({ extensionDigit: 1, companyPrefix: '9521234', serial: 1e9 })).toThrow('9 digits')
    expect(() => parseSscc('106141412345678908', '9521234')).toThrow('prefix 9521234')
  })

  test('by number differs for each number, up to the last', () => {
    const capacity = ssccCapacity('9521234')
    expect(numberedSscc('9521234', 0)).toMatch(/^09521234000000000\d$/)
    expect(numberedSscc('9521234', capacity - 1)).toMatch(/^99521234999999999\d$/)
    expect(() => numberedSscc('9521234', capacity)).toThrow(IdentifierError)
  })
})

test('a serial number is the same for the same key, in its range, and spread over it', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 1e12 }), (key, capacity) => {
      const serial = serialOf(key, capacity)
      expect(serial).toBe(serialOf(key, capacity))
      expect(Number.isSafeInteger(serial) && serial >= 0 && serial < capacity).toBe(true)
    }),
  )
  const tenths = new Array<number>(10).fill(0)
  for (let key = 0; key < 10_000; key++) tenths[serialOf(String(key), 10)]! += 1
  expect(Math.min(...tenths)).toBeGreaterThan(850)
  expect(Math.max(...tenths)).toBeLessThan(1_150)
})

describe('A GS1-128 element string', () => {
  const sscc: Element = { ai: '00', value: '106141412345678908' }

  test('has a separator behind a length that is not fixed, and none at its end', () => {
    expect(elementString([sscc, { ai: '420', value: 'SW1Y4LB' }])).toBe('00106141412345678908420SW1Y4LB')
    expect(elementString([{ ai: '420', value: 'SW1Y4LB' }, sscc])).toBe(`420SW1Y4LB${SEPARATOR}00106141412345678908`)
    expect(bracketed([{ ai: '420', value: '12345' }])).toBe('(420)12345')
  })

  test('is read back as what it was made of, whatever the scanner puts in front', () => {
    const text = fc.stringMatching(/^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,12}$/)
    const variable = fc.record({
      ai: fc.constantFrom('400', '401', '403', '420'),
      value: text,
    }) as fc.Arbitrary<Element> // of that AI each
    const elements = fc.array(fc.oneof(fc.constant(sscc), variable), { minLength: 1, maxLength: 2 })
    fc.assert(
      fc.property(elements, fc.constantFrom('', ']C1', SEPARATOR), (each, front) => {
        expect(parseElementString(front + elementString(each))).toEqual(each)
      }),
    )
  })

  test('never takes a separator, a space or a foreign character into a value', () => {
    for (const value of [`1${SEPARATOR}00`, 'SW1Y 4LB', 'Ä1', '^XZ', '']) {
      expect(() => elementString([{ ai: '420', value }])).toThrow(IdentifierError)
    }
  })

  test('refuses a wrong SSCC, and more than one symbol holds', () => {
    expect(() => elementString([{ ai: '00', value: '106141412345678907' }])).toThrow('check digit')
    const long: Element = { ai: '400', value: 'X'.repeat(30) }
    expect(() => elementString([long, long])).toThrow('48 characters')
    expect(() => elementString([])).toThrow('at least one')
  })

  test('is refused or read, whatever was scanned', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), digits(0, 60)), (scanned) => {
        try {
          expect(parseElementString(scanned).length).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toBeInstanceOf(IdentifierError)
        }
      }),
    )
  })

  test('has of a postal code its letters and digits', () => {
    expect(postalCodeElement('sw1y 4lb')).toEqual({ ai: '420', value: 'SW1Y4LB' })
    expect(postalCodeElement('100-0001')).toEqual({ ai: '420', value: '1000001' })
    expect(postalCodeElement(' – ')).toBeUndefined()
    expect(postalCodeElement('1'.repeat(21))).toBeUndefined()
  })
})
