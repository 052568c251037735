import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { printable } from '../../documents/printable.js'
import type { Party } from '../carrier.js'
import { SEPARATOR } from '../gs1-128.js'
import { numberedS10, S10_CAPACITY } from '../s10.js'
import { LEEDS, LONDON, PARCEL, PARIS } from '../simulated/parcels.contract.js'
import { simulatedCarrier } from '../simulated/simulated-carrier.js'
import { numberedSscc } from '../sscc.js'
import { marksOf, PAGE_HEIGHT, PAGE_WIDTH } from './layout.js'
import { linesOf, widthOfText } from './lettering.js'
import { labelsPdf } from './pdf.js'
import { picturesOf, scan, textsOf } from './scanning.contract.js'
import { LABELS_MAX, type ShippingLabel, shippingLabelOf } from './shipping-label.js'
import { escaped, labelsZpl } from './zpl.js'
import { symbolOf } from './zpl-code128.js'
import { barcodesOf, barsOf, commandsOf, drawn, textsOf as printedTextsOf } from './zpl-printer.contract.js'

const POSTAL: ShippingLabel = {
  ...{ from: LEEDS, to: LONDON, carrier: 'Simulated Post', service: 'Tracked post', weightGrams: 1_200 },
  ...{ trackingNumber: 'RR473124829GB', kind: 's10', reference: 'F-1', brand: 'Lamp & Co', routing: 'NATIONAL' },
  shipByMs: Date.parse('2026-11-25T17:00:00Z'),
}
const BY_SSCC: ShippingLabel = { ...POSTAL, trackingNumber: '106141412345678908', kind: 'sscc' }

const HOSTILE: Record<string, string> = {
  'ZPL commands': '^XZ^XA^FO0,0^GFA,1,1,1,FF^FS~JA~WC_5E_7E^FH\\^',
  'hex escapes': '_5EXZ _7EJA _1B',
  'another script': '東京都千代田区',
  'right to left': 'שלום عليكم \u202eevil\u202c',
  emoji: '👨‍👩‍👧‍👦🇬🇧❤️',
  'control characters': 'a\u0000b\u0007c\u001b[31m\u0010\u0002\u0003\u007f',
  'half a surrogate pair': 'x\ud800y\udc00z',
  'line breaks': 'a\r\nb\nc\u2028d',
  'GS1 identifiers': '(00)106141412345678908]C1\u001d420',
  'PDF operators': ') Tj ET endstream endobj [<00>] TJ \\) (( %PDF',
  'a megabyte without a space': 'W'.repeat(1_000_000),
  'a million accents': `Z${'\u0301'.repeat(1_000_000)}algo`,
  'nothing at all': '',
}
const party = (text: string, { country }: Party = LONDON): Party => ({
  ...{ name: text, line1: text, line2: text, city: text, postalCode: text, region: text, country },
})
const filled = (text: string, label: ShippingLabel): ShippingLabel => ({
  ...{ ...label, from: party(text), to: party(text), carrier: text, service: text, reference: text },
  ...{ brand: text, routing: text, return: true },
})

const scansOf = async (labels: ShippingLabel[]) => Promise.all((await picturesOf(await labelsPdf(labels))).map(scan))
const S10_SCAN = { identifier: ']C0', text: 'RR473124829GB' }
const SSCC_SCAN = { identifier: ']C1', text: '00106141412345678908' }

