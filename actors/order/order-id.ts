/** Which partition an order belongs to: by its id, the same for ever. */

/** FNV-1a over the id's characters with a last mixing, so that ids in sequence spread. */
export function orderPartition(id: string, partitions: number): number {
  if (partitions === 1) return 0
  let hash = 0x811c_9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x0100_0193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  return ((hash ^ (hash >>> 13)) >>> 0) % partitions
}

export const fulfillmentId = (order: string, number: number): string => `${order}-${number}`

/** The order and number that a fulfillment's (or exception's) id names; undefined where it names none. */
export function parseFulfillmentId(id: string): { order: string; number: number } | undefined {
  const at = id.lastIndexOf('-')
  const number = Number(id.slice(at + 1))
  return at > 0 && Number.isSafeInteger(number) && number > 0 && /^\d+$/.test(id.slice(at + 1))
    ? { order: id.slice(0, at), number }
    : undefined
}
