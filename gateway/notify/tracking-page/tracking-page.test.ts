import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contrast, readable } from './colours.js'
import { trackingPage, UnshowableOrder } from './tracking-page.js'
import { ORDER_STATUSES, type TrackingView } from './tracking-view.js'

const view: TrackingView = {
  brand: {
    name: 'Lamp & Shade',
    url: 'https://shop.example/',
    logoUrl: 'https://shop.example/logo.png',
    colour: '#ffcc00',
    supportEmail: 'help@shop.example',
  },
  order: {
    number: '100234',
    status: 'partially_shipped',
    placedAt: '2025-03-03T09:15:00Z',
    lines: [{ name: 'Reading lamp, red', quantity: 2 }],
  },
  promise: { deliverBy: '2025-03-06T18:00:00Z', before: '2025-03-05T18:00:00Z' },
  parcels: [
    {
      carrier: 'Swift Parcels',
      trackingNumber: 'SP123456785GB',
      trackingUrl: 'https://carrier.example/track/SP123456785GB?a=1&b=2',
      events: [
        { at: '2025-03-04T16:30:00Z', description: 'Collected', place: 'London' },
        { at: '2025-03-05T06:10:00Z', description: 'At the depot' },
      ],
    },
    { carrier: 'Other Parcels', events: [] },
  ],
}
const english = { locale: 'en-GB', timeZone: 'Europe/London' }
const shown = (of: Partial<TrackingView> = {}, settings = english): string =>
  trackingPage({ ...view, ...of }, settings).html
/** What a reader sees. */
const text = (page: string): string =>
  page
    .replaceAll('\u202f', ' ')
    .replace(/<style>[^<]*<\/style>/, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .replaceAll('&amp;', '&')

test('a customer sees how far the order is, when it comes and what the carriers say, the latest first', () => {
  const page = text(shown())
  expect(page).toContain('Order 100234')
  expect(page).toContain('A part of your order is on its way.')
  expect(page).toMatch(/Expected by Thursday,? 6 March 2025 \(promised before: Wednesday,? 5 March 2025 \)/)
  expect(page).toContain('Parcel 1: Swift Parcels Tracking number: SP123456785GB Follow it at the carrier')
  expect(page).toMatch(/5 Mar 2025, 06:10 GMT At the depot .*4 Mar 2025, 16:30 GMT Collected, London/)
  expect(page).toContain('Parcel 2: Other Parcels The carrier has not said anything yet.')
  expect(page).toContain('2 × Reading lamp, red')
})

test('the page speaks the customer’s language and zone', () => {
  const german = shown({}, { locale: 'de-AT', timeZone: 'Europe/Vienna' })
  expect(german).toContain('<html lang="de">')
  expect(text(german)).toMatch(/Ein Teil Ihrer Bestellung ist unterwegs\..*Donnerstag, 6\. März 2025.*07:10 MEZ/)
  const french = text(shown({}, { locale: 'fr-FR', timeZone: 'Europe/Paris' }))
  expect(french).toMatch(/Une partie de votre commande est en route\..*jeudi 6 mars 2025/)
  expect(text(shown({}, { locale: '<x>', timeZone: 'Mars/Base' }))).toMatch(/Order 100234.*6:10 AM UTC/)
  expect(text(shown({}, { locale: 'ja-JP', timeZone: 'Asia/Tokyo' }))).toContain('March 6, 2025')
})

test.each(ORDER_STATUSES)('an order that is %s says so in each language, and its step where it has one', (status) => {
  for (const locale of ['en', 'de', 'fr']) {
    const page = shown({ order: { ...view.order, status } }, { locale, timeZone: 'UTC' })
    const isOver = status === 'cancelled' || status === 'rejected'
    expect(page.match(/aria-current="step"/g)?.length ?? 0).toBe(isOver ? 0 : 1)
    expect(page).toMatch(/<p class="status">[^<]+<\/p>/)
    expect(page).not.toContain('undefined')
  }
})

test('once it has come, or was cancelled, nothing is promised any more', () => {
  for (const status of ['delivered', 'completed', 'cancelled'] as const) {
    expect(shown({ order: { ...view.order, status } })).not.toContain('Expected by')
  }
})

test('an order to collect says where, whether and until when', () => {
  const pickup = {
    name: 'Market Street shop',
    address: '1 Market Street, London',
    until: '2025-03-10T18:00:00Z',
    isReady: true,
  }
  expect(text(shown({ pickup, parcels: [] }))).toMatch(
    /Collection Ready to collect Market Street shop 1 Market Street, London Kept for you until 10 Mar 2025, 18:00 GMT/,
  )
  expect(text(shown({ pickup: { ...pickup, isReady: false } }))).toContain('Not ready yet')
})

test('whatever stands in an order, it is text on the page and nothing else', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "' onload='x",
      '</style><b>',
      '</title>',
    ),
  )
  const empty = shown({
    brand: { ...view.brand, name: 'x' },
    order: { ...view.order, number: 'x', lines: [{ name: 'x', quantity: 1 }] },
    parcels: [
      { carrier: 'x', trackingNumber: 'x', events: [{ at: '2025-03-04T16:30:00Z', description: 'x', place: 'x' }] },
    ],
  })
  const tags = (page: string) => page.match(/<\/?[a-z!][^\s>]*/gi)
  fc.assert(
    fc.property(hostile, (evil) => {
      const page = shown({
        brand: { ...view.brand, name: evil },
        order: { ...view.order, number: evil, lines: [{ name: evil, quantity: 1 }] },
        parcels: [
          {
            carrier: evil,
            trackingNumber: evil,
            events: [{ at: '2025-03-04T16:30:00Z', description: evil, place: evil }],
          },
        ],
      })
      expect(tags(page)).toEqual(tags(empty))
      expect(page.replace(/"[^"]*"/g, '""')).not.toMatch(/<[^>]*(?:\son\w+=|')/i)
    }),
    { numRuns: 100 },
  )
})

