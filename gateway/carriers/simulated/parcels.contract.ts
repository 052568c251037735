/** A parcel and its places, as the tests of carriers and labels have them. */
import type { Party, RateRequest } from '../carrier.js'

export const LEEDS: Party = {
  ...{ name: 'Warehouse North', line1: 'Dock 7', city: 'Leeds', postalCode: 'LS1 4AP', country: 'GB' },
  ...{ latitude: 53.8, longitude: -1.55 },
}
export const LONDON: Party = {
  ...{ name: 'Ada Byron', line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
  ...{ latitude: 51.5, longitude: -0.13 },
}
export const PARIS: Party = {
  ...{ name: 'Ada Byron', line1: '5 rue de la Paix', city: 'Paris', postalCode: '75002', country: 'FR' },
  ...{ latitude: 48.87, longitude: 2.33 },
}

/** Packed on a Wednesday at ten in the morning. */
export const PARCEL: RateRequest = {
  ...{ from: LEEDS, to: LONDON, weightGrams: 1_200, readyMs: Date.parse('2026-11-25T10:00:00Z') },
}
