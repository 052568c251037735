import fc from 'fast-check'
import { DateTime } from 'luxon'
import { describe, expect, test } from 'vitest'
import { emailAddress, phoneNumber, takesSms } from './addresses.js'
import { quietUntil } from './quiet-hours.js'
import { decide, suppressionKey } from './recipient.js'
import { isSuppressed, type Suppression, suppressionAfter } from './suppression.js'

const at = (iso: string, zone: string) => DateTime.fromISO(iso, { zone }).toMillis()
const mail = {
  medium: 'email',
  purpose: 'transactional',
  kind: 'shipped',
  address: 'Ada@Example.COM',
  country: 'GB',
  timeZone: 'Europe/London',
  consent: undefined,
  suppression: undefined,
  nowMs: at('2025-03-03T23:30', 'Europe/London'),
} as const
const sms = { ...mail, medium: 'sms', address: '07400 123456', quietHours: { from: '21:00', to: '08:00' } } as const
const dead = suppressionAfter(undefined, { kind: 'bounce', permanent: true, reason: '550 unknown' }, 0)

test('a mail about an order is sent at once, at any hour, to the address in its one way of writing', () => {
  expect(decide(mail)).toEqual({ do: 'send_now', to: 'Ada@example.com' })
})

test('an SMS waits for the end of the quiet hours where the customer is', () => {
  expect(decide(sms)).toEqual({ do: 'send_at', to: '+447400123456', atMs: at('2025-03-04T08:00', 'Europe/London') })
  expect(decide({ ...sms, timeZone: 'America/New_York' })).toEqual({ do: 'send_now', to: '+447400123456' })
})

test('an SMS that would no longer be true in the morning is not sent', () => {
  const usefulUntilMs = at('2025-03-04T00:00', 'Europe/London')
  expect(decide({ ...sms, usefulUntilMs })).toMatchObject({ do: 'not_send', reason: 'too_late' })
  expect(decide({ ...mail, usefulUntilMs })).toMatchObject({ do: 'send_now' })
})

test.each([
  ['about an order, nothing said', 'transactional', undefined, true],
  ['about an order, refused', 'transactional', { transactional: false }, false],
  ['about an order, this kind refused', 'transactional', { kinds: { shipped: false } }, false],
  ['about an order, only this kind wanted', 'transactional', { transactional: false, kinds: { shipped: true } }, true],
  ['about an order, another kind refused', 'transactional', { kinds: { delayed: false } }, true],
  ['about an order, marketing refused', 'transactional', { marketing: false }, true],
  ['marketing, nothing said', 'marketing', undefined, false],
  ['marketing, agreed', 'marketing', { marketing: true }, true],
  ['marketing, only orders agreed', 'marketing', { transactional: true }, false],
] as const)('%s', (_, purpose, consent, isSent) => {
  const { kind, ...rest } = mail
  const decision = decide({ ...rest, ...(purpose === 'marketing' ? {} : { kind }), purpose, consent })
  expect(decision).toMatchObject(isSent ? { do: 'send_now' } : { do: 'not_send', reason: 'no_consent' })
})

test.each([
  ['none', undefined, 'no_address'],
  ['an empty one', ' ', 'no_address'],
  ['no number', 'call me', 'bad_address'],
  ['a number that nobody has', '0123', 'bad_address'],
  ['a fixed line', '020 7946 0018', 'bad_address'],
  ['an extension', '07400 123456 ext. 5', 'bad_address'],
])('an SMS is not sent to %s', (_, address, reason) => {
  expect(decide({ ...sms, address })).toMatchObject({ do: 'not_send', reason })
})

test('a suppressed address gets nothing, whatever was agreed, and the reason is said', () => {
  const decision = decide({ ...mail, consent: { transactional: true }, suppression: dead })
  expect(decision).toMatchObject({ do: 'not_send', reason: 'suppressed' })
  expect(decision).toHaveProperty('detail', expect.stringContaining('550 unknown'))
})

describe('suppression', () => {
  const full = { kind: 'bounce', permanent: false, reason: '452 full' } as const
  const bouncesOn = (...daysOfBounces: number[]): Suppression | undefined =>
    daysOfBounces.reduce<Suppression | undefined>(
      (known, day) => suppressionAfter(known, full, day * 86_400_000),
      undefined,
    )
  const isSilent = (known: Suppression | undefined, day: number) => isSuppressed(known, day * 86_400_000)

  test('a full mailbox is written to again, until it was full three times in a week', () => {
    expect(isSilent(bouncesOn(1, 2), 2)).toBe(false)
    expect(isSilent(bouncesOn(1, 2, 3), 3)).toBe(true)
    expect(isSilent(bouncesOn(1, 2, 3), 10)).toBe(false)
    expect(isSilent(bouncesOn(1, 2, 9), 9)).toBe(false)
  })

  test('a complaint or a bounce for good holds, whatever comes later', () => {
    const complaint = suppressionAfter(bouncesOn(1), { kind: 'complaint', permanent: true, reason: 'abuse' }, 5)
    expect(isSilent(complaint, 100_000)).toBe(true)
    expect(isSilent(suppressionAfter(complaint, full, 86_400_000), 100_000)).toBe(true)
    expect(isSilent(dead, 100_000)).toBe(true)
  })

  test('a suppression holds after it was kept as JSON and read again', () => {
    expect(isSilent(JSON.parse(JSON.stringify(dead)), 100_000)).toBe(true)
  })

  test('a thousand bounces are remembered as three', () => {
    const known = bouncesOn(...Array.from({ length: 1_000 }, (_, i) => i / 1_000))
    expect(known?.passingAtMs).toHaveLength(3)
  })

  test('ways of writing an address are one when it is looked up', () => {
    expect(suppressionKey('email', ' ADA@Bücher.example ', 'DE')).toBe('ada@xn--bcher-kva.example')
    expect(suppressionKey('sms', '0151 23456789', 'DE')).toBe(suppressionKey('sms', '+49 (151) 2345-6789', 'FR'))
    expect(suppressionKey('sms', 'x', 'DE')).toBeUndefined()
  })
})

