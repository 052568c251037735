/**
 * Every limit of the rules, with its reason. The state depends on them, so they are constants of the format: a replay
 * refuses what the first run refused.
 */

/** SKUs of one partition: the primary stock blocks and the SKU table are laid out for as many (address space). */
export const SKUS_MAX = 4_194_304

/** Stock blocks beyond the first of each SKU: 1,000,000 SKUs at 23 locations need 7,000,000. */
export const STOCK_BLOCKS_MAX = 16_777_216

/** Reservations remembered in one partition, live and ended: 64 bytes each, 4 GiB of address space. */
export const RESERVATIONS_MAX = 67_000_000

/**
 * Ended reservations that are still remembered, so that a late repeat gets its first answer: the oldest are forgotten
 * first. Half a minute of a busy sale, and 80 MiB.
 */
export const ENDED_KEPT = 1_048_576

/** Locations: their index is 16 bits on the wire and 0xFFFF means any. */
export const LOCATIONS_MAX = 4_096

/** Channels: their index is 16 bits inside a reservation. */
export const CHANNELS_MAX = 1_024

/** Pools (a sale's or a channel's share of one SKU) of a partition. */
export const POOLS_MAX = 1_048_576

/** Pools of one SKU: all are looked at when it is reserved. */
export const POOLS_PER_SKU = 32

/** SKUs of one sale: its pools are made in one step. */
export const SALE_ITEMS_MAX = 10_000

/** Sales that wait to be carried out in all partitions. */
export const SALE_OFFERS_MAX = 64

/** Channels of one sale: they stand in the pool's record. */
export const CHANNELS_PER_SALE = 8

/** Buyers whose units are counted against a limit, in one partition. */
export const BUYERS_MAX = 16_777_216

/** Bytes of a SKU, location or channel name. */
export const NAME_BYTES_MAX = 128

/** Supply lines that are open for one SKU. */
export const SUPPLY_PER_SKU = 256

/** Requests whose idempotency key is remembered in one partition. */
export const IDEMPOTENCY_KEYS_KEPT = 1_000_000
