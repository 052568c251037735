import { crc32c } from '@node-rs/crc32'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DamageError } from '../errors.js'
import { LOG_START } from './log.js'
import { BatchRecord, checkRecord, EntryKind, RECORD_FORMAT, RECORD_HEADER_BYTES } from './record.js'

interface Entry {
  kind: EntryKind
  detail: number
  origin: number
  commands: number
  payload: Uint8Array
}

const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const entry: fc.Arbitrary<Entry> = fc.record({
  kind: fc.constantFrom(...Object.values(EntryKind)),
  detail: u32,
  origin: fc.nat(63),
  commands: fc.integer({ min: 1, max: 256 }),
  payload: fc.uint8Array({ maxLength: 50 }),
})
const entries = fc.array(entry, { maxLength: 20 })

function batchOf(entries: Entry[], bytesMax = 4_096): BatchRecord {
  const batch = new BatchRecord(5, bytesMax)
  for (const entry of entries) addTo(batch, entry)
  return batch
}

const addTo = (batch: BatchRecord, { kind, detail, origin, commands, payload }: Entry): void =>
  batch.add(kind, detail, origin, commands, payload, 0, payload.length)

/** The entries as the layout draws them. */
function entriesIn(record: Uint8Array): Omit<Entry, 'commands'>[] {
  const bytes = Buffer.from(record)
  const found: Omit<Entry, 'commands'>[] = []
  for (let at = RECORD_HEADER_BYTES; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at)
    found.push({
      // What was written is one of the kinds.
      kind: bytes.readUInt32LE(at + 4) as EntryKind,
      detail: bytes.readUInt32LE(at + 8),
      origin: bytes.readUInt32LE(at + 12),
      payload: Uint8Array.from(bytes.subarray(at + 16, at + 16 + length)),
    })
    const padding = bytes.subarray(at + 16 + length, at + 16 + ((length + 7) & ~7))
    expect(
      padding.every((byte) => byte === 0),
      'what pads an entry is nought',
    ).toBe(true)
    at += 16 + ((length + 7) & ~7)
  }
  return found
}

const plain = ({ commands: _, ...rest }: Entry): Omit<Entry, 'commands'> => rest

