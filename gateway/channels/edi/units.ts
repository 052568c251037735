/** How many pieces a unit of measure is: X12's element 355 and EDIFACT's 6411, and what the partner's settings add. */
import type { EdiSettings } from './settings.js'

const PIECES = new Map([
  ['', 1],
  ['EA', 1],
  ['UN', 1],
  ['PC', 1],
  ['PCE', 1],
  ['C62', 1],
  ['H87', 1],
  ['NAR', 1],
  ['DZ', 12],
  ['DZN', 12],
])

/** Undefined: nobody has said, and cases must not be taken for pieces. */
export const piecesIn = (unit: string, { units }: EdiSettings): number | undefined =>
  Object.hasOwn(units, unit) ? units[unit] : PIECES.get(unit)

export const unknownUnit = (unit: string): string =>
  `how many pieces is a “${unit.slice(0, 10)}”? name it in the settings’ units`
