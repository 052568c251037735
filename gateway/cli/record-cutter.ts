/**
 * Cuts a stream of CSV into pieces that end where a record ends, so that each piece can be parsed apart from the rest.
 *
 * A line break inside quotes is part of a field, so the cutter follows the quotes by the same rules as the parser
 * (`csv-parse` with `relax_quotes`): a quote opens a field only at its beginning, a doubled quote inside is a literal
 * one, and a quote in the middle of an unquoted field means nothing. It jumps from quote to quote, not byte by byte.
 */
import { DoorbusterError } from '../../engine/errors.js'

const QUOTE = 0x22
const COMMA = 0x2c
const NEWLINE = 0x0a

/** A quoted field longer than this is a quote that someone forgot to close. */
const RECORD_BYTES_MAX = 16 * 1024 * 1024

export class RecordCutter {
  private rest: Buffer = Buffer.alloc(0)
  /** Up to here `rest` has been looked at. */
  private at = 0
  private quoted = false
  /** Behind the last record that is whole. */
  private recordEnd = 0

  /** A piece is cut once this many bytes have come; the pieces are about as long. */
  constructor(private readonly pieceBytes: number) {}

  /** Takes the next bytes, whatever their borders; gives back a piece where one is complete. */
  push(bytes: Buffer): Buffer | undefined {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes])
    this.scan()
    if (this.rest.length < this.pieceBytes || this.recordEnd === 0) {
      if (this.rest.length - this.recordEnd > RECORD_BYTES_MAX) {
        throw new DoorbusterError(
          'bad_file',
          `a record is longer than ${RECORD_BYTES_MAX} bytes: is a quote left open?`,
        )
      }
      return undefined
    }
    const piece = this.rest.subarray(0, this.recordEnd)
    this.rest = this.rest.subarray(this.recordEnd)
    this.at -= this.recordEnd
    this.recordEnd = 0
    return piece
  }

  /** What is left at the end, if anything. */
  end(): Buffer | undefined {
    const { rest } = this
    this.rest = Buffer.alloc(0)
    return rest.length === 0 ? undefined : rest
  }

  private scan(): void {
    const { rest } = this
    for (;;) {
      const quote = rest.indexOf(QUOTE, this.at)
      const until = quote < 0 ? rest.length : quote
      if (!this.quoted) {
        const newline = until === 0 ? -1 : rest.lastIndexOf(NEWLINE, until - 1)
        if (newline >= this.at) this.recordEnd = newline + 1
      }
      if (quote < 0) {
        this.at = rest.length
        return
      }
      if (!this.quoted) {
        this.quoted = this.opensField(quote)
        this.at = quote + 1
      } else if (quote + 1 === rest.length) {
        // Whether this one closes or is doubled is known with the next byte.
        this.at = quote
        return
      } else if (rest[quote + 1] === QUOTE) {
        this.at = quote + 2
      } else {
        this.quoted = false
        this.at = quote + 1
      }
    }
  }

  private opensField(quote: number): boolean {
    // A piece begins with a record, so that there is nothing before its first byte.
    if (quote === 0) return true
    const before = this.rest[quote - 1]
    return before === COMMA || before === NEWLINE
  }
}
