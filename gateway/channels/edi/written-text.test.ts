import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ascii, checkedSscc, latin1, UnwritableDocument } from './written-text.js'

describe('text on its way into a document', () => {
  it('keeps what a reader of the level can show and transliterates the rest', () => {
    expect(latin1('  Zoë’s\ncafé – 5 €  ')).toBe("Zoë's café - 5 EUR")
    expect(ascii('Zoë Straße Łódź Ærø')).toBe('Zoe Strasse Lodz AEro')
    expect(ascii('東京')).toBe('??')
  })

  it('is one line of the level’s characters whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(/^[\x20-\x7e]*$/.test(ascii(text))).toBe(true)
        expect(/^[\x20-\x7e\xa1-\xff]*$/.test(latin1(text))).toBe(true)
      }),
    )
  })

  it('has an SSCC only where its check digit is right', () => {
    expect(checkedSscc('106141411234567897')).toBe('106141411234567897')
    expect(() => checkedSscc('106141411234567898')).toThrow(UnwritableDocument)
    expect(() => checkedSscc('10614141123456789')).toThrow('18 digits')
  })
})
