import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Operation } from '../../actors/inventory/wire.js'
import { CountFrameWriter, HoldFrameWriter, ReplyReader, ReserveFrameWriter, uuidBytes } from './frames.js'

const id = fc.uint8Array({ minLength: 16, maxLength: 16 })
const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const buyer = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }))

describe('packed frames', () => {
  it('carry every reservation as the layout says', () => {
    const record = fc.record({ id, sku: u32, quantity: u32, ttl: u32, buyer, location: u16 })
    const writer = new ReserveFrameWriter(64)
    fc.assert(
      fc.property(u32, fc.array(record, { minLength: 1, maxLength: 64 }), (frame, records) => {
        writer.begin(frame)
        for (const r of records) writer.add(r.id, 0, r.sku, r.quantity, r.ttl, r.buyer, r.location)
        const bytes = Buffer.from(writer.finish())
        expect([...bytes.subarray(0, 2)]).toEqual([1, Operation.reserve])
        expect(bytes.readUInt16LE(2)).toBe(records.length)
        expect(bytes.readUInt32LE(4)).toBe(frame)
        expect(bytes.length).toBe(8 + 40 * records.length)
        records.forEach((r, i) => {
          const at = 8 + 40 * i
          expect(bytes.subarray(at, at + 16)).toEqual(Buffer.from(r.id))
          expect(bytes.readBigUInt64LE(at + 16)).toBe(BigInt(r.buyer))
          const words = [24, 28, 32].map((offset) => bytes.readUInt32LE(at + offset))
          expect(words).toEqual([r.sku, r.quantity, r.ttl])
          expect(bytes.readUInt16LE(at + 36)).toBe(r.location)
          expect(bytes.readUInt16LE(at + 38)).toBe(0)
        })
      }),
    )
  })

  it('carry confirmations and releases with ids taken from the middle of a larger buffer', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(id, u32), { minLength: 1, maxLength: 32 }), (holds) => {
        const ids = Buffer.concat(holds.map(([bytes]) => bytes))
        for (const operation of [Operation.confirm, Operation.release] as const) {
          const writer = new HoldFrameWriter(operation, 32)
          writer.begin(9)
          holds.forEach(([, sku], i) => void writer.add(ids, 16 * i, sku))
          const bytes = Buffer.from(writer.finish())
          expect(bytes[1]).toBe(operation)
          holds.forEach(([bytes16, sku], i) => {
            expect(bytes.subarray(8 + 20 * i, 24 + 20 * i)).toEqual(Buffer.from(bytes16))
            expect(bytes.readUInt32LE(24 + 20 * i)).toBe(sku)
          })
        }
      }),
    )
  })

  it('carry counts of stock', () => {
    const writer = new CountFrameWriter(2)
    writer.begin(1)
    writer.add(7, 1_000_000, 12, 3)
    writer.add(8, 0, 0, 0)
    const bytes = Buffer.from(writer.finish())
    expect(bytes.length).toBe(8 + 2 * 16)
    expect([bytes.readUInt32LE(8), bytes.readUInt32LE(12), bytes.readUInt32LE(16)]).toEqual([7, 1_000_000, 12])
    expect(bytes.readUInt16LE(20)).toBe(3)
  })

  it('refuse a record more than they hold', () => {
    const writer = new HoldFrameWriter(Operation.release, 1)
    writer.begin(1)
    writer.add(new Uint8Array(16), 0, 1)
    expect(writer.isFull).toBe(true)
    expect(() => writer.add(new Uint8Array(16), 0, 1)).toThrow(expect.objectContaining({ code: 'invalid' }))
  })
})

describe('replies', () => {
  it('are read record by record', () => {
    const reply = fc.record({ status: fc.nat(255), replayed: fc.boolean(), location: u16, remaining: u32 })
    const reader = new ReplyReader()
    fc.assert(
      fc.property(u32, fc.array(reply, { maxLength: 64 }), (frame, replies) => {
        const bytes = Buffer.alloc(8 + 8 * replies.length)
        bytes.set([1, 0x81])
        bytes.writeUInt16LE(replies.length, 2)
        bytes.writeUInt32LE(frame, 4)
        replies.forEach((r, i) => {
          bytes.set([r.status, r.replayed ? 1 : 0], 8 + 8 * i)
          bytes.writeUInt16LE(r.location, 10 + 8 * i)
          bytes.writeUInt32LE(r.remaining, 12 + 8 * i)
        })
        expect(reader.read(bytes)).toBe(true)
        expect([reader.operation, reader.frame, reader.count]).toEqual([Operation.reserve, frame, replies.length])
        const read = replies.map((_, i) => ({
          status: reader.status(i),
          replayed: reader.replayed(i),
          location: reader.location(i),
          remaining: reader.remaining(i),
        }))
        expect(read).toEqual(replies)
      }),
    )
  })

  it('are refused when they are cut short, of another version, or requests', () => {
    const reader = new ReplyReader()
    const good = Buffer.from([1, 0x81, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(reader.read(good)).toBe(true)
    for (let length = 0; length < good.length; length++) expect(reader.read(good.subarray(0, length))).toBe(false)
    expect(reader.read(Buffer.from([2, ...good.subarray(1)]))).toBe(false)
    expect(reader.read(Buffer.from([1, 1, ...good.subarray(2)]))).toBe(false)
  })
})

describe('ids', () => {
  it('are UUIDs written as text, in the order of their digits', () => {
    expect(Buffer.from(uuidBytes('00112233-4455-8677-8899-AABBCCDDEEFF')).toString('hex')).toBe(
      '00112233445586778899aabbccddeeff',
    )
    expect(() => uuidBytes('order-17')).toThrow(expect.objectContaining({ code: 'invalid' }))
  })
})