test.each([
  ['a script for a link', { brand: { ...view.brand, logoUrl: 'javascript:alert(1)' } }, 'brand.logoUrl'],
  [
    'a link in the clear',
    { parcels: [{ ...view.parcels[0]!, trackingUrl: 'http://carrier.example/' }] },
    'parcels.0.trackingUrl',
  ],
  ['a colour with more in it', { brand: { ...view.brand, colour: '#fff000;}body{' } }, 'brand.colour'],
  ['a colour by name', { brand: { ...view.brand, colour: 'red' } }, 'brand.colour'],
  ['a time that is none', { promise: { deliverBy: 'soon' } }, 'promise.deliverBy'],
])('%s is refused by its place', (_, of, path) => {
  try {
    shown(of)
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(UnshowableOrder)
    expect((error as UnshowableOrder).errors.map((one) => one.path)).toEqual([path])
  }
})

test('the page runs no script, lets in only its own style, and is told to nobody', () => {
  const { html, headers } = trackingPage(view, english)
  const style = /<style>([^<]*)<\/style>/.exec(html)?.[1] ?? ''
  expect(headers['Content-Security-Policy']).toContain(
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  )
  expect(headers['Content-Security-Policy']).toContain("default-src 'none'")
  expect(headers['Referrer-Policy']).toBe('no-referrer')
  expect(html).not.toMatch(/<script|\sstyle="/)
})

test('the page can be used without seeing it: a language, headings in order, names for pictures and lists', () => {
  const page = shown()
  expect(page).toContain('<html lang="en">')
  expect(page).toContain('<img src="https://shop.example/logo.png" alt="Lamp &amp; Shade"')
  expect([...page.matchAll(/<h(\d)/g)].map(([, level]) => level).join('')).toMatch(/^12+$/)
  const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const [, label] of page.matchAll(/aria-labelledby="([^"]*)"/g)) expect(ids).toContain(label)
})

test('an order of thousands of parcels and events is cut to what a person reads', () => {
  const parcel = {
    carrier: 'x',
    events: Array.from({ length: 5_000 }, () => ({ at: '2025-03-04T16:30:00Z', description: 'x' })),
  }
  const page = shown({ parcels: Array.from({ length: 100 }, () => parcel) })
  expect(page.match(/<section aria-labelledby="parcel/g)).toHaveLength(50)
  expect(page.match(/<li><time/g)).toHaveLength(5_000)
})

test('text on the brand’s colour, and links in it, can be read whatever the colour', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21)
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
  const colour = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`)
  fc.assert(
    fc.property(colour, (brand) => {
      expect(contrast(brand, readable(brand, ['#ffffff', '#000000']))).toBeGreaterThanOrEqual(4.5)
      const style = /--accent:(#\w{6}).*--accent:(#\w{6})/s.exec(shown({ brand: { name: 'x', colour: brand } }))
      expect(contrast('#ffffff', style?.[1] ?? '')).toBeGreaterThanOrEqual(4.5)
      expect(contrast('#121212', style?.[2] ?? '')).toBeGreaterThanOrEqual(4.5)
    }),
  )
})
