import fc from 'fast-check'
import { expect, test } from 'vitest'
import { printable } from './printable.js'

test.each([
  ['plain text', 'Red lamp, 2 × 60 W', 'Red lamp, 2 × 60 W'],
  ['Western letters and signs', 'Größe £5 €7 “Œuvre” – naïve…', 'Größe £5 €7 “Œuvre” – naïve…'],
  ['letters with a mark of their own', 'e\u0301te\u0301', 'été'],
  ['Polish, Czech, Turkish, Romanian', 'Łódź Dvořák İğdır Țepeș', 'Lódz Dvorák Igdir Tepes'],
  ['full width and ligatures', 'ＡＢＣ１２ ﬁne ⅓', 'ABC12 fine 1/3'],
  ['typographic hyphens and primes', '12\u201124 \u22125 6\u2032', "12-24 -5 6'"],
  ['another script', '東京', '??'],
  ['emoji, one for each that is seen', '👨‍👩‍👧‍👦🇬🇧❤️!', '???!'],
  ['marks of direction and joining', 'a\u202eb\u200dc\u00add\ufeff', 'abcd'],
  ['control characters', 'a\u0000b\u0085c\u007f', 'a?b?c?'],
  ['half a surrogate pair', 'a\ud83d', 'a?'],
  ['line breaks and tabs', 'a\r\nb\rc\nd\te', 'a\nb\nc\nd e'],
])('%s', (_, text, shown) => {
  expect(printable(text)).toBe(shown)
})

test('whatever the text, only what WinAnsi can show is left', () => {
  const windows1252 = new TextDecoder('windows-1252')
  const bytes = Array.from({ length: 224 }, (_, i) => i + 32).filter(
    (byte) => ![127, 129, 141, 143, 144, 157, 173].includes(byte),
  )
  const shown = new Set(windows1252.decode(Uint8Array.from(bytes))).add('\n')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect([...printable(text)].filter((character) => !shown.has(character))).toEqual([])
    }),
  )
})