describe('a batch', () => {
  it('lies in the record as the layout draws it', () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 2, max: 1_000_000 }), u32, (entries, sequence, crc) => {
        const batch = batchOf(entries)
        const record = Buffer.from(batch.seal({ sequence, crc }, 1_700_000_000_123, sequence - 2))
        expect(record.length).toBe(batch.length)
        expect(record.readUInt32LE(0)).toBe(crc32c(record.subarray(4)))
        expect(record.readUInt32LE(4)).toBe(record.length)
        expect(record.readDoubleLE(8)).toBe(sequence + 1)
        expect(record.readDoubleLE(16)).toBe(1_700_000_000_123)
        const words = [24, 28, 32, 36, 40, 44].map((at) => record.readUInt32LE(at))
        const commands = entries.reduce((sum, entry) => sum + entry.commands, 0)
        expect(words).toEqual([crc, entries.length, commands, 5, RECORD_FORMAT, 3])
        expect(entriesIn(record)).toEqual(entries.map(plain))
        expect([batch.sequence, batch.checkpoint, batch.timeMs, batch.crc]).toEqual([
          sequence + 1,
          sequence - 2,
          1_700_000_000_123,
          record.readUInt32LE(0),
        ])
      }),
    )
  })

  it('takes an entry from the middle of a larger buffer, also of a shared one', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(64))
    shared.set(Array.from({ length: 64 }, (_, i) => i))
    const batch = new BatchRecord(5, 4_096)
    batch.add(EntryKind.command, 0, 0, 1, shared, 24, 5)
    shared.fill(0)
    expect(entriesIn(batch.seal(LOG_START, 1))[0]!.payload).toEqual(Uint8Array.from([24, 25, 26, 27, 28]))
  })

  it('comes back whole from its record', () => {
    fc.assert(
      fc.property(entries, (entries) => {
        const batch = batchOf(entries)
        const record = batch.seal({ sequence: 8, crc: 9 }, 77).slice()
        const loaded = new BatchRecord(5, 8_192)
        loaded.load(record)
        const figures = ({ length, entries, commands, sequence, timeMs, crc }: BatchRecord): number[] => [
          length,
          entries,
          commands,
          sequence,
          timeMs,
          crc,
        ]
        expect(figures(loaded)).toEqual(figures(batch))
        expect(Buffer.compare(loaded.bytes.subarray(0, loaded.length), record)).toBe(0)
      }),
    )
  })

  it('has room for what fits to the byte, and for no more', () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 0, max: 4_096 }), (entries, bytes) => {
        const batch = batchOf(entries)
        const takes = batch.length + 16 + Math.ceil(bytes / 8) * 8
        expect(batch.hasRoom(bytes)).toBe(takes <= RECORD_HEADER_BYTES + 4_096)
      }),
    )
    const batch = new BatchRecord(5, 64)
    addTo(batch, { kind: EntryKind.command, detail: 0, origin: 0, commands: 1, payload: new Uint8Array(48).fill(9) })
    expect(batch.hasRoom(0)).toBe(false)
    expect(entriesIn(batch.seal(LOG_START, 1))[0]!.payload.length).toBe(48)
  })

  it('asserts that what is added fits', () => {
    const batch = new BatchRecord(5, 64)
    const tooLong = { kind: EntryKind.command, detail: 0, origin: 0, commands: 1, payload: new Uint8Array(49) }
    expect(batch.hasRoom(49)).toBe(false)
    expect(() => addTo(batch, tooLong)).toThrow()
    addTo(batch, { ...tooLong, payload: new Uint8Array(48) })
    expect(() => addTo(batch, { ...tooLong, payload: new Uint8Array(0) })).toThrow()
  })

  it('is empty again once it was cleared', () => {
    fc.assert(
      fc.property(entries, entries, (before, after) => {
        const batch = batchOf(before)
        batch.seal(LOG_START, 1)
        batch.clear()
        for (const entry of after) addTo(batch, entry)
        const fresh = batchOf(after).seal(LOG_START, 2)
        expect(Buffer.compare(batch.seal(LOG_START, 2), fresh)).toBe(0)
      }),
    )
  })

  it('keeps what other partitions sent, in order, and drops all else', () => {
    fc.assert(
      fc.property(entries, entries, (before, after) => {
        const batch = batchOf(before)
        batch.seal(LOG_START, 1)
        batch.retainPeers()
        const kept = before.filter(({ kind }) => kind === EntryKind.message || kind === EntryKind.acknowledgement)
        expect([batch.entries, batch.commands]).toEqual([kept.length, kept.length])
        for (const entry of after) addTo(batch, entry)
        expect(entriesIn(batch.seal(LOG_START, 2))).toEqual([...kept, ...after].map(plain))
        batch.retainPeers()
        batch.retainPeers()
        expect(batch.entries).toBe(
          [...kept, ...after].filter(({ kind }) => kind === EntryKind.message || kind === EntryKind.acknowledgement)
            .length,
        )
      }),
    )
  })
})

describe('the check of a record', () => {
  const previous = { sequence: 41, crc: 1_234 }
  const sealed = (): Buffer => Buffer.from(batchOf([]).seal(previous, 77))
  /** A header field that is another, under a checksum that is right. */
  const resealed = (change: (record: Buffer) => void): Buffer => {
    const record = sealed()
    change(record)
    record.writeUInt32LE(crc32c(record.subarray(4)), 0)
    return record
  }

  it('passes what follows, and says where the log stands behind it', () => {
    const record = sealed()
    expect(checkRecord(record, 42, previous, 5)).toEqual({ sequence: 42, crc: record.readUInt32LE(0) })
  })

  it('passes it wherever it lies in memory', () => {
    for (let offset = 0; offset < 8; offset++) {
      const moved = Buffer.concat([Buffer.alloc(offset), sealed(), Buffer.alloc(3)])
      expect(checkRecord(moved.subarray(offset, moved.length - 3), 42, previous, 5).sequence).toBe(42)
    }
  })

  it.each([
    ['is missing', 43, sealed(), previous, 5],
    ['is cut off', 42, sealed().subarray(0, 47), previous, 5],
    ['another length', 42, sealed().subarray(0, 48).fill(0, 4, 8), previous, 5],
    ['another length', 42, Buffer.concat([sealed(), Buffer.alloc(8)]), previous, 5],
    ['fails its checksum', 42, sealed().fill(1, 44, 45), previous, 5],
    ['format 2', 42, resealed((record) => record.writeUInt32LE(2, 40)), previous, 5],
    ['belongs to another partition', 42, resealed((record) => record.writeUInt32LE(6, 36)), previous, 5],
    ['record 40 belongs', 42, resealed((record) => record.writeDoubleLE(40, 8)), previous, 5],
    ['does not follow', 42, sealed(), { sequence: 41, crc: 1_235 }, 5],
  ])('names what is wrong: %s', (what, key, record, from, partition) => {
    expect(() => checkRecord(record, key, from, partition)).toThrow(DamageError)
    expect(() => checkRecord(record, key, from, partition)).toThrow(what)
  })
})
