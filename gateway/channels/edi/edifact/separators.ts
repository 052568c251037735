/**
 * The service characters of an EDIFACT interchange (ISO 9735): those of UNA, or the standard's own where there is none.
 *
 *     UNA:+.? '
 *        │││││└ segment terminator
 *        ││││└─ not used (a repetition separator in syntax version 4)
 *        │││└── release character; a space: there is none
 *        ││└─── decimal mark
 *        │└──── element separator
 *        └───── component separator
 */
import { isSeparatorSign } from '../separator-sign.js'

export interface Separators {
  component: string
  element: string
  decimal: string
  /** Empty: there is none. */
  release: string
  terminator: string
}

export const UNA_CHARS = 9
export const STANDARD: Separators = { component: ':', element: '+', decimal: '.', release: '?', terminator: "'" }

/** Those that UNA at `offset` names; undefined where it is none. */
export function readUna(text: string, offset: number): Separators | undefined {
  if (!text.startsWith('UNA', offset) || text.length < offset + UNA_CHARS) return undefined
  const at = (place: number) => text.charAt(offset + place)
  const release = at(6) === ' ' ? '' : at(6)
  const separators = { component: at(3), element: at(4), decimal: at(5), release, terminator: at(8) }
  const { component, element, decimal, terminator } = separators
  const signs = [component, element, terminator, ...(release === '' ? [] : [release])]
  const usable = signs.every(isSeparatorSign) && /^[.,]$/.test(decimal)
  // The decimal mark may stand for itself only: a comma that also separates would make two of one number.
  return usable && new Set([...signs, decimal]).size === signs.length + 1 ? separators : undefined
}

/** Where the segment that begins at `from` ends: the place of its terminator, or -1. Released terminators do not count. */
export function segmentEnd(text: string, from: number, { terminator, release }: Separators): number {
  for (let at = text.indexOf(terminator, from); at >= 0; at = text.indexOf(terminator, at + 1)) {
    let released = 0
    while (release !== '' && at - 1 - released >= from && text.charAt(at - 1 - released) === release) released++
    if (released % 2 === 0) return at
  }
  return -1
}
