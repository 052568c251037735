import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Compiled, compile } from './compiled.contract.js'
import { ENTRY_HEADER_BYTES, type MailboxMemory, MailboxReader, MailboxWriter, makeMailbox } from './mailbox.js'

const BYTES = 4_096

interface Entry {
  kind: number
  ticket: number
  detail: number
  payload: number[]
}

function taken(reader: MailboxReader): Entry {
  const { kind, ticket, detail, offset, length } = reader
  return { kind, ticket, detail, payload: [...reader.bytes.subarray(offset, offset + length)] }
}

const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.integer({ min: 0, max: BYTES / 2 - ENTRY_HEADER_BYTES }).map((length) => new Uint8Array(length).fill(length)),
)
const step = fc.oneof(
  fc.record({ do: fc.constant('write' as const), kind: u32, ticket: u32, detail: u32, payload }),
  fc.record({ do: fc.constant('read' as const), entries: fc.nat(5), release: fc.boolean() }),
  /** Room is asked for and not used. */
  fc.record({ do: fc.constant('forget' as const), length: fc.nat(BYTES / 2 - ENTRY_HEADER_BYTES) }),
)

/** A mailbox through which so much has gone already: positions wrap at 2^32 bytes. */
function usedMailbox(bytesBefore: number): MailboxMemory {
  const memory = makeMailbox(BYTES)
  const control = new Int32Array(memory.shared)
  control[0] = control[16] = bytesBefore | 0
  return memory
}

