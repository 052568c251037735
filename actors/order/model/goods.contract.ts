/** What the retailer of the model sells, where from, and to whom. */
import { DEFAULT_SETTINGS, type OrderSettings } from '../settings.js'

/** Plain, plain with backorder, plain, backorder; kits of the first two and of the others. */
export const SKUS = [0, 1, 2, 3, 4, 5] as const
export const BACKORDER = [1, 3]
export const KITS: Record<number, { sku: number; quantity: number }[]> = {
  4: [
    { sku: 0, quantity: 1 },
    { sku: 1, quantity: 2 },
  ],
  5: [
    { sku: 2, quantity: 2 },
    { sku: 3, quantity: 1 },
  ],
}
export const LOCATIONS = [0, 1, 2, 3] as const
export const CAPACITY = [1_000, 5, 1_000, 2]
/** Locations whose days are never full. */
export const ROOMY = [0, 2]
export const CHANNELS = ['web', 'shop', 'phone'] as const
export const CUSTOMERS = ['ann', 'bob', 'cid'] as const
export const START_MS = 1_700_000_000_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
/** Holds live for a quarter of an hour: who waits longer lets messages arrive first. */
export const HOLD_MS = 900_000
export const SEALED = new Uint8Array([1, 2, 3])
export const ADDRESS = { city: 'York', postalCode: 'YO1', country: 'GB', latitude: 54, longitude: -1, sealed: SEALED }

/** Terms of returns: reasons with a fee, at the retailer's cost, that are refused, and with a warranty. */
export const SETTINGS: OrderSettings = {
  ...DEFAULT_SETTINGS,
  returns: {
    ...DEFAULT_SETTINGS.returns,
    reasons: { ...DEFAULT_SETTINGS.returns.reasons, regret: { fee: 0.1 }, hygiene: { isRefused: true } },
  },
}

export const stockKey = (sku: number, location: number): string => `${sku} at ${location}`
export const priceOf = (sku: number): number => 10_000 * (1 + (sku % 3))
