import { expect, test } from 'vitest'
import { smsLength } from './sms-length.js'

test.each([
  ['', 'gsm7', 0, 0],
  ['a'.repeat(160), 'gsm7', 160, 1],
  ['a'.repeat(161), 'gsm7', 161, 2],
  ['a'.repeat(307), 'gsm7', 307, 3],
  ['Größe: 5 €', 'gsm7', 11, 1],
  ['é'.repeat(70), 'gsm7', 70, 1],
  ['ê'.repeat(70), 'utf16', 70, 1],
  ['ê'.repeat(71), 'utf16', 71, 2],
  ['😀', 'utf16', 2, 1],
])('%j is sent as %s with %d units in %d segments', (text, alphabet, units, segments) => {
  expect(smsLength(text)).toEqual({ alphabet, units, segments })
})
