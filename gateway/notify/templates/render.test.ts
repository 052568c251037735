import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkTemplate, preview, renderMessage, UnrenderableMessage } from './render.js'
import { leastSample, wholeSample } from './sample-data.js'
import type { TemplateParts } from './template-parts.js'

const parts = (of: Partial<TemplateParts>): TemplateParts => ({
  subject: 'Order {{ order.number }}',
  text: 'x',
  html: '',
  sms: '',
  ...of,
})
const settings = { locale: 'de-DE', timeZone: 'Europe/Berlin' }
const named = (name: string) => ({ ...wholeSample, customer: { name } })

test('money, date and time are written in the customer’s way and zone', () => {
  const text =
    '{{ order.total | money }}; {{ promise.shipBy | date }}; {{ promise.shipBy | date: "short" }}; {{ promise.shipBy | time }}'
  const german = renderMessage(parts({ text }), wholeSample, settings).text.replaceAll(/\s/g, ' ')
  expect(german).toBe('56,90 €; 4. März 2025; 4.3.2025; 17:00')
  const american = { locale: 'en-US', timeZone: 'America/New_York' }
  expect(renderMessage(parts({ text }), wholeSample, american).text.replaceAll(/\s/g, ' ')).toBe(
    '€56.90; March 4, 2025; 3/4/2025; 11:00 AM',
  )
})

test('an amount keeps all its digits and its currency’s own number of them', () => {
  const total = { amount: '900719925474099.25', currency: 'EUR' }
  const data = { ...leastSample, order: { ...leastSample.order, total } }
  const english = { locale: 'en-US', timeZone: 'UTC' }
  const text = '{{ order.total | money }}'
  expect(renderMessage(parts({ text }), data, english).text).toBe('€900,719,925,474,099.25')
  const yen = { ...data, order: { ...data.order, total: { amount: '1200', currency: 'JPY' } } }
  expect(renderMessage(parts({ text }), yen, english).text).toBe('¥1,200')
})

test('what stands in HTML is escaped, in plain text it is as it was', () => {
  const hostile = `<img src=x onerror="alert('1')">&`
  const message = renderMessage(
    parts({ html: '<p title="{{ customer.name }}">{{ customer.name }}</p>', text: '{{ customer.name }}' }),
    named(hostile),
    settings,
  )
  const escaped = '&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;'
  expect(message.html).toBe(`<p title="${escaped}">${escaped}</p>`)
  expect(message.text).toBe(hostile)
})

test('no way of printing a variable gets it into HTML unescaped', () => {
  const ways = [
    '{{ customer.name }}',
    '{% echo customer.name %}',
    '{% liquid echo customer.name %}',
    '{% capture a %}{{ customer.name }}{% endcapture %}{{ a }}',
    '{% assign a = customer.name | append: "<b>" | split: "x" %}{{ a }}',
    '{{ customer.name | replace: "q", "<i>" }}',
    '{{ order.lines | map: "name" | join: "<br>" }}',
    '{{ nothing | default: customer.name }}',
    '{{ promise.before | default: "<u>" }}',
  ]
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(...ways), (name, html) => {
      let shown = ''
      try {
        shown = renderMessage(parts({ html }), named(`<x>${name}`), settings).html
      } catch (error) {
        expect(error).toBeInstanceOf(UnrenderableMessage)
      }
      expect(shown).not.toMatch(/[<>"']/)
    }),
  )
})

test('a subject is one line, whatever its customer is called', () => {
  const subject = 'For {{ customer.name }}\r\nBcc: {{ order.number }}'
  const message = renderMessage(parts({ subject }), named('Ada\r\nBcc: eve@example.com\r\n\r\nbody'), settings)
  expect(message.subject).toBe('For Ada Bcc: eve@example.com body Bcc: 100234')
})

test('a link that is not https, or a colour that is none, is refused by its place in the data', () => {
  const data = {
    ...wholeSample,
    statusUrl: 'javascript:alert(1)',
    brand: { name: 'Lamp', logoUrl: 'http://shop.example/a.png', colour: 'red;}' },
  }
  expect(() => renderMessage(parts({}), data, settings)).toThrow(/statusUrl.*|brand/)
  try {
    renderMessage(parts({}), data, settings)
    expect.unreachable()
  } catch (error) {
    const { errors } = error as UnrenderableMessage
    expect(errors.map(({ path }) => path).sort()).toEqual(['brand.colour', 'brand.logoUrl', 'statusUrl'])
  }
})

test('a locale or a time zone that is none is refused', () => {
  expect(() => renderMessage(parts({}), wholeSample, { locale: '!', timeZone: 'UTC' })).toThrow(/language tag/)
  expect(() => renderMessage(parts({}), wholeSample, { locale: 'en', timeZone: 'Mars/Base' })).toThrow(/time zone/)
})

test('what is absent is empty, and a template may ask for it', () => {
  const text = '[{{ parcel.trackingNumber }}]{% if parcel %}parcel{% else %}none{% endif %}'
  expect(renderMessage(parts({ text }), leastSample, settings).text).toBe('[]none')
})

