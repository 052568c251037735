/** A business rule as data: when its condition holds for an order, its actions are done. */

export const LOCATION_TYPES = ['warehouse', 'store', 'dropship', '3pl'] as const
export type LocationType = (typeof LOCATION_TYPES)[number]

export type RuleAction =
  | { type: 'hold'; reason: string }
  | { type: 'tag'; tag: string }
  /** 0 is the most urgent, 9 the least. */
  | { type: 'priority'; priority: number }
  /** Names of locations: no other may be sourced from. */
  | { type: 'onlyLocations'; locations: string[] }
  | { type: 'excludeLocations'; locations: string[] }
  | { type: 'locationTypes'; types: LocationType[] }
  | { type: 'service'; service: string }
  | { type: 'allowSplit'; allow: boolean }
  /** Lines whose product differs in this attribute travel in different parcels (hazardous, frozen, oversize). */
  | { type: 'splitBy'; attribute: string }
  | { type: 'review'; reason: string }
  /** Ends the evaluation: no later rule is tried. */
  | { type: 'reject'; reason: string }

export interface Rule {
  id: string
  version: number
  name: string
  /** Lower is tried first; ties by id, by code units. */
  order: number
  enabled: boolean
  /** Valid from this log time, inclusive, in ms. */
  from: number
  /** Valid until this log time, exclusive, in ms; null for ever. */
  until: number | null
  /** A CEL expression over the facts that gives a bool; see `rewriting.ts` for the part of CEL that is allowed. */
  condition: string
  actions: RuleAction[]
}
