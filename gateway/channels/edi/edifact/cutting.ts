/**
 * Cuts a file of EDIFACT into interchanges and raw segments, each with the separators in force there. Here alone released
 * characters matter before the library reads: a terminator that a text holds ends nothing.
 */
import type { FaultList } from '../faults.js'
import { INTERCHANGES_MAX } from '../limits.js'
import { readUna, type Separators, STANDARD, segmentEnd, UNA_CHARS } from './separators.js'

export interface Piece {
  offset: number
  separators: Separators
  raw: string[]
  /** What is left without a terminator. */
  rest: string
}

/** The file in interchanges, each in segments. */
export function cut(text: string, faults: FaultList): Piece[] {
  const pieces: Piece[] = []
  let current: Piece | undefined
  let separators = STANDARD
  let at = 0
  const begin = (offset: number) => {
    current = { offset, separators, raw: [], rest: '' }
    pieces.push(current)
  }
  while (at < text.length) {
    if (/\s/.test(text.charAt(at))) {
      at++
      continue
    }
    const una = readUna(text, at)
    if (una && /^\s*UNB/.test(text.slice(at + UNA_CHARS, at + UNA_CHARS + 16))) {
      separators = una
      if (pieces.length >= INTERCHANGES_MAX) break
      begin(at)
      at += UNA_CHARS
      continue
    }
    if (text.startsWith('UNB', at)) {
      // UNB behind UNA belongs to the interchange that UNA began; any other begins one of its own.
      if (!current || current.raw.length > 0) {
        if (text.startsWith(`UNB${STANDARD.element}`, at)) separators = STANDARD
        if (pieces.length >= INTERCHANGES_MAX) break
        begin(at)
      }
    }
    const end = segmentEnd(text, at, separators)
    const raw = text.slice(at, end < 0 ? text.length : end)
    const next = lostStart(raw, separators)
    if (next > 0) {
      if (current) current.rest = raw.slice(0, next)
      else tellStray(raw.slice(0, next), at, faults)
      current = undefined
      at += next
      continue
    }
    if (!current) tellStray(raw, at, faults)
    else if (end < 0) current.rest = raw
    else current.raw.push(raw)
    at = end < 0 ? text.length : end + 1
  }
  if (at < text.length) {
    const message = `a file has at most ${INTERCHANGES_MAX} interchanges; send the others in another`
    faults.add({ severity: 'rejected', interchange: '', offset: at, message })
  }
  return pieces
}

/** Where in a segment that has lost its end the next interchange begins: with the separators in use, never in released text. */
function lostStart(raw: string, { element, component }: Separators): number {
  const at = raw.indexOf(`UNB${element}UNO`, 1)
  if (at <= 0 || raw.charAt(at + 8) !== component) return -1
  const before = raw.slice(Math.max(0, at - UNA_CHARS - 2), at)
  const una = before.lastIndexOf('UNA')
  return una < 0 ? at : at - before.length + una
}

function tellStray(raw: string, offset: number, faults: FaultList): void {
  const message = `“${raw.slice(0, 40)}” stands outside of any interchange and was not read`
  faults.add({ severity: 'rejected', interchange: '', offset, message })
}
