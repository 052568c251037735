import { describe, expect, it } from 'vitest'
import { decoded } from './reading.js'

const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

describe('characters of a partner’s file', () => {
  it('X12 is read as UTF-8 where it is that, and as Latin-1 where it is not', () => {
    expect(decoded(utf8('ISA*00*N1*ST*Adé~'))).toBe('ISA*00*N1*ST*Adé~')
    expect(decoded(latin1('ISA*00*N1*ST*Adé~'))).toBe('ISA*00*N1*ST*Adé~')
  })

  it('EDIFACT is read in the set that its syntax level names, whatever else the bytes may be', () => {
    expect(decoded(latin1("UNB+UNOC:3+A'NAD+DP+++Adé'"))).toContain('Adé')
    expect(decoded(utf8("UNB+UNOC:3+A'NAD+DP+++Adé'"))).toContain('AdÃ©')
    expect(decoded(utf8("UNA:+.? 'UNB+UNOW:4+A'NAD+DP+++Adé'"))).toContain('Adé')
    const latin2 = Buffer.concat([Buffer.from('UNB+UNOD:3+'), Buffer.from([0xb1])])
    expect(decoded(new Uint8Array(latin2))).toBe('UNB+UNOD:3+ą')
  })
})
