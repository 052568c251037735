import { describe, expect, it } from 'vitest'
import * as wire from './wire.js'

/** The table that clients are written against. A change here breaks them. */
describe('the packed frame', () => {
  it('has the sizes and marks of the contract', () => {
    expect(wire.FRAME_VERSION).toBe(1)
    expect(wire.FRAME_HEADER_BYTES).toBe(8)
    expect(wire.REPLY_FLAG).toBe(0x80)
    expect(wire.REPLY_RECORD_BYTES).toBe(8)
    expect(wire.ANY_LOCATION).toBe(0xffff)
    expect(wire.NO_LOCATION).toBe(0xffff)
  })

  it('has the operations of the contract and the sizes of their records', () => {
    expect(wire.Operation).toMatchObject({ reserve: 1, confirm: 2, release: 3 })
    expect([1, 2, 3].map(wire.recordBytes)).toEqual([40, 20, 20])
    expect([0, 0x81, 255].map(wire.recordBytes)).toEqual([0, 0, 0])
    const known = Object.values(wire.Operation)
    for (let operation = 0; operation < 256; operation++) {
      const bytes = wire.recordBytes(operation)
      expect(bytes > 0).toBe(known.some((one) => one === operation))
      // Records lie behind one another in the log's words.
      expect(bytes % 4).toBe(0)
    }
  })

  it('has the statuses of the contract, with their codes', () => {
    const codes = [
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
    ]
    expect(wire.STATUS_CODES).toEqual(codes)
    const named = Object.entries(wire.Status).map(([name, status]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      status,
    ])
    expect(named).toEqual(codes.map((code, status) => [code, status]))
  })

  it('has the limits of the contract', () => {
    expect(wire.QUANTITY_MAX).toBe(2 ** 31 - 1)
    expect(wire.TTL_SECONDS_MAX).toBe(604_800)
    expect(wire.TTL_SECONDS_DEFAULT).toBe(900)
  })
})
