import { describe, expect, test, vi } from 'vitest'
import { type PackingSlip, packingSlip } from './packing-slip.js'
import { contentsOf, pagesOf } from './pdf-text.contract.js'
import { type PickList, pickList } from './pick-list.js'

/** Without the spaces that wrapping moves about. */
const solid = (text: string): string => text.replace(/\s/g, '')

const SLIP: PackingSlip = {
  order: 'O-1001',
  externalId: '#4711',
  fulfillment: 'F-1',
  placedAt: '2026-11-27T08:00:00.000Z',
  shipFrom: {
    name: 'Warehouse North',
    address: { line1: 'Dock 7', city: 'Leeds', postalCode: 'LS1 4AP', country: 'GB' },
  },
  shipTo: { name: 'Ada Byron', line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
  service: 'Next day',
  carrier: 'Hermes',
  trackingNumber: 'TRK-99',
  lines: [
    { sku: 'LAMP-RED', name: 'Red lamp', quantity: 37, ordered: 41, gift: true, note: 'Wrap in blue' },
    { sku: 'BULB-E27', name: 'Bulb', quantity: 2, ordered: 2 },
  ],
  giftMessage: 'Happy birthday!',
  notes: 'Leave with the neighbour',
  rest: [{ sku: 'LAMP-RED', name: 'Red lamp', quantity: 4 }],
}

const LIST: PickList = {
  id: 'PL-5',
  location: 'Warehouse North',
  createdAt: '2026-11-27T09:30:00.000Z',
  zones: [
    {
      zone: 'Cold',
      lines: [
        {
          sku: 'ICE-1',
          name: 'Ice cream',
          quantity: 53,
          bin: 'C-04',
          fulfillments: [
            { fulfillment: 'F-1', quantity: 50 },
            { fulfillment: 'F-2', quantity: 3 },
          ],
        },
      ],
    },
    {
      zone: 'Dry',
      lines: [{ sku: 'RICE', name: 'Rice', quantity: 8, fulfillments: [{ fulfillment: 'F-2', quantity: 8 }] }],
    },
  ],
}

const many = <T>(count: number, one: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => one(i))

const HOSTILE: Record<string, string> = {
  'another script': '東京都千代田区',
  'right to left': 'שלום عليكم',
  'direction marks': '\u202eevil\u202c \u200f',
  emoji: '👨‍👩‍👧‍👦🇬🇧❤️',
  'control characters': 'a\u0000b\u0007c\u001b[31m\u007f\u0085\u009f',
  'half a surrogate pair': 'x\ud800y\udc00z',
  'stacked accents': `Z${'\u0301'.repeat(5_000)}algo`,
  'PDF operators': ') Tj ET endstream endobj [<00>] TJ \\) (( %PDF',
  'a word of 20,000 letters': 'W'.repeat(20_000),
  '100,000 spaces': ' '.repeat(100_000),
  '5,000 line breaks': '\n'.repeat(5_000),
  'nothing at all': '',
  'an object property': '__proto__ constructor',
}

describe('A packing slip', () => {
  test('shows the order, both addresses, the shipment, every line and the messages', async () => {
    const [page, ...more] = pagesOf(await packingSlip(SLIP))
    expect(more).toEqual([])
    for (const text of [
      ...['Packing slip F-1', '#4711', 'O-1001', 'Placed 2026-11-27 08:00 UTC', 'Fulfillment F-1'],
      ...['Ship to', 'Ada Byron', '12 St James Sq', 'SW1Y 4LB London', 'Ship from', 'Warehouse North', 'LS1 4AP Leeds'],
      ...['Hermes, Next day', 'TRK-99', 'Units 39', 'Happy birthday!', 'Leave with the neighbour'],
      ...['LAMP-RED', 'Red lamp', 'Gift', 'Wrap in blue', '37', '41', 'BULB-E27', '2', '1 / 1'],
    ]) {
      expect(page).toContain(text)
    }
  })

  test('lists what is not in this parcel apart from what is', async () => {
    const [page] = pagesOf(await packingSlip(SLIP))
    const apart = page!.slice(page!.indexOf('In other parcels or later'))
    expect(apart.slice(4, 7)).toEqual(['LAMP-RED', 'Red lamp', '4'])
    const [whole] = pagesOf(await packingSlip({ ...SLIP, rest: [] }))
    expect(whole).not.toContain('In other parcels or later')
  })

  test('leaves out what the order does not have', async () => {
    const { externalId, carrier, trackingNumber, giftMessage, notes, ...bare } = SLIP
    const [page] = pagesOf(await packingSlip(bare))
    expect(page).toContain('Next day')
    expect(page).not.toContain('Gift message')
    expect(page).not.toContain('Notes')
    expect(page!.join()).not.toContain('undefined')
  })

  test('of 1,000 lines repeats the head and numbers each page, and loses no line', async () => {
    const lines = many(1_000, (i) => ({ sku: `SKU-${i}`, name: `Thing ${i}`, quantity: 1 + (i % 7), ordered: 9 }))
    const started = performance.now()
    const pdf = await packingSlip({ ...SLIP, lines })
    console.info(`packing slip of 1,000 lines: ${Math.round(performance.now() - started)} ms, ${pdf.length} bytes`)
    const pages = pagesOf(pdf)
    expect(pages.length).toBeGreaterThan(20)
    expect(pdf.toString('latin1')).toContain(`/Count ${pages.length}`)
    for (const [index, page] of pages.entries()) {
      expect(page).toContain(`${index + 1} / ${pages.length}`)
      expect(page.filter((text) => text === 'SKU').length).toBeGreaterThanOrEqual(1)
    }
    const drawn = pages.flat()
    const rows = lines.map(({ sku }) => drawn.slice(drawn.indexOf(sku), drawn.indexOf(sku) + 4))
    expect(rows).toEqual(lines.map(({ sku, name, quantity }) => [sku, name, String(quantity), '9']))
  })

  test('wraps long texts, over pages where it must, and drops nothing of them', async () => {
    const words = many(2_000, (i) => `word${i}`).join(' ')
    const name = many(60, (i) => `part${i}`).join(' ')
    const [line] = SLIP.lines
    const pdf = await packingSlip({ ...SLIP, notes: words, lines: [{ ...line!, name, note: words }] })
    const pages = pagesOf(pdf)
    expect(pages.length).toBeGreaterThan(2)
    expect(pages.every((page) => page.includes('Notes') || page.includes('SKU'))).toBe(true)
    const withoutRunningText = pages
      .flat()
      .filter((text) => /^(word|part)\d/.test(text))
      .join('')
    expect(solid(withoutRunningText)).toBe(solid(words + name + words))
  })

  test('breaks a word that is wider than its column', async () => {
    const sku = 'X'.repeat(300)
    const pdf = await packingSlip({ ...SLIP, lines: [{ sku, name: 'Long', quantity: 1, ordered: 1 }] })
    const pieces = pagesOf(pdf)
      .flat()
      .filter((text) => /^X+$/.test(text))
    expect(pieces.length).toBeGreaterThan(10)
    expect(pieces.join('')).toBe(sku)
  })

  test('is the same bytes for the same slip, whenever it is made', async () => {
    const made = async (today: string) => {
      vi.useFakeTimers({ now: new Date(today), toFake: ['Date'] })
      return packingSlip(structuredClone(SLIP)).finally(() => vi.useRealTimers())
    }
    const first = await made('2026-12-01')
    expect((await made('2027-06-15')).equals(first)).toBe(true)
    expect(first.toString('latin1')).toContain('D:20261127080000Z')
  })

  test('refuses a time that is none', () => {
    expect(() => packingSlip({ ...SLIP, placedAt: 'yesterday' })).toThrow('ISO 8601')
  })

  test.each(Object.entries(HOSTILE))('survives %s in every field', async (_, text) => {
    const address = { line1: text, line2: text, city: text, postalCode: text, region: text, country: text }
    const pdf = await packingSlip({
      ...{ order: text, externalId: text, fulfillment: text.slice(0, 3_000), placedAt: SLIP.placedAt, service: text },
      ...{ shipFrom: { name: text, address }, shipTo: { name: text, ...address }, carrier: text, trackingNumber: text },
      lines: [{ sku: text, name: text, quantity: 1, ordered: 1, note: text }],
      ...{ giftMessage: text, notes: text, rest: [{ sku: text, name: text, quantity: 1 }] },
    })
    const pages = pagesOf(pdf)
    expect(pages.at(-1)).toContain(`${pages.length} / ${pages.length}`)
  })

  test('keeps PDF operators in a name as text', async () => {
    const name = HOSTILE['PDF operators']!
    const [page] = pagesOf(await packingSlip({ ...SLIP, lines: [{ sku: 'S', name, quantity: 1, ordered: 1 }] }))
    expect(page!.join(' ')).toContain(name)
  })
})

describe('A pick list', () => {
  test('has a section for each zone, with bin, SKU, name, total and the fulfillments', async () => {
    const [page, ...more] = pagesOf(await pickList(LIST))
    expect(more).toEqual([])
    for (const text of ['Pick list PL-5', 'Warehouse North', '2026-11-27 09:30 UTC', '2 lines, 61 units', '1 / 1']) {
      expect(page).toContain(text)
    }
    const cold = page!.slice(page!.indexOf('Zone Cold'), page!.indexOf('Zone Dry'))
    expect(cold.slice(1)).toEqual([
      ...['Bin', 'SKU', 'Item', 'Quantity', 'For'],
      ...['C-04', 'ICE-1', 'Ice cream', '53', '50 × F-1', '3 × F-2'],
    ])
    const dry = page!.slice(page!.indexOf('Zone Dry'))
    expect(dry.slice(6, 10)).toEqual(['RICE', 'Rice', '8', '8 × F-2'])
  })

  test('has a box to tick for each line', async () => {
    const [content] = contentsOf(await pickList(LIST))
    expect(content!.match(/ 9 9 re/g)).toHaveLength(2)
  })

  test('of 1,000 lines names the zone on each page that it goes over', async () => {
    const lines = many(500, (i) => ({
      ...{ sku: `SKU-${i}`, name: `Thing ${i}`, quantity: 5, bin: `B-${i}` },
      fulfillments: [
        { fulfillment: `F-${i}`, quantity: 3 },
        { fulfillment: `G-${i}`, quantity: 2 },
      ],
    }))
    const started = performance.now()
    const pdf = await pickList({
      ...LIST,
      zones: [
        { zone: 'A', lines },
        { zone: 'B', lines },
      ],
    })
    console.info(`pick list of 1,000 lines: ${Math.round(performance.now() - started)} ms, ${pdf.length} bytes`)
    const pages = pagesOf(pdf)
    expect(pages.every((page) => page.includes('Zone A') || page.includes('Zone B'))).toBe(true)
    const drawn = pages.flat()
    expect(lines.every(({ sku }) => drawn.filter((text) => text === sku).length === 2)).toBe(true)
    expect(drawn.filter((text) => text === '2 × G-499').length).toBe(2)
  })

  test('of no zone is a page that says that there is nothing to pick', async () => {
    const [page] = pagesOf(await pickList({ ...LIST, zones: [] }))
    expect(page).toContain('0 lines, 0 units')
  })

  test('is the same bytes for the same list', async () => {
    expect((await pickList(structuredClone(LIST))).equals(await pickList(LIST))).toBe(true)
  })

  test.each(Object.entries(HOSTILE))('survives %s in every field', async (_, text) => {
    const fulfillments = [{ fulfillment: text, quantity: 1 }]
    const line = { sku: text, name: text, quantity: 1, bin: text, fulfillments }
    const pdf = await pickList({ ...LIST, id: text, location: text, zones: [{ zone: text, lines: [line, line] }] })
    const pages = pagesOf(pdf)
    expect(pages.at(-1)).toContain(`${pages.length} / ${pages.length}`)
  })
})

test('no text of a document lies outside its page', async () => {
  const pdf = await packingSlip({ ...SLIP, notes: 'Ask at the gate. '.repeat(600) })
  const places = contentsOf(pdf).flatMap((content) => [...content.matchAll(/1 0 0 1 ([\d.-]+) ([\d.-]+) Tm/g)])
  expect(places.length).toBeGreaterThan(100)
  for (const [, x, y] of places) {
    expect(Number(x)).toBeGreaterThan(40)
    expect(Number(x)).toBeLessThan(555)
    expect(Number(y)).toBeGreaterThan(20)
    expect(Number(y)).toBeLessThan(802)
  }
})
