import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AddressGuard } from '../outward/address-guard.js'
import { matches, newSecret, putWebhook, rotateSecret, shownWebhook, type Webhook, webhookInput } from './webhook.js'

const input = webhookInput(new AddressGuard())
const url = 'https://erp.example/hooks'
const of = (...events: string[]): Webhook => ({ id: 'erp', url, secrets: [], events, enabled: true })

describe('a webhook', () => {
  it.each([
    ['order.received', 'order.received', true],
    ['order.received', 'order.receive', false],
    ['order.*', 'order.received', true],
    ['order.*', 'order.payment.captured', false],
    ['order.*', 'order', false],
    ['order.*', 'orders.received', false],
    ['*.received', 'order.received', true],
    ['*', 'order.received', false],
    ['order.>', 'order.payment.captured', true],
    ['order.>', 'order', false],
    ['>', 'order.received', true],
  ])('for %s and an event %s: %s', (pattern, type, expected) => {
    expect(matches(of(pattern), type)).toBe(expected)
    expect(matches(of('sale.closed', pattern), type)).toBe(expected)
  })

  it('that is switched off matches nothing', () => {
    expect(matches({ ...of('>'), enabled: false }, 'order.received')).toBe(false)
  })

  it.each([
    'http://erp.example/',
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://[::ffff:10.0.0.1]/',
    'https://localhost/',
    'https://a:b@erp.example/',
    'ftp://erp.example/',
    'erp',
  ])('is not put with the URL %s', (hostile) => {
    const { error } = input.safeParse({ url: hostile, events: ['>'] })
    expect(error?.issues[0]).toMatchObject({ path: ['url'] })
  })

  it.each(['', '.', 'order.', '>.order', 'order.>.x', 'Order.x', 'order..x', 'a b', '**', 'x'.repeat(101)])(
    'is not put with the pattern "%s"',
    (pattern) => {
      expect(input.safeParse({ url, events: [pattern] }).success).toBe(false)
    },
  )

  it.each([
    'secret',
    'whsec_',
    'whsec_c2hvcnQ=',
    `whsec_${'A'.repeat(200)}`,
    'whsec_!!!!',
    newSecret().slice(6),
    `${newSecret()} `,
  ])('is not put with the secret "%s"', (secret) => {
    expect(input.safeParse({ url, events: ['>'], secrets: [secret] }).success).toBe(false)
  })

  it('that is put without a secret gets one, which is told this once and kept with later PUTs', () => {
    const body = input.parse({ url, events: ['order.*'] })
    const { webhook, madeSecret } = putWebhook('erp', body)
    expect(webhook).toEqual({ id: 'erp', url, events: ['order.*'], enabled: true, secrets: [madeSecret] })
    expect(Buffer.from(madeSecret!.slice('whsec_'.length), 'base64')).toHaveLength(32)
    const again = putWebhook('erp', input.parse({ url, events: ['>'], enabled: false, description: 'ERP' }), webhook)
    expect(again).toEqual({
      webhook: { id: 'erp', url, events: ['>'], enabled: false, description: 'ERP', secrets: [madeSecret] },
    })
    expect(putWebhook('erp', body).madeSecret).not.toBe(madeSecret)
  })

  it('takes secrets that are given, and they can be rotated', () => {
    const [first, second] = [newSecret(), newSecret()]
    const put = putWebhook('erp', input.parse({ url, events: ['>'], secrets: [first] }))
    expect(put).not.toHaveProperty('madeSecret')
    const replaced = putWebhook('erp', input.parse({ url, events: ['>'], secrets: [second, first] }), put.webhook)
    expect(replaced.webhook.secrets).toEqual([second, first])
    let rotated = rotateSecret(replaced.webhook)
    expect(rotated.webhook.secrets).toEqual([rotated.madeSecret, second, first])
    for (let turn = 0; turn < 5; turn++) rotated = rotateSecret(rotated.webhook)
    expect(rotated.webhook.secrets).toHaveLength(5)
    expect(rotated.webhook.secrets[0]).toBe(rotated.madeSecret)
  })

  it('is never shown with its secrets', () => {
    const { webhook, madeSecret } = putWebhook('erp', input.parse({ url, events: ['>'] }))
    const shown = shownWebhook(webhook)
    expect(shown).toEqual({ id: 'erp', url, events: ['>'], enabled: true, secretCount: 1 })
    expect(JSON.stringify(shown)).not.toContain(madeSecret!.slice(6))
  })

  it('takes any pattern that its schema takes, and any type, without failing', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z*>.]{1,20}$/), fc.string(), (pattern, type) => {
        if (!input.safeParse({ url, events: [pattern] }).success) return
        expect(typeof matches(of(pattern), type)).toBe('boolean')
        if (!/[*>]/.test(pattern)) expect(matches(of(pattern), pattern)).toBe(true)
      }),
    )
  })
})