describe('A shipping label as PDF', () => {
  test('is read by a scanner: an S10 as Code 128', async () => {
    expect(await scansOf([POSTAL])).toEqual([[S10_SCAN]])
  })

  test('is read by a scanner: an SSCC, and above it the postal code, as GS1-128', async () => {
    expect(await scansOf([BY_SSCC])).toEqual([[{ identifier: ']C1', text: '420SW1Y4LB' }, SSCC_SCAN]])
  })

  test('has no postal code in bars where it goes abroad, or where there is none', async () => {
    expect(await scansOf([{ ...BY_SSCC, to: PARIS }])).toEqual([[SSCC_SCAN]])
    expect(await scansOf([{ ...BY_SSCC, to: { ...LONDON, postalCode: '-' } }])).toEqual([[SSCC_SCAN]])
  })

  test('is read by a scanner whatever the number is', async () => {
    const number = fc.integer({ min: 0, max: S10_CAPACITY - 1 })
    await fc.assert(
      fc.asyncProperty(number, number, async (a, b) => {
        const [post, parcel] = [numberedS10('R', a, 'GB'), numberedSscc('9521234', b)]
        const scans = await scansOf([
          { ...POSTAL, trackingNumber: post },
          { ...BY_SSCC, trackingNumber: parcel, to: PARIS },
        ])
        expect(scans.map((page) => page.map(({ text }) => text))).toEqual([[post], [`00${parcel}`]])
      }),
      { numRuns: 10 },
    )
  })

  test('shows both addresses, the service, the weight, the date, the reference and the number', async () => {
    const [page, ...more] = await textsOf(await labelsPdf([POSTAL]))
    expect(more).toEqual([])
    expect(page).toEqual([
      ...['Lamp & Co', 'Tracked post', 'Simulated Post', 'FROM', 'Warehouse North', 'Dock 7', 'LS1 4AP Leeds', 'GB'],
      ...['TO', 'Ada Byron', '12 St James Sq', 'SW1Y 4LB London', 'GB', 'WEIGHT', '1.20 kg', 'SHIP DATE', '2026-11-25'],
      ...['ROUTING', 'NATIONAL', 'REFERENCE', 'F-1', 'RR 473 124 829 GB'],
    ])
  })

  test('of a return says so', async () => {
    const [page] = await textsOf(await labelsPdf([{ ...BY_SSCC, return: true }]))
    expect(page).toContain('RETURN')
    expect(page).toContain('RETURN TO')
    expect(page).toContain('(00)106141412345678908')
  })

  test('in a batch has a page of 4 × 6 inches for each, in their order', async () => {
    const numbers = Array.from({ length: 300 }, (_, index) => numberedS10('R', index, 'GB'))
    const started = performance.now()
    const pdf = await labelsPdf(numbers.map((trackingNumber) => ({ ...POSTAL, trackingNumber })))
    console.info(`300 labels as PDF: ${Math.round(performance.now() - started)} ms, ${pdf.length} bytes`)
    const pages = await textsOf(pdf)
    expect(pages.map((page) => page.at(-1)!.replaceAll(' ', ''))).toEqual(numbers)
    expect(
      Buffer.from(pdf)
        .toString('latin1')
        .match(/\/MediaBox \[0 0 288 432\]/g),
    ).toHaveLength(300)
  })

  test('is the same bytes for the same labels, whenever it is made', async () => {
    vi.useFakeTimers({ now: new Date('2031-01-01'), toFake: ['Date'] })
    const later = await labelsPdf(structuredClone([POSTAL, BY_SSCC])).finally(() => vi.useRealTimers())
    expect(Buffer.from(await labelsPdf([POSTAL, BY_SSCC])).equals(later)).toBe(true)
  })

  test.each(Object.entries(HOSTILE))('is read by a scanner with %s in every text', async (_, text) => {
    const [postal, parcel] = await scansOf([filled(text, POSTAL), filled(text, { ...BY_SSCC, from: LEEDS })])
    expect(postal).toEqual([S10_SCAN])
    expect(parcel!.at(-1)).toEqual(SSCC_SCAN)
  })
})

describe('A shipping label as ZPL', () => {
  test('shows the texts of the PDF', async () => {
    for (const label of [POSTAL, { ...BY_SSCC, return: true as const }]) {
      const [page] = await textsOf(await labelsPdf([label]))
      expect(printedTextsOf(commandsOf(await labelsZpl([label])))).toEqual(page)
    }
  })

  test('has the barcodes of the PDF', async () => {
    const [postal, parcel] = await scansOf([POSTAL, BY_SSCC])
    const symbols = barcodesOf(commandsOf(await labelsZpl([POSTAL, BY_SSCC])))
    const scans = await Promise.all(symbols.map((invocation) => scan(drawn(barsOf(invocation)))))
    expect(scans.flat()).toEqual([...postal!, ...parcel!])
  })

  test('has each barcode within the label, quiet zones and all', async () => {
    const commands = commandsOf(
      await labelsZpl([POSTAL, BY_SSCC, { ...BY_SSCC, to: { ...LONDON, postalCode: 'A'.repeat(20) } }]),
    )
    const barcodes = commands.flatMap(({ name }, index) => (name === '^BC' ? [index] : []))
    expect(barcodes).toHaveLength(5)
    for (const index of barcodes) {
      const [x] = commands[index - 2]!.parameters.split(',').map(Number)
      const [module] = commands[index - 1]!.parameters.split(',').map(Number)
      const width = barsOf(commands[index + 1]!.parameters).reduce((sum, bar) => sum + bar, 0) * module!
      expect(x!).toBeGreaterThanOrEqual(10 * module!)
      expect(x! + width + 10 * module!).toBeLessThanOrEqual(812)
    }
  })

  test('is one format for each label', async () => {
    const names = commandsOf(await labelsZpl([POSTAL, BY_SSCC])).map(({ name }) => name)
    expect(names.filter((name) => name === '^XA' || name === '^XZ')).toEqual(['^XA', '^XZ', '^XA', '^XZ'])
  })

  test.each(Object.entries(HOSTILE))('has no command that is not its own with %s in every text', async (_, text) => {
    const allowed = [
      '^XA',
      '^CI',
      '^PW',
      '^LL',
      '^LH',
      '^FO',
      '^A',
      '^FH',
      '^FD',
      '^FS',
      '^GB',
      '^BY',
      '^BC',
      '^PQ',
      '^XZ',
    ]
    for (const label of [POSTAL, BY_SSCC]) {
      const zpl = await labelsZpl([filled(text, label)])
      const names = commandsOf(zpl).map(({ name }) => name)
      expect(names.filter((name) => !allowed.includes(name))).toEqual([])
      expect(names.filter((name) => name === '^XA' || name === '^XZ')).toEqual(['^XA', '^XZ'])
      expect(names.filter((name) => name === '^FD')).toHaveLength(names.filter((name) => name === '^FO').length - 3)
      expect(zpl).toMatch(/^[\n\x20-\x7e]*$/)
    }
  })

  test('keeps any text as the text that it is', () => {
    const sign = fc.oneof(fc.constantFrom('^', '~', '_', '>', '\n'), fc.string({ unit: 'binary', maxLength: 2 }))
    fc.assert(
      fc.property(fc.string({ unit: sign }), (text) => {
        const data = escaped(text)
        expect(data).toMatch(/^(?:[0-9A-Za-z .-]|_[0-9A-F]{2})*$/)
        const command = { name: '^FH', parameters: '_' }
        expect(printedTextsOf([command, { name: '^FD', parameters: data }])).toEqual([Buffer.from(text).toString()])
      }),
    )
  })

  test('says Code 128 so that a scanner reads the data, and as wide as it is said to be', async () => {
    const value = fc.stringMatching(/^(?:[!-~]|\d{1,6}){1,4}$/)
    const data = fc.array(value, { minLength: 1, maxLength: 3 }).map((values) => `420${values.join(SEPARATOR)}`)
    await fc.assert(
      fc.asyncProperty(data, async (text) => {
        const { invocation, modules } = symbolOf(text, true)
        const bars = barsOf(invocation)
        expect(bars.reduce((sum, width) => sum + width, 0)).toBe(modules)
        expect(invocation).not.toMatch(/[\^~]/)
        const [read] = await scan(drawn(bars))
        expect(read).toEqual({ identifier: ']C1', text })
      }),
      { numRuns: 60 },
    )
  })
})

