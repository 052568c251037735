import { expect, test } from 'vitest'
import { MESSAGE_KINDS } from '../message-kinds.js'
import { BUILT_IN_LOCALES } from './built-in/built-in.js'
import { checkTemplate, preview, renderMessage } from './render.js'
import { wholeSample } from './sample-data.js'
import { chooseTemplate } from './template.js'
import type { Template } from './template-parts.js'

const own = (subject: string, of: Partial<Template>): Template => ({
  kind: 'shipped',
  locale: 'de',
  subject,
  text: 'x',
  html: '',
  sms: '',
  ...of,
})
const wanted = { kind: 'shipped', brand: 'lamps', channel: 'web', locale: 'de-AT' } as const

test('within a language the template of brand and channel goes before that of the brand, of the channel, of any', () => {
  const templates = [
    own('any', {}),
    own('channel', { channel: 'web' }),
    own('brand', { brand: 'lamps' }),
    own('both', { brand: 'lamps', channel: 'web' }),
    own('foreign', { brand: 'chairs' }),
    own('elsewhere', { channel: 'edi' }),
    own('other kind', { kind: 'delayed', brand: 'lamps', channel: 'web' }),
  ]
  const order = ['both', 'brand', 'channel', 'any']
  for (const [at, subject] of order.entries()) {
    const left = templates.filter((template) => !order.slice(0, at).includes(template.subject))
    expect(chooseTemplate(left, wanted).subject).toBe(subject)
  }
})

test('the nearest language goes before the nearest brand', () => {
  const templates = [own('English of the brand', { brand: 'lamps', channel: 'web', locale: 'en' })]
  expect(chooseTemplate(templates, wanted).locale).toBe('de')
  expect(chooseTemplate([...templates, own('Austrian', { locale: 'de_at' })], wanted).subject).toBe('Austrian')
  expect(chooseTemplate(templates, { ...wanted, locale: 'da' }).subject).toBe('English of the brand')
})

test('a locale that is none, or that nothing is written in, is served in English', () => {
  for (const locale of ['', 'zz-ZZ', '../../etc', 'x'.repeat(10_000)]) {
    expect(chooseTemplate([], { ...wanted, locale }).locale).toBe('en')
  }
})

test('of two templates that are alike the later one is taken', () => {
  expect(chooseTemplate([own('old', {}), own('new', {})], wanted).subject).toBe('new')
})

test.each(MESSAGE_KINDS.flatMap((kind) => BUILT_IN_LOCALES.map((locale) => [kind, locale] as const)))(
  'the built-in message %s in %s has no fault, leaves nothing unfilled and is one or two SMS',
  (kind, locale) => {
    const template = chooseTemplate([], { kind, brand: '', channel: '', locale })
    expect(template.locale).toBe(locale)
    expect(checkTemplate(template)).toEqual([])
    const shown = preview(template, { locale, timeZone: 'Europe/Berlin' })
    expect(shown.subject).toContain('100234')
    expect(shown.text).toContain('100234')
    expect(shown.text).not.toMatch(/[{}]|\n{4}|undefined|\[object/)
    expect(shown.html).toContain(`<html lang="${locale}">`)
    expect(shown.html).not.toMatch(/\{\{|%\}|undefined|\[object|Lamp & Shade/)
    expect(shown.sms).not.toMatch(/[{}]|undefined/)
    expect(shown.smsLength.segments).toBeLessThanOrEqual(2)
  },
)

test('the built-in words need no escaping of their own', () => {
  for (const kind of MESSAGE_KINDS) {
    for (const locale of BUILT_IN_LOCALES) {
      const { subject, sms } = chooseTemplate([], { kind, brand: '', channel: '', locale })
      expect(`${subject}${sms}`).not.toMatch(/[<>&]/)
    }
  }
})

test('a confirmation tells what was ordered, what it costs and where it goes', () => {
  const template = chooseTemplate([], { kind: 'order_confirmation', brand: '', channel: '', locale: 'en' })
  const { subject, text } = renderMessage(template, wholeSample, { locale: 'en-GB', timeZone: 'Europe/London' })
  expect(subject).toBe('Your order 100234 at Lamp & Shade')
  expect(text.replaceAll('Thursday, ', 'Thursday ')).toBe(`Hello Ada Byron,

Thank you for your order 100234 of 3 March 2025. We will write again when it is on its way.

- 2 × Reading lamp, red (LAMP-RED): €49.00
- 1 × Bulb E27 & socket (BULB-E27): €8.00

Subtotal: €57.00
Discount: €5.00
Delivery: €4.90
Tax: €9.10
Total: €56.90

Expected by: Thursday 6 March 2025

Delivery address:
Ada Byron
12 St James Square
Flat 3
SW1Y 4JH London, GB

See your order: https://shop.example/orders/status?token=sample

Lamp & Shade
Questions: help@shop.example
Lamp & Shade Ltd, 1 Market Street, London
`)
})
