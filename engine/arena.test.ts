import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Arena, PAGE_BYTES } from './arena.js'

const RECORD_BYTES = 64
const RECORDS = 4 * (PAGE_BYTES / RECORD_BYTES)

const record = fc.oneof(
  // At the edges of pages most of all.
  fc.constantFrom(0, 511, 512, 513, 1_023, 1_024, RECORDS - 1),
  fc.nat(RECORDS - 1),
)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), record, value: fc.nat(0xffff_ffff) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'begin' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('hand over' as const), pages: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), durable: fc.boolean() }) },
)

describe('an arena', () => {
  it('hands over the state as it was when the checkpoint was begun, whatever is written meanwhile', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const arena = new Arena(1, 'records', RECORD_BYTES, RECORDS)
        const stored = new Uint8Array(arena.bytes.length)
        let handed = new Map<number, Uint8Array>()
        let begun: Uint8Array | undefined
        const end = (durable: boolean): void => {
          arena.endCheckpoint(durable)
          if (durable) {
            for (const [page, content] of handed) stored.set(content, page * PAGE_BYTES)
            expect(Buffer.compare(stored, begun!)).toBe(0)
          }
          begun = undefined
        }
        for (const step of steps) {
          if (step.do === 'write') {
            arena.touch(step.record)
            arena.words[(step.record * RECORD_BYTES) / 4] = step.value
          } else if (step.do === 'begin' && begun === undefined) {
            begun = arena.bytes.slice()
            handed = new Map()
            const wanted = arena.beginCheckpoint((_arena, page) => {
              expect(handed.has(page), 'a page is handed over once').toBe(false)
              handed.set(page, arena.pageBytes(page).slice())
            })
            expect(arena.wantedPages).toBe(wanted)
          } else if (begun !== undefined && step.do === 'hand over') {
            const before = arena.wantedPages
            const done = arena.continueCheckpoint(step.pages)
            expect(done).toBe(Math.min(step.pages, before))
            expect(arena.wantedPages).toBe(before - done)
          } else if (begun !== undefined && step.do === 'end') {
            // It is durable only when all was handed over; it may fail at any time.
            if (step.durable) arena.continueCheckpoint(Number.POSITIVE_INFINITY)
            end(step.durable)
          }
        }
        if (begun === undefined) {
          begun = arena.bytes.slice()
          handed = new Map()
          arena.beginCheckpoint((_arena, page) => handed.set(page, arena.pageBytes(page).slice()))
        }
        arena.continueCheckpoint(Number.POSITIVE_INFINITY)
        end(true)
      }),
      { numRuns: 150 },
    )
  })

  it('wants only what has changed since the last durable checkpoint', () => {
    const arena = new Arena(1, 'records', RECORD_BYTES, RECORDS)
    const take = (durable: boolean): number => {
      const pages = arena.beginCheckpoint(() => {})
      arena.continueCheckpoint(Number.POSITIVE_INFINITY)
      arena.endCheckpoint(durable)
      return pages
    }
    expect(take(true)).toBe(0)
    arena.touch(0)
    arena.touch(600)
    expect(take(false)).toBe(2)
    expect(take(true)).toBe(2)
    expect(take(true)).toBe(0)
    arena.touch(600)
    expect(take(true)).toBe(1)
  })

  it('has what was loaded, and loaded pages are clean', () => {
    const arena = new Arena(1, 'records', RECORD_BYTES, RECORDS)
    arena.loadPage(1, new Uint8Array(PAGE_BYTES).fill(9))
    expect([arena.bytes[PAGE_BYTES - 1], arena.bytes[PAGE_BYTES], arena.bytes[2 * PAGE_BYTES - 1]]).toEqual([0, 9, 9])
    expect(arena.bytes[2 * PAGE_BYTES]).toBe(0)
    expect(arena.beginCheckpoint(() => {})).toBe(0)
  })

  it('takes pages only where they belong', () => {
    const arena = new Arena(1, 'records', RECORD_BYTES, RECORDS)
    expect(() => arena.loadPage(4, new Uint8Array(PAGE_BYTES))).toThrow('page 4 of arena records')
    expect(() => arena.loadPage(0, new Uint8Array(PAGE_BYTES - 1))).toThrow('assertion failed')
  })

  it('takes one checkpoint at a time', () => {
    const arena = new Arena(1, 'records', RECORD_BYTES, RECORDS)
    arena.touch(1)
    arena.beginCheckpoint(() => {})
    expect(() => arena.beginCheckpoint(() => {})).toThrow('one checkpoint at a time')
  })

  it('has records of a power of two in bytes', () => {
    for (const bytes of [0, 2, 12, 48, 2 * PAGE_BYTES])
      expect(() => new Arena(1, 'odd', bytes, 10)).toThrow('record size')
  })
})
