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

/** Bytes of an order's id: it stands in the record of its timer. */
export const ORDER_ID_BYTES_MAX = 40

/** Orders of a partition for which something is still due: 64 bytes each, 1 GiB of address space. */
export const OPEN_ORDERS_MAX = 16_777_216

/** Lines of one order, the components of its kits included: its document is one value of the store, a few MiB at most. */
export const ORDER_LINES_MAX = 5_000

/**
 * Orders of a window (order-windows.ts), which are about what one checkpoint writes; and windows that there may be, 8 bytes
 * each: the last one takes what comes after a thousand million orders.
 */
export const ORDERS_PER_WINDOW = 16_384
export const ORDER_WINDOWS_MAX = 65_533

/** Windows that one page of a list looks into: some 4 ms where nothing is found. */
export const ORDER_WINDOWS_PER_PAGE = 512

/** Orders that are kept decoded although nothing of them is new: some 20 MiB. */
export const ORDERS_DECODED_MAX = 2_000

/** Entries of one order's timeline; it is never edited, so an order that has more takes no more commands. */
export const TIMELINE_MAX = 5_000

/** How often an order asks for stock again where another was faster, before it takes what is there or waits. */
export const SOURCING_ATTEMPTS_MAX = 5

/** Orders that wait for one SKU; more are refused a place and ask for one again by their own timers. */
export const WAITING_PER_SKU_MAX = 50_000

/** When an order asks again for a place on a waiting list that was full: such a list empties with deliveries, not in minutes. */
export const WAITING_RETRY_MS = 15 * 60_000

/** Orders that are woken in one entry of the log, when stock has come: some milliseconds of sourcing. */
export const WAKES_PER_ENTRY = 64

/** Returns of one order: they are a part of its document. */
export const RETURNS_PER_ORDER_MAX = 100

/** Ids of commands that a fulfillment order remembers, so that one that comes twice counts once. */
export const COMMANDS_REMEMBERED = 16