describe('a mailbox', () => {
  it('gives what was put in, in order, and refuses only what has no room', () => {
    const before = fc.constantFrom(0, 8, 4_088, 2 ** 31 - 4_096, 2 ** 32 - 4_096, 2 ** 32 - 8)
    fc.assert(
      fc.property(before, fc.array(step, { maxLength: 200, size: 'max' }), (bytesBefore, steps) => {
        const memory = usedMailbox(bytesBefore)
        const [writer, reader] = [new MailboxWriter(memory), new MailboxReader(memory)]
        const waiting: Entry[] = []
        let unreleased = 0
        for (const step of steps) {
          if (step.do === 'write') {
            const { kind, ticket, detail, payload } = step
            if (writer.write(kind, ticket, detail, payload))
              waiting.push({ kind, ticket, detail, payload: [...payload] })
            else expect(waiting.length + unreleased, 'an empty mailbox refuses nothing').toBeGreaterThan(0)
          } else if (step.do === 'forget') writer.reserve(step.length)
          else {
            for (let i = 0; i < step.entries; i++) {
              const length = reader.peekLength()
              if (!reader.next()) {
                expect(waiting).toEqual([])
                expect(length).toBe(-1)
                break
              }
              expect(length).toBe(waiting[0]!.payload.length)
              expect(reader.offset % 8).toBe(0)
              expect(taken(reader)).toEqual(waiting.shift())
              unreleased++
            }
            if (step.release) {
              reader.release()
              unreleased = 0
            }
          }
        }
        while (waiting.length > 0) {
          expect(reader.next()).toBe(true)
          expect(taken(reader)).toEqual(waiting.shift())
        }
        reader.release()
        expect(reader.isEmpty() || !reader.next()).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  it('keeps what was read until it is released', () => {
    const memory = makeMailbox(BYTES)
    const [writer, reader] = [new MailboxWriter(memory), new MailboxReader(memory)]
    const half = BYTES / 2 - ENTRY_HEADER_BYTES
    expect(writer.write(1, 0, 0, new Uint8Array(half).fill(1))).toBe(true)
    expect(writer.write(2, 0, 0, new Uint8Array(half).fill(2))).toBe(true)
    expect(reader.next()).toBe(true)
    expect(writer.write(3, 0, 0, new Uint8Array(half).fill(3))).toBe(false)
    expect(taken(reader).payload.every((byte) => byte === 1)).toBe(true)
    reader.release()
    expect(writer.write(3, 0, 0, new Uint8Array(half).fill(3))).toBe(true)
  })

  it('is full to the last byte, and takes an entry again once there is room', () => {
    const memory = makeMailbox(BYTES)
    const [writer, reader] = [new MailboxWriter(memory), new MailboxReader(memory)]
    let written = 0
    while (writer.write(0, 0, written, new Uint8Array(16))) written++
    expect(written).toBe(BYTES / 32)
    expect(writer.pending()).toBe(BYTES)
    for (let i = 0; i < 3 * written; i++) {
      expect(reader.next()).toBe(true)
      expect(reader.detail).toBe(i)
      expect(writer.write(0, 0, 0, new Uint8Array(16))).toBe(false)
      reader.release()
      expect(writer.write(0, 0, written + i, new Uint8Array(16))).toBe(true)
    }
  })

  it('skips the rest of the ring where an entry does not fit in it', () => {
    const memory = makeMailbox(BYTES)
    const [writer, reader] = [new MailboxWriter(memory), new MailboxReader(memory)]
    const sizes = [1_000, 1_000, 1_000, 1_000, 900, 40, 2_000, 1_500, 8]
    for (const [i, size] of [...sizes, ...sizes].entries()) {
      expect(writer.write(0, 0, i, new Uint8Array(size))).toBe(true)
      expect(reader.next()).toBe(true)
      expect([reader.detail, reader.length]).toEqual([i, size])
      expect(reader.offset + size).toBeLessThanOrEqual(BYTES)
      reader.release()
    }
  })

  it('shows nothing before it is published', () => {
    const memory = makeMailbox(BYTES)
    const [writer, reader] = [new MailboxWriter(memory), new MailboxReader(memory)]
    writer.reserve(8)
    writer.commit(1, 2, 3, 8)
    writer.reserve(16)
    writer.commit(4, 5, 6, 16)
    expect([reader.next(), reader.isEmpty(), reader.peekLength()]).toEqual([false, true, -1])
    writer.publish()
    expect([reader.next(), reader.kind, reader.next(), reader.kind, reader.next()]).toEqual([true, 1, true, 4, false])
  })

  it('lets an entry end shorter than the room that was asked for', () => {
    const memory = makeMailbox(BYTES)
    const [writer, reader] = [new MailboxWriter(memory), new MailboxReader(memory)]
    for (let i = 0; i < 100; i++) {
      expect(writer.reserve(1_000)).toBeGreaterThanOrEqual(0)
      writer.commit(i, 0, 0, 4)
      writer.publish()
      expect([reader.next(), reader.kind, reader.length]).toEqual([true, i, 4])
      reader.release()
    }
  })

  it('refuses an entry of more than half of it outright', () => {
    const writer = new MailboxWriter(makeMailbox(BYTES))
    expect(writer.payloadMax).toBe(BYTES / 2 - ENTRY_HEADER_BYTES)
    expect(writer.reserve(writer.payloadMax)).toBe(ENTRY_HEADER_BYTES)
    expect(() => writer.reserve(writer.payloadMax + 1)).toThrow('assertion failed')
  })

  it('is a power of two in bytes', () => {
    for (const bytes of [0, 100, 2_048, 5_000]) expect(() => makeMailbox(bytes)).toThrow('assertion failed')
  })

  it('is picked up by a new end where the old one left it', () => {
    const memory = makeMailbox(BYTES)
    const first = new MailboxWriter(memory)
    for (let i = 0; i < 5; i++) first.write(i, 0, 0, new Uint8Array(8))
    const reader = new MailboxReader(memory)
    expect([reader.next(), reader.kind, reader.next(), reader.kind]).toEqual([true, 0, true, 1])
    reader.release()
    const again = new MailboxReader(memory)
    expect([again.next(), again.kind]).toEqual([true, 2])
    expect(new MailboxWriter(memory).write(9, 0, 0, new Uint8Array(8))).toBe(true)
    for (const kind of [3, 4, 9]) expect([again.next(), again.kind]).toEqual([true, kind])
  })
})

describe('a mailbox between two threads', () => {
  let compiled: Compiled
  beforeAll(() => {
    compiled = compile('engine/mailbox', 'engine/doorbell')
  })
  afterAll(() => compiled.dispose())

  /** Writes entries whose every byte follows from their number, and sleeps on its own bell where there is no room. */
  const producer = (mailbox: URL, doorbell: URL): string => `
    import { workerData } from 'node:worker_threads'
    import { MailboxWriter } from '${mailbox}'
    import { Doorbell } from '${doorbell}'
    const writer = new MailboxWriter(workerData.memory)
    const bell = new Doorbell(workerData.bell)
    const pause = new Int32Array(new SharedArrayBuffer(4))
    let state = workerData.seed
    const random = (below) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return (state >>> 8) % below
    }
    for (let number = 0; number < workerData.entries; number++) {
      const length = random(8) === 0 ? random(writer.payloadMax) : random(64)
      let at
      while ((at = writer.reserve(length)) < 0) {
        writer.publish()
        bell.ring()
        Atomics.wait(pause, 0, 0, 0.01)
      }
      for (let i = 0; i < length; i++) writer.bytes[at + i] = (number + i * 7) & 0xff
      writer.commit(number, length, (number * 31) >>> 0, length)
      // Several are shown at once, now and then.
      if (random(3) > 0 || number === workerData.entries - 1) {
        writer.publish()
        bell.ring()
      }
    }
  `

  const consumer = (mailbox: URL, doorbell: URL): string => `
    import { parentPort, workerData } from 'node:worker_threads'
    import { MailboxReader } from '${mailbox}'
    import { Doorbell } from '${doorbell}'
    const reader = new MailboxReader(workerData.memory)
    const bell = new Doorbell(workerData.bell)
    let number = 0
    let fault = ''
    let sleeps = 0
    while (number < workerData.entries && fault === '') {
      let any = false
      while (reader.next()) {
        any = true
        const { kind, ticket, detail, offset, length, bytes } = reader
        if (kind !== number || ticket !== length || detail !== (number * 31) >>> 0) fault = 'entry ' + number + ' is ' + kind
        for (let i = 0; i < length; i++) if (bytes[offset + i] !== ((number + i * 7) & 0xff)) fault = 'byte ' + i + ' of ' + number
        number++
        if (number % 3 === 0) reader.release()
      }
      reader.release()
      if (any || number === workerData.entries) continue
      bell.announceSleep()
      if (!reader.isEmpty()) bell.announceAwake()
      else {
        sleeps++
        const before = performance.now()
        bell.sleep(10000)
        if (performance.now() - before > 9000) fault = 'the bell was lost'
      }
    }
    parentPort.postMessage({ number, fault, sleeps })
  `

  it('loses, repeats and tears nothing, and no ring of the bell is lost', async () => {
    const modules = [compiled.address('engine/mailbox'), compiled.address('engine/doorbell')] as const
    const entries = 60_000
    const workerData = {
      memory: makeMailbox(BYTES),
      bell: { shared: new SharedArrayBuffer(4) },
      entries,
      seed: 4_711,
    }
    const start = (code: string): Worker =>
      new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData })
    const reading = start(consumer(...modules))
    const result = new Promise((resolve, reject) => {
      reading.once('message', resolve)
      reading.once('error', reject)
    })
    const writing = start(producer(...modules))
    const written = new Promise((resolve, reject) => {
      writing.once('exit', resolve)
      writing.once('error', reject)
    })
    expect(await result).toMatchObject({ number: entries, fault: '' })
    expect(await written).toBe(0)
  })
})
