import fc from 'fast-check'
import { expect, test } from 'vitest'
import { signLink, verifyLink } from './signed-link.js'

const secret = 'a secret of the tests'
const nowMs = 1_700_000_000_000
const link = signLink('order/8f14e45f', secret, nowMs + 60_000)

test('a link opens what it was made for', () => {
  expect(verifyLink(link, secret, nowMs)).toEqual({ valid: true, payload: 'order/8f14e45f' })
})

test('a link is short and fits into an address as it is', () => {
  expect(link).toMatch(/^[\w-]{1,50}$/)
})

test('a link expires', () => {
  expect(verifyLink(link, secret, nowMs + 59_999)).toMatchObject({ valid: true })
  expect(verifyLink(link, secret, nowMs + 60_000)).toEqual({ valid: false, reason: 'expired' })
})

test('a link that was signed with another secret is forged', () => {
  expect(verifyLink(link, 'another secret of the tests', nowMs)).toEqual({ valid: false, reason: 'forged' })
})

test('a link of which any character is changed, added or left out opens nothing', () => {
  for (let at = 0; at < link.length; at++) {
    for (const other of ['A', 'B', '_', '=', '+', ' ', '']) {
      const changed = link.slice(0, at) + other + link.slice(at + 1)
      if (changed !== link) expect(verifyLink(changed, secret, nowMs).valid).toBe(false)
    }
    expect(verifyLink(`${link.slice(0, at)}A${link.slice(at)}`, secret, nowMs).valid).toBe(false)
  }
  expect(verifyLink(`${link}=`, secret, nowMs).valid).toBe(false)
})

test('whatever is named, for whatever time, comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), fc.nat(), (payload, ms) => {
      fc.pre(Buffer.byteLength(payload) <= 512)
      const token = signLink(payload, secret, nowMs + ms + 1)
      expect(verifyLink(token, secret, nowMs + ms)).toEqual({ valid: true, payload })
    }),
  )
})

test('whatever comes as a link, it opens nothing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String()), (token) => {
      expect(verifyLink(token, secret, nowMs).valid).toBe(false)
    }),
  )
  expect(verifyLink('A'.repeat(10_000_000), secret, nowMs)).toEqual({ valid: false, reason: 'malformed' })
})

test('a weak secret, an empty or huge payload, or a time that is none makes no link', () => {
  expect(() => signLink('order/1', 'short', nowMs)).toThrow('at least 16 bytes')
  expect(() => signLink('', secret, nowMs)).toThrow('1 to 512 bytes')
  expect(() => signLink('x'.repeat(513), secret, nowMs)).toThrow('1 to 512 bytes')
  expect(() => signLink('order/1', secret, Number.NaN)).toThrow('some time')
})
