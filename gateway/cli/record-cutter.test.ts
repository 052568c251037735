import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordCutter } from './record-cutter.js'

const records = (bytes: Buffer): string[][] =>
  parse(bytes, {
    relax_quotes: true,
    relax_column_count: true,
    skip_records_with_error: true,
    record_delimiter: ['\r\n', '\n'],
  })

/** Pushes `text` in chunks of the given lengths, over and over. */
function cut(text: string, pieceBytes: number, chunkLengths: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text)
  const cutter = new RecordCutter(pieceBytes)
  const pieces: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = chunkLengths[turn % chunkLengths.length] ?? 1
    const piece = cutter.push(bytes.subarray(at, at + length))
    if (piece) pieces.push(piece)
    at += length
  }
  const last = cutter.end()
  if (last) pieces.push(last)
  return pieces
}

describe('cutting CSV', () => {
  it('does not cut inside a quoted field with line breaks, commas and doubled quotes', () => {
    const text = 'a,"one\nline, ""two""\n",b\nc,7" wide,d\n"x","","y\n"\nz,,\n'
    const pieces = cut(text, 1, [3])
    expect(pieces.map(String)).toEqual(['a,"one\nline, ""two""\n",b\n', 'c,7" wide,d\n', '"x","","y\n"\n', 'z,,\n'])
  })

  it('gives pieces that parse to the records of the whole, whatever the text and the borders of its chunks', () => {
    const field = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', '7', ' ', '£'), maxLength: 4 }),
      fc
        .string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n'), maxLength: 6 })
        .map((text) => `"${text.replaceAll('"', '""')}"`),
    )
    const wellFormed = fc.array(
      fc.array(field, { minLength: 2, maxLength: 4 }).map((fields) => fields.join(',')),
      { maxLength: 20 },
    )
    const hostile = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', 'b'), maxLength: 80 })
    const text = fc.oneof(
      wellFormed.map((lines) => lines.join('\n')),
      wellFormed.map((lines) => `${lines.join('\r\n')}\r\n`),
      hostile,
    )
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
        (whole, pieceBytes, chunks) => {
          const pieces = cut(whole, pieceBytes, chunks)
          expect(Buffer.concat(pieces).toString()).toBe(whole)
          expect(pieces.flatMap(records)).toEqual(records(Buffer.from(whole)))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('stops at a quote that is never closed instead of filling the memory', () => {
    const cutter = new RecordCutter(1024)
    const filler = Buffer.alloc(4 * 1024 * 1024, 'x\n')
    cutter.push(Buffer.from('a,"b\n'))
    expect(() => {
      for (let i = 0; i < 10; i++) cutter.push(filler)
    }).toThrow(/is a quote left open/)
  })
})