describe('A label', () => {
  test('that was bought is printed with what it was bought for', async () => {
    const label = await simulatedCarrier().buy({ ...PARCEL, service: 'express', reference: 'R-7', return: true }, 'R-7')
    const printed = shippingLabelOf(label, 'Lamp & Co')
    expect(printed).toMatchObject({ carrier: 'Simulated Post', service: 'Express', kind: 'sscc', reference: 'R-7' })
    expect(structuredClone(printed)).toEqual(printed)
    const [page] = await scansOf([printed])
    expect(page!.at(-1)!.text).toBe(`00${label.trackingNumber}`)
  })

  test.each<[string, Partial<ShippingLabel>]>([
    ['a wrong check digit', { trackingNumber: 'RR473124828GB' }],
    ['a number of another kind', { kind: 'sscc' }],
    ['a number with spaces', { trackingNumber: 'RR 473 124 829 GB' }],
    ['no weight', { weightGrams: 0 }],
    ['no ship date', { shipByMs: Number.NaN }],
  ])('with %s is not printed, nor what is in its batch', async (_, change) => {
    const wrong = { ...POSTAL, ...change }
    await expect(labelsPdf([POSTAL, wrong])).rejects.toMatchObject({ code: expect.stringMatching(/^bad_/) })
    await expect(labelsZpl([POSTAL, wrong])).rejects.toMatchObject({ code: expect.stringMatching(/^bad_/) })
  })

  test('batch of nothing, or of more than the limit, is refused', async () => {
    await expect(labelsPdf([])).rejects.toThrow('not 0')
    const many = new Array<ShippingLabel>(LABELS_MAX + 1).fill(POSTAL)
    await expect(labelsZpl(many)).rejects.toThrow(`not ${LABELS_MAX + 1}`)
  })

  test('has nothing beyond its edges, and addresses that end above the next rule, whatever the texts', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.lorem({ maxCount: 40 }),
      fc.constantFrom(...Object.values(HOSTILE)),
    )
    fc.assert(
      fc.property(text, fc.constantFrom(POSTAL, BY_SSCC), (each, label) => {
        for (const mark of marksOf(filled(each, label))) {
          if (mark.type !== 'text') continue
          expect(mark.x).toBeGreaterThanOrEqual(0)
          expect(mark.x + widthOfText(mark.text) * mark.size).toBeLessThanOrEqual(PAGE_WIDTH - 11)
          expect(mark.y + mark.size).toBeLessThanOrEqual(PAGE_HEIGHT)
          const rule = [94, 206, 234].find((y) => y >= mark.y)
          if (rule !== undefined) expect(mark.y + mark.size).toBeLessThanOrEqual(rule)
        }
      }),
    )
  })

  test('keeps every word that there is room for, in its order', () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 20 }), fc.integer({ min: 12, max: 40 }), (text, width) => {
        const lines = linesOf(text, width, 100)
        expect(lines.join(' ')).toBe(printable(text))
        expect(Math.max(...lines.map(widthOfText))).toBeLessThanOrEqual(width)
        const [first] = linesOf(text, width, 1)
        if (lines.length > 1) expect(first).toMatch(/…$/)
      }),
    )
  })
})
