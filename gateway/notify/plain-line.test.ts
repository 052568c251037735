import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainLine } from './plain-line.js'

test.each([
  ['a line break', 'Hello\r\nBcc: eve@example.com', 'Hello Bcc: eve@example.com'],
  ['other separators of lines', 'a\u2028b\u2029c\u0085d\ve', 'a b c d e'],
  ['marks that turn the direction of text', 'invoice\u202efdp.exe', 'invoice fdp.exe'],
  ['half a surrogate pair', 'a\ud83db', 'a b'],
  ['blanks around and within', '  a  \t b ', 'a b'],
])('%s is not left in a line', (_, text, line) => {
  expect(plainLine(text, 100)).toBe(line)
})

test('a long line is cut between characters and says so', () => {
  expect(plainLine('😀😀😀😀', 3)).toBe('😀😀…')
  expect(plainLine('abc', 3)).toBe('abc')
})

test('whatever comes, one line of no more than was allowed goes out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 50 }), (text, max) => {
      const line = plainLine(text, max)
      expect([...line].length).toBeLessThanOrEqual(max)
      expect(line).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029]/u)
    }),
  )
})