describe('quiet hours', () => {
  const night = { from: '21:00', to: '08:00' }

  test.each([
    ['before they begin', '2025-06-01T20:59', '2025-06-01T20:59'],
    ['as they begin', '2025-06-01T21:00', '2025-06-02T08:00'],
    ['after midnight', '2025-06-02T03:00', '2025-06-02T08:00'],
    ['as they end', '2025-06-02T08:00', '2025-06-02T08:00'],
    ['the night the clocks are put forward', '2025-03-30T01:30', '2025-03-30T08:00'],
    ['the night the clocks are put back', '2025-10-26T01:30', '2025-10-26T08:00'],
  ])('%s', (_, now, until) => {
    expect(quietUntil(at(now, 'Europe/Berlin'), night, 'Europe/Berlin')).toBe(at(until, 'Europe/Berlin'))
  })

  test('an end that comes twice, as the clocks are put back, is waited for a second time', () => {
    const hours = { from: '22:00', to: '02:30' }
    const [first, second] = ['2025-10-26T00:10:00Z', '2025-10-26T01:10:00Z'].map((time) => Date.parse(time))
    expect(quietUntil(first!, hours, 'Europe/Berlin')).toBe(Date.parse('2025-10-26T00:30:00Z'))
    expect(quietUntil(second!, hours, 'Europe/Berlin')).toBe(Date.parse('2025-10-26T01:30:00Z'))
  })

  test('within a day too, and never where both ends are the same', () => {
    const noon = at('2025-06-01T13:00', 'Asia/Kolkata')
    expect(quietUntil(noon, { from: '12:00', to: '14:30' }, 'Asia/Kolkata')).toBe(
      at('2025-06-01T14:30', 'Asia/Kolkata'),
    )
    expect(quietUntil(noon, { from: '12:00', to: '12:00' }, 'Asia/Kolkata')).toBe(noon)
  })

  test('a time of day or a zone that is none is refused', () => {
    expect(() => quietUntil(0, { from: '25:00', to: '08:00' }, 'UTC')).toThrow('25:00 is a time of day')
    expect(() => quietUntil(0, night, 'Mars/Base')).toThrow('Mars/Base is a time zone')
  })

  test('whenever it is, and wherever, what is put off comes out of the quiet hours within a day and an hour', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Africa/Cairo', 'Pacific/Apia']
    const time = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
      .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'))
    const instant = fc.integer({ min: at('2024-01-01', 'UTC'), max: at('2027-01-01', 'UTC') })
    fc.assert(
      fc.property(instant, time, time, fc.constantFrom(...zones), (nowMs, from, to, zone) => {
        const untilMs = quietUntil(nowMs, { from, to }, zone)
        expect(untilMs).toBeGreaterThanOrEqual(nowMs)
        expect(untilMs - nowMs).toBeLessThanOrEqual(25 * 3_600_000)
        expect(quietUntil(untilMs, { from, to }, zone)).toBe(untilMs)
      }),
      { numRuns: 300 },
    )
  })
})

test.each([
  ['ada@example.com', 'ada@example.com'],
  ['Ada.Byron+lamps@Example.COM', 'Ada.Byron+lamps@example.com'],
  ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
  ["o'neil@example.co.uk", "o'neil@example.co.uk"],
  ['ada', undefined],
  ['ada@localhost', undefined],
  ['ada@@example.com', undefined],
  ['a b@example.com', undefined],
  ['ada@example.com, eve@example.com', undefined],
  ['ada@example.com\r\nBcc: eve@example.com', undefined],
  ['Ada <ada@example.com>', undefined],
  ['.ada@example.com', undefined],
  [`${'a'.repeat(65)}@example.com`, undefined],
  [`a@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(60)}.${'f'.repeat(60)}`, undefined],
  ['x'.repeat(1_000_000), undefined],
])('as a mail address %.60j is %j', (text, address) => {
  expect(emailAddress(text)).toBe(address)
})

test.each([
  ['030 901820', 'DE', '+4930901820'],
  ['+33 6 12 34 56 78', 'DE', '+33612345678'],
  ['0044 7400 123456', 'DE', '+447400123456'],
  ['(201) 555-0123', 'us', '+12015550123'],
  ['0612345678', 'XX', undefined],
  ['1'.repeat(100_000), 'DE', undefined],
])('the number %.30j in %s is %s', (text, country, number) => {
  expect(phoneNumber(text, country)).toBe(number)
})

test('a mobile number takes SMS, a fixed line does not, one that may be either does', () => {
  expect(['+4915123456789', '+4930901820', '+12015550123'].map(takesSms)).toEqual([true, false, true])
})