test.each([
  ['an unknown variable', 'Hello\n{{ order.nubmer }}', 'unknown variable: order.nubmer', 2],
  [
    'an unknown variable in a branch',
    '{% if parcel %}\n{% if false %}\n{{ parcle.x }}{% endif %}{% endif %}',
    'unknown variable: parcle',
    3,
  ],
  ['an unknown variable in a condition', '\n{% if order.gift %}x{% endif %}', 'unknown variable: order.gift', 2],
  ['a prototype’s property', '{{ order.constructor }}', 'unknown variable: order.constructor', 1],
  [
    'an unknown name within a loop',
    '{% for line in order.lines %}\n{{ line.nmae }}\n{% endfor %}',
    'undefined variable: line.nmae',
    2,
  ],
  ['a tag that is not closed', 'a\n{% if parcel %}', 'tag {% if parcel %} not closed', 2],
  ['an unknown tag', '{% include "/etc/passwd" %}', 'tag "include" not found', 1],
  ['a layout', '{% layout "a" %}', 'tag "layout" not found', 1],
  ['an unknown filter', 'a\n\n{{ order.number | shout }}', 'undefined filter: shout', 3],
  ['a way around escaping', '{{ order.number | raw }}', 'undefined filter: raw', 1],
  [
    'money of something else',
    '\n{{ order.number | money }}',
    'money takes an amount with its currency, such as order.total',
    2,
  ],
  [
    'an unknown style of dates',
    '{{ order.placedAt | date: "%Y" }}',
    'there is no style %Y; there are long, medium, short, weekday',
    1,
  ],
  ['a date of something else', '{{ order.number | date }}', 'date and time take a time, such as order.placedAt', 1],
])('%s is found when the template is put, with its line', (_, text, message, line) => {
  expect(checkTemplate(parts({ text }))).toEqual([expect.objectContaining({ part: 'text', message, line })])
})

test('a template is tried both with all there may be and with only what there always is', () => {
  const whole = '{% for line in parcel.lines %}{{ line.nmae }}{% endfor %}'
  const least = '{% unless parcel %}{% for line in order.lines %}{{ line.nmae }}{% endfor %}{% endunless %}'
  for (const text of [whole, least]) {
    expect(checkTemplate(parts({ text }))).toEqual([
      expect.objectContaining({ message: 'undefined variable: line.nmae', line: 1 }),
    ])
  }
})

test('work that needs no memory is stopped by its steps', () => {
  const text = `{% for i in (1..5000) %}${'{{ i }}'.repeat(5_000)}{% endfor %}`
  expect(checkTemplate(parts({ text }))).toEqual([expect.objectContaining({ message: 'takes more than 100000 steps' })])
})

test('parts that are too long, missing, or of no use are named', () => {
  expect(checkTemplate(parts({ html: 'x'.repeat(70_000) }))[0]).toMatchObject({
    part: 'html',
    message: 'has 70000 characters; at most 65536 are allowed',
  })
  expect(checkTemplate(parts({ sms: 'x'.repeat(1_601) }))[0]).toMatchObject({ part: 'sms' })
  expect(checkTemplate(parts({ subject: ' ' }))).toEqual([{ part: 'subject', message: 'a mail needs a subject' }])
  expect(checkTemplate(parts({ text: '', html: '<p>x</p>' }))[0]).toMatchObject({ part: 'text' })
  expect(checkTemplate(parts({ text: '' }))[0]?.message).toBe('there is neither a mail nor an SMS')
})

test.each([
  ['a range of a hundred million', '{% for i in (1..100000000) %}x{% endfor %}'],
  [
    'loops in loops',
    '{% for i in (1..900) %}{% for j in (1..900) %}{% for k in (1..900) %}{% endfor %}{% endfor %}{% endfor %}',
  ],
  [
    'a text that doubles itself',
    '{% assign s = "xxxxxxxxxx" %}{% for i in (1..40) %}{% assign s = s | append: s %}{% endfor %}{{ s }}',
  ],
  ['a page of a gigabyte', `{% for i in (1..30000) %}${'x'.repeat(40_000)}{% endfor %}`],
  ['tags in tags', `${'{% if parcel %}'.repeat(4_000)}x${'{% endif %}'.repeat(4_000)}`],
])('%s is stopped', (_, text) => {
  expect(checkTemplate(parts({ text }))).toHaveLength(1)
})

test('a preview shows the sample order and what it costs to send', () => {
  const shown = preview(parts({ sms: 'Order {{ order.number }}' }), settings)
  expect(shown).toMatchObject({ subject: 'Order 100234', sms: 'Order 100234', smsLength: { segments: 1 } })
})

test('whatever a template is, checking it ends in a list of faults', () => {
  const piece = fc.constantFrom(
    '{{',
    '}}',
    '{%',
    '%}',
    ' if ',
    'for x in',
    'order',
    '.',
    '|',
    'money',
    '(1..9)',
    '"',
    '\n',
    '[',
    ']',
    '-',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 20 }), (pieces) => {
      expect(Array.isArray(checkTemplate(parts({ html: pieces.join(''), sms: pieces.join(' ') })))).toBe(true)
    }),
  )
})
