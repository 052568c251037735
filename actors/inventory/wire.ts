/**
 * The packed frame: what a buyer's reservation looks like on the wire, in the mailbox and in the log. One layout from
 * end to end, so that no object is made for a record on its way.
 *
 * All little-endian.
 *
 *   frame header, 8 bytes
 *     0  u8   version (1)
 *     1  u8   operation; a reply has operation | 0x80
 *     2  u16  count of records
 *     4  u32  frame number, echoed in the reply
 *
 *   reserve record, 40 bytes
 *     0  u8[16] reservation id (UUID)
 *    16  u64  buyer (0: none)
 *    24  u32  SKU index
 *    28  u32  quantity
 *    32  u32  time to live in seconds (0: default)
 *    36  u16  location index (0xFFFF: any)
 *    38  u16  flags: 0 on the wire; inside, the index of the channel that the socket speaks for
 *
 *   confirm and release record, 20 bytes
 *     0  u8[16] reservation id
 *    16  u32  SKU index
 *
 *   count record, 16 bytes: an absolute count of stock, for bulk import
 *     0  u32  SKU index
 *     4  u32  on hand
 *     8  u32  safety stock
 *    12  u16  location index
 *    14  u16  0
 *
 *   reply record, 8 bytes
 *     0  u8   status
 *     1  u8   replayed (1: the id was seen before and this is its first answer)
 *     2  u16  location index (0xFFFF: none)
 *     4  u32  remaining: the SKU's ATP after it, saturating
 */

export const FRAME_VERSION = 1
export const FRAME_HEADER_BYTES = 8
export const REPLY_FLAG = 0x80
export const REPLY_RECORD_BYTES = 8
export const ANY_LOCATION = 0xffff
/** A reply's location where there is none; the same bits as "any", in the other direction. */
export const NO_LOCATION = 0xffff

/**
 * The first words of the ids under which orders hold stock. As a UUID's they would name a version 0, which there is not, so
 * they are refused from outside and no caller can take one beforehand.
 */
export const ALLOCATION_MARK_0 = 0x524f_4f44
export const ALLOCATION_MARK_1 = 0x0000_4c4c

export const Operation = { reserve: 1, confirm: 2, release: 3, count: 4 } as const
export type Operation = (typeof Operation)[keyof typeof Operation]

/** Bytes of one record of an operation; 0 where there is no such operation. */
export function recordBytes(operation: number): number {
  switch (operation) {
    case Operation.reserve:
      return 40
    case Operation.confirm:
    case Operation.release:
      return 20
    case Operation.count:
      return 16
    default:
      return 0
  }
}

export const Status = {
  done: 0,
  insufficientStock: 1,
  unknownSku: 2,
  unknownLocation: 3,
  buyerLimit: 4,
  saleClosed: 5,
  invalid: 6,
  conflict: 7,
  overloaded: 8,
  expired: 9,
  unknownReservation: 10,
} as const
export type Status = (typeof Status)[keyof typeof Status]

/** The stable code of each status, as problem documents and clients name it. */
export const STATUS_CODES = [
  'done',
  'insufficient_stock',
  'unknown_sku',
  'unknown_location',
  'buyer_limit',
  'sale_closed',
  'invalid',
  'conflict',
  'overloaded',
  'expired',
  'unknown_reservation',
] as const
export type StatusCode = (typeof STATUS_CODES)[number]

export const QUANTITY_MAX = 0x7fff_ffff
export const TTL_SECONDS_MAX = 604_800
export const TTL_SECONDS_DEFAULT = 900
