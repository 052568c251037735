import { IANAZone } from 'luxon'
import { expect, test } from 'vitest'
import { localeOf, timeZoneOf } from './locality.js'

test.each([
  ['GB', 'en-GB', 'Europe/London'],
  ['AT', 'de-AT', 'Europe/Vienna'],
  ['FR', 'fr-FR', 'Europe/Paris'],
  ['US', 'en-US', 'America/New_York'],
  ['JP', 'ja-JP', 'Asia/Tokyo'],
  ['ZZ', 'en-ZZ', 'UTC'],
  ['', 'en', 'UTC'],
])('a customer in %s most likely reads %s and lives by %s', (country, locale, timeZone) => {
  expect(localeOf(country)).toBe(locale)
  expect(timeZoneOf(country)).toBe(timeZone)
})

test('whatever two letters an address has as its country, there is a language and a time zone', () => {
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
  for (const country of letters.flatMap((first) => letters.map((second) => first + second))) {
    expect(Intl.getCanonicalLocales(localeOf(country))).toEqual([localeOf(country)])
    expect(IANAZone.isValidZone(timeZoneOf(country))).toBe(true)
  }
})
