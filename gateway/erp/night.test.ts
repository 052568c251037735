import { expect, test } from 'vitest'
import { nightlyId } from './night.js'

const at = (time: string, reconcileAt: string | undefined, timeZone: string) =>
  nightlyId(Date.parse(time), { reconcileAt, timeZone })

test('it is due from its time on, until the day ends where the retailer is', () => {
  expect(at('2026-06-10T17:29:59Z', '02:30', 'Asia/Tokyo')).toBeUndefined()
  expect(at('2026-06-10T17:30:00Z', '02:30', 'Asia/Tokyo')).toBe('nightly-2026-06-11')
  expect(at('2026-06-11T14:59:59Z', '02:30', 'Asia/Tokyo')).toBe('nightly-2026-06-11')
  expect(at('2026-06-11T15:00:00Z', '02:30', 'Asia/Tokyo')).toBeUndefined()
})

test('one instant is another day elsewhere', () => {
  expect(at('2026-06-10T23:30:00Z', '00:00', 'America/Los_Angeles')).toBe('nightly-2026-06-10')
  expect(at('2026-06-10T23:30:00Z', '00:00', 'Europe/Berlin')).toBe('nightly-2026-06-11')
})

test('in the night without its hour it is due when the clocks go on, in the night with two of it once', () => {
  expect(at('2026-03-29T00:59:59Z', '02:30', 'Europe/Berlin')).toBeUndefined()
  expect(at('2026-03-29T01:00:00Z', '02:30', 'Europe/Berlin')).toBe('nightly-2026-03-29')
  expect(at('2026-10-25T00:30:00Z', '02:30', 'Europe/Berlin')).toBe('nightly-2026-10-25')
  expect(at('2026-10-25T01:30:00Z', '02:30', 'Europe/Berlin')).toBe('nightly-2026-10-25')
})

test('without a time there is none', () => {
  expect(at('2026-06-10T23:30:00Z', undefined, 'UTC')).toBeUndefined()
})
