/**
 * The cases that each implementation of `Log` must pass. A new one says how it is made, opened again, and reached into
 * behind its own back, and is put under the same table.
 */
import { describe, expect, it } from 'vitest'
import { DamageError, LogWriteError } from '../errors.js'
import { TRUNCATE_PER_APPEND } from '../limits.js'
import { LOG_START, type Log, type LogPosition } from './log.js'
import { BatchRecord, EntryKind } from './record.js'

/** One log, wherever it is kept, that can be closed, opened again, and damaged while it is closed. */
export interface LogHome {
  readonly partition: number
  /** Opens what is kept; `position`: where it continues if it holds nothing. */
  open(position?: LogPosition): Log
  /** Opens it where nothing can be written. */
  openRefusing(): Log
  /** Replaces a record's bytes, or takes it away where `change` gives none. The log is closed. */
  damage(sequence: number, change: (record: Uint8Array) => Uint8Array | undefined): Promise<void>
  /** Puts a record where there was none. The log is closed. */
  plant(sequence: number, record: Uint8Array): Promise<void>
}

/** A sealed record with one command of `bytes` that says which one it is. */
export function sealedRecord(partition: number, previous: LogPosition, bytes = 100, fill = 0): Uint8Array {
  const batch = new BatchRecord(partition, bytes + 64)
  const payload = new Uint8Array(bytes).fill(fill + previous.sequence + 1)
  batch.add(EntryKind.command, 0, 0, 1, payload, 0, bytes)
  return batch.seal(previous, 1_700_000_000_000 + previous.sequence).slice()
}

const read = (log: Log, from: LogPosition = LOG_START): Uint8Array[] =>
  [...log.read(from)].map((record) => Uint8Array.from(record))

