/** The number of each arena in a checkpoint: one meaning each, for ever. 0 is the engine's outbox. */
export const ArenaId = {
  skuNameBytes: 1,
  skuNames: 2,
  locationNameBytes: 3,
  locationNames: 4,
  channelNameBytes: 5,
  channelNames: 6,
  skus: 10,
  stockBlocks: 11,
  stockCounters: 12,
  reservations: 20,
  reservationCounters: 21,
  reservationTimers: 22,
  buyers: 30,
  pools: 40,
  poolTimers: 41,
  idempotency: 50,
} as const
