import { expect, test } from 'vitest'
import { FRAME_HEADER_BYTES, Operation } from '../actors/inventory/wire.js'
import { FrameRing, IdSource, SkuWalk } from './load-frames.js'
import { frameHeadBytes } from './socket.js'

test.each([1, 2, 64, 1_024])(
  'a slot of %i records is a whole WebSocket message with a packed frame in it',
  (records) => {
    const ring = new FrameRing(Operation.reserve, 3, records, 600)
    ring.fillReserve(2, new IdSource(), new SkuWalk(Uint32Array.of(70_000)))
    const frame = ring.bytes.subarray(2 * ring.slotBytes, 3 * ring.slotBytes)
    const payloadBytes = FRAME_HEADER_BYTES + 40 * records
    const head = frameHeadBytes(payloadBytes)
    const payload = frame.subarray(head)
    expect(frame[0]).toBe(0x82)
    expect(payload.length).toBe(payloadBytes)
    expect([payload[0], payload[1], payload.readUInt16LE(2), payload.readUInt32LE(4)]).toEqual([1, 1, records, 2])
    const last = payload.subarray(-40)
    expect(last.toString('hex', 0, 16)).toMatch(/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/)
    expect([last.readBigUInt64LE(16), last.readUInt32LE(24), last.readUInt32LE(28)]).toEqual([0n, 70_000, 1])
    expect([last.readUInt32LE(32), last.readUInt16LE(36), last.readUInt16LE(38)]).toEqual([600, 0xffff, 0])
  },
)

test('slots that are free and lie together are taken together; one in flight is passed over', () => {
  const ring = new FrameRing(Operation.reserve, 4, 1)
  ring.sentAtMs[2] = 5
  expect(ring.take(8)).toEqual({ first: 0, end: 2 })
  expect(ring.take(8)).toEqual({ first: 3, end: 4 })
  ring.sentAtMs.fill(5)
  expect(() => ring.take(1)).toThrow('in flight')
})

test('ids do not repeat', () => {
  const ids = new IdSource()
  const words = new Uint16Array(8)
  const seen = new Set<string>()
  for (let i = 0; i < 20_000; i++) {
    ids.write(words, 0)
    seen.add(words.join())
  }
  expect(seen.size).toBe(20_000)
})

test('a walk visits each SKU once before it visits one again', () => {
  const walk = new SkuWalk(Uint32Array.from({ length: 100 }, (_, i) => i))
  for (let lap = 0; lap < 2; lap++) {
    expect(new Set(Array.from({ length: 100 }, () => walk.next())).size).toBe(100)
  }
})