const refusal = (act: () => unknown): Error => {
  try {
    act()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing was refused')
}

/** `makeHome` gives a new, empty home for each case. */
export function describeLog(name: string, makeHome: () => LogHome): void {
  /** Appends `count` records, of a size that differs from one to the next. */
  function fill(log: Log, home: LogHome, count: number): Uint8Array[] {
    return Array.from({ length: count }, () => {
      const record = sealedRecord(home.partition, log.last, 10 + ((log.last.sequence * 777) % 9_000))
      log.append(record)
      return record
    })
  }

  async function withLog<T>(log: Log, use: (log: Log) => T): Promise<T> {
    try {
      return use(log)
    } finally {
      await log.close()
    }
  }

  /** A home with so many records in it, closed. */
  async function filled(count: number): Promise<{ home: LogHome; records: Uint8Array[] }> {
    const home = makeHome()
    const records = await withLog(home.open(), (log) => fill(log, home, count))
    return { home, records }
  }

  /** What a damaged log says when it is opened and read whole. */
  async function damageFound(home: LogHome): Promise<unknown> {
    let log: Log
    try {
      log = home.open()
    } catch (error) {
      return error
    }
    return withLog(log, () => refusal(() => read(log)))
  }

  async function expectNamed(home: LogHome, sequence: number): Promise<void> {
    const error = await damageFound(home)
    expect(error).toBeInstanceOf(DamageError)
    expect(String(error)).toContain(`partition ${home.partition}`)
    expect(String(error)).toMatch(new RegExp(`record ${sequence}\\b`))
  }

  const positionOf = (record: Uint8Array): LogPosition => {
    const view = new DataView(record.buffer, record.byteOffset, record.length)
    return { sequence: view.getFloat64(8, true), crc: view.getUint32(0, true) }
  }

  describe(name, () => {
    it('is empty at first, and says so', async () => {
      await withLog(makeHome().open(), (log) => {
        expect(log.last).toEqual(LOG_START)
        expect(log.first).toBe(1)
        expect(read(log)).toEqual([])
      })
    })

    it('continues at the position that it is given where it holds nothing', async () => {
      const home = makeHome()
      const position = { sequence: 41, crc: 7 }
      await withLog(home.open(position), (log) => {
        expect(log.last).toEqual(position)
        expect(log.first).toBe(42)
        const [record] = fill(log, home, 1)
        expect(read(log, position)).toEqual([record])
        expect(log.first).toBe(42)
      })
      await withLog(home.open(position), (log) => expect(log.last.sequence).toBe(42))
    })

    it('gives back what was appended, byte for byte and in order', async () => {
      const home = makeHome()
      await withLog(home.open(), (log) => {
        const records = fill(log, home, 20)
        expect(log.last).toEqual(positionOf(records.at(-1)!))
        expect(read(log)).toEqual(records)
      })
    })

    it('takes a record of the largest batch', async () => {
      const home = makeHome()
      await withLog(home.open(), (log) => {
        const record = sealedRecord(home.partition, log.last, 1024 * 1024)
        log.append(record)
        expect(read(log).map((one) => Buffer.compare(one, record))).toEqual([0])
      })
    })

    it('keeps the bytes as they were at the append, whatever becomes of the buffer', async () => {
      const home = makeHome()
      await withLog(home.open(), (log) => {
        const record = sealedRecord(home.partition, log.last)
        const before = record.slice()
        log.append(record)
        record.fill(0xee)
        expect(read(log)).toEqual([before])
        expect(log.last).toEqual(positionOf(before))
      })
    })

    it('reads what lies behind any position', async () => {
      const home = makeHome()
      await withLog(home.open(), (log) => {
        const records = fill(log, home, 5)
        for (let behind = 0; behind < 5; behind++) {
          expect(read(log, positionOf(records[behind]!))).toEqual(records.slice(behind + 1))
        }
      })
    })

    it('can be read again after a reader has stopped in the middle', async () => {
      const home = makeHome()
      await withLog(home.open(), (log) => {
        const records = fill(log, home, 4)
        for (const record of log.read(LOG_START)) {
          expect(Uint8Array.from(record)).toEqual(records[0])
          break
        }
        expect(read(log)).toEqual(records)
        fill(log, home, 1)
        expect(read(log).length).toBe(5)
      })
    })

    it('has after it was opened again what it had, and goes on from there', async () => {
      const { home, records } = await filled(3)
      await withLog(home.open(), (log) => {
        expect(log.last).toEqual(positionOf(records[2]!))
        expect(log.first).toBe(1)
        expect(read(log)).toEqual(records)
        const more = fill(log, home, 2)
        expect(read(log)).toEqual([...records, ...more])
      })
      await withLog(home.open(), (log) => expect(log.last.sequence).toBe(5))
    })

    it('does not let a position that it is given replace what it holds', async () => {
      const { home } = await filled(3)
      await withLog(home.open({ sequence: 1, crc: 99 }), (log) => expect(log.last.sequence).toBe(3))
    })

    it.each([
      ['the same again', (last: LogPosition) => ({ ...last, sequence: last.sequence - 1 })],
      ['one too far', (last: LogPosition) => ({ ...last, sequence: last.sequence + 1 })],
      ['the first', () => LOG_START],
    ])('refuses a record that is not the next (%s) and is none the worse', async (_what, previous) => {
      const { home, records } = await filled(3)
      await withLog(home.open(), (log) => {
        const { last } = log
        expect(() => log.append(sealedRecord(home.partition, previous(last)))).toThrow()
        expect(log.last).toEqual(last)
        expect(read(log)).toEqual(records)
        fill(log, home, 1)
      })
      await withLog(home.open(), (log) => expect(read(log).length).toBe(4))
    })

    it('has nothing of an append that could not be written', async () => {
      const { home, records } = await filled(2)
      await withLog(home.openRefusing(), (log) => {
        const { last, first } = log
        const error = refusal(() => log.append(sealedRecord(home.partition, last)))
        expect(error).toBeInstanceOf(LogWriteError)
        expect(error.message).toContain(`partition ${home.partition}`)
        expect([log.last, log.first]).toEqual([last, first])
        expect(read(log)).toEqual(records)
      })
      await withLog(home.open(), (log) => {
        expect(read(log)).toEqual(records)
        // The same number goes to another record now.
        const other = sealedRecord(home.partition, log.last, 55, 100)
        log.append(other)
        expect(read(log)).toEqual([...records, other])
      })
    })

    it('truncates with later appends, a bounded number with each, and never the last record', async () => {
      const home = makeHome()
      await withLog(home.open(), (log) => {
        const records = fill(log, home, 2 * TRUNCATE_PER_APPEND)
        log.truncate(log.last.sequence)
        expect(log.first).toBe(1)
        for (let appended = 1; log.first <= 2 * TRUNCATE_PER_APPEND; appended++) {
          const before = log.first
          records.push(...fill(log, home, 1))
          expect(log.first - before).toBeLessThanOrEqual(TRUNCATE_PER_APPEND)
          expect(appended, 'appends until it is done').toBeLessThan(10)
        }
        expect(log.first).toBe(2 * TRUNCATE_PER_APPEND + 1)
        const from = positionOf(records[log.first - 2]!)
        expect(read(log, from)).toEqual(records.slice(log.first - 1))
      })
    })

    it('goes on after a truncation, also when it is opened again', async () => {
      const { home, records } = await filled(5)
      const from = positionOf(records[2]!)
      const kept = await withLog(home.open(), (log) => {
        log.truncate(3)
        return [...records.slice(3), ...fill(log, home, 1)]
      })
      await withLog(home.open(), (log) => {
        expect(log.first).toBe(4)
        expect(log.last.sequence).toBe(6)
        expect(read(log, from)).toEqual(kept)
        fill(log, home, 1)
        expect(log.first).toBe(4)
      })
    })

    it('does not take a truncation back', async () => {
      const home = makeHome()
      await withLog(home.open(), (log) => {
        fill(log, home, 5)
        log.truncate(4)
        log.truncate(1)
        fill(log, home, 1)
        expect(log.first).toBe(5)
      })
    })

    it('refuses to truncate what was never appended', async () => {
      const { home } = await filled(2)
      await withLog(home.open(), (log) => expect(() => log.truncate(3)).toThrow())
    })

    it('names the record that is missing where more was truncated than the reader has', async () => {
      const { home, records } = await filled(4)
      await withLog(home.open(), (log) => {
        log.truncate(3)
        fill(log, home, 1)
        const error = refusal(() => read(log, positionOf(records[0]!)))
        expect(error).toBeInstanceOf(DamageError)
        expect(error.message).toMatch(/record 2\b/)
      })
    })

    it('names a reader whose own position is of another log', async () => {
      const { home } = await filled(4)
      await withLog(home.open(), (log) => {
        const error = refusal(() => read(log, { sequence: 2, crc: 1234 }))
        expect(error).toBeInstanceOf(DamageError)
        expect(error.message).toMatch(/record 3\b/)
      })
    })

    for (const at of [1, 3, 5]) {
      it(`names record ${at} of 5 where any of its bytes is another`, async () => {
        const { home, records } = await filled(5)
        const { length } = records[at - 1]!
        const places = [0, 3, 4, 7, 8, 15, 16, 24, 28, 32, 36, 40, 44, 47, 48, 52, 56, 63, length - 1]
        for (const place of places) {
          for (const bit of [0, 7]) {
            const flip = (record: Uint8Array): Uint8Array => {
              const flipped = record.slice()
              flipped[place]! ^= 1 << bit
              return flipped
            }
            await home.damage(at, flip)
            await expectNamed(home, at)
            await home.damage(at, flip)
          }
        }
        await withLog(home.open(), (log) => expect(read(log)).toEqual(records))
      })

      it(`names record ${at} of 5 where it is cut short or too long`, async () => {
        const { home, records } = await filled(5)
        const whole = records[at - 1]!
        for (const length of [0, 1, 3, 4, 8, 47, 48, 63, whole.length - 8, whole.length - 1]) {
          await home.damage(at, (record) => record.slice(0, length))
          await expectNamed(home, at)
          await home.damage(at, () => whole)
        }
        await home.damage(at, () => Buffer.concat([whole, Buffer.alloc(8)]))
        await expectNamed(home, at)
      })
    }

    it('names a record that is missing', async () => {
      const { home } = await filled(5)
      await home.damage(3, () => undefined)
      await expectNamed(home, 3)
    })

    it('names a first record that is missing', async () => {
      const { home } = await filled(5)
      await home.damage(1, () => undefined)
      await expectNamed(home, 1)
    })

    it('names two records that have changed places', async () => {
      const { home, records } = await filled(5)
      await home.damage(2, () => records[2])
      await home.damage(3, () => records[1])
      await expectNamed(home, 2)
    })

    it('names a record that stands there twice', async () => {
      const { home, records } = await filled(5)
      await home.damage(4, () => records[2])
      await expectNamed(home, 4)
    })

    it('names a sound record of the same place in another log', async () => {
      const { home, records } = await filled(5)
      const other = sealedRecord(home.partition, { sequence: 2, crc: 4321 })
      await home.damage(3, () => other)
      await expectNamed(home, 3)
      const forger = sealedRecord(home.partition, positionOf(records[1]!), 77, 50)
      await home.damage(3, () => forger)
      await expectNamed(home, 4)
    })

    it('names a record of another partition', async () => {
      const { home, records } = await filled(5)
      await home.damage(3, () => sealedRecord(home.partition + 1, positionOf(records[1]!)))
      await expectNamed(home, 3)
    })

    it('names what is missing in front of a record that lies too far', async () => {
      const { home, records } = await filled(2)
      await home.plant(5, sealedRecord(home.partition, { sequence: 4, crc: positionOf(records[1]!).crc }))
      await expectNamed(home, 3)
    })

    it('reads all that is sound in front of what is damaged', async () => {
      const { home, records } = await filled(5)
      await home.damage(4, (record) => record.slice(0, 60))
      await withLog(home.open(), (log) => {
        const seen: Uint8Array[] = []
        expect(() => {
          for (const record of log.read(LOG_START)) seen.push(Uint8Array.from(record))
        }).toThrow(DamageError)
        expect(seen).toEqual(records.slice(0, 3))
      })
    })
  })
}
