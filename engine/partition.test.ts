import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { pack, unpack } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { Doorbell, makeDoorbell } from './doorbell.js'
import { LogWriteError } from './errors.js'
import { LOG_RETRY_MS } from './limits.js'
import { LmdbLog } from './log/lmdb-log.js'
import { LOG_START, type Log, type LogPosition } from './log/log.js'
import { MailboxReader, MailboxWriter, makeMailbox } from './mailbox.js'
import { Partition, type PartitionOptions } from './partition.js'
import { Placement } from './placement.js'
import { Inbound, Outbound, type Outcome } from './protocol.js'
import { ReplyWriter } from './reply-writer.js'
import { PartitionState } from './state.js'
import { makeStats, StatsWriter } from './stats.js'
import { Store } from './store.js'
import { createActors, TallyActors } from './tally-actors.contract.js'

const NOW = 1_700_000_000_000
/** The process is gone in the middle of what it did. */
class Crash extends Error {}
type Fault = 'refuse' | 'crash before' | 'crash after'

/** A log whose next append fails as it is told. */
class FaultyLog implements Log {
  fault: Fault | undefined
  constructor(private readonly log: Log) {}
  get owner(): number {
    return this.log.owner
  }
  get last(): LogPosition {
    return this.log.last
  }
  get first(): number {
    return this.log.first
  }
  append(record: Uint8Array): void {
    const { fault } = this
    this.fault = undefined
    if (fault === 'refuse') throw new LogWriteError('the log cannot be written: the disk is full')
    if (fault === 'crash before') throw new Crash()
    this.log.append(record)
    if (fault === 'crash after') throw new Crash()
  }
  read(from: LogPosition): Iterable<Uint8Array> {
    return this.log.read(from)
  }
  truncate(sequence: number): void {
    this.log.truncate(sequence)
  }
  close(): Promise<void> {
    return this.log.close()
  }
}

interface Running {
  partition: Partition
  state: PartitionState
  log: FaultyLog
  store: Store
  inbox: MailboxWriter
  outbox: MailboxReader
}

interface Asked {
  partition: number
  name: 'tell' | 'add'
  to: number
  text: string
  answer: 'none' | 'given' | 'refused'
  /** The process that it was asked of is gone. */
  lost: boolean
}

/** A server of several partitions in one thread, stepped by the test; and its only client. */
class Server {
  readonly directory = mkdtempSync(join(tmpdir(), 'doorbuster-partition-'))
  running: Running[] = []
  nowMs = NOW
  readonly asked: Asked[] = []

  constructor(
    readonly count: number,
    private readonly mailboxBytes: number,
    private readonly peerMailboxBytes: number,
  ) {
    this.boot()
  }

  private boot(): void {
    const between = new Map<string, ReturnType<typeof makeMailbox>>()
    const mailbox = (from: number, to: number): ReturnType<typeof makeMailbox> => {
      const memory = between.get(`${from}-${to}`) ?? makeMailbox(this.peerMailboxBytes)
      between.set(`${from}-${to}`, memory)
      return memory
    }
    const all = Array.from({ length: this.count }, (_, i) => i)
    this.running = all.map((partition) => {
      const store = new Store(join(this.directory, `store-${partition}.mdb`), partition, 'offline')
      const seed = new Uint32Array([1, 2, 3, partition])
      const state = new PartitionState(store, partition, new Placement(this.count), createActors, seed)
      const file = join(this.directory, `log-${partition}.mdb`)
      const log = new FaultyLog(new LmdbLog({ file, partition, position: LOG_START }))
      state.replay(log)
      const [inbox, outbox] = [makeMailbox(this.mailboxBytes), makeMailbox(this.mailboxBytes)]
      const peers = all.map((peer) => {
        const writer = new MailboxWriter(mailbox(partition, peer))
        return {
          partition: peer,
          inbox: new MailboxReader(mailbox(peer, partition)),
          deliver: (kind: number, number: number, payload: Uint8Array) => writer.write(kind, 0, number, payload),
        }
      })
      const options: PartitionOptions = {
        state,
        log,
        inbox: new MailboxReader(inbox),
        replies: new ReplyWriter(new MailboxWriter(outbox), new Doorbell(makeDoorbell(), () => {}), partition),
        peers,
        stats: new StatsWriter(makeStats()),
        now: () => this.nowMs,
        checkpoints: false,
        logBytesBehind: 0,
        isParkingTime: () => false,
      }
      return {
        partition: new Partition(options),
        state,
        log,
        store,
        inbox: new MailboxWriter(inbox),
        outbox: new MailboxReader(outbox),
      }
    })
  }

  /** All mailboxes are gone with the process; the logs are not. */
  async crash(): Promise<void> {
    for (const asked of this.asked) asked.lost = true
    await this.close()
    this.boot()
  }

  private async close(): Promise<void> {
    for (const { log, store } of this.running) {
      await log.close()
      await store.close()
    }
  }

  async dispose(): Promise<void> {
    await this.close()
    rmSync(this.directory, { recursive: true, force: true })
  }

  ask(partition: number, name: Asked['name'], to: number): void {
    const text = `t${this.asked.length}`
    const body = name === 'tell' ? { to, text } : { slot: to, by: 1 }
    const ticket = this.asked.length + 1
    if (!this.running[partition]!.inbox.write(Inbound.command, ticket, 0, pack([name, body]))) return
    this.asked.push({ partition, name, to, text, answer: 'none', lost: false })
  }

  async step(partition: number): Promise<boolean> {
    try {
      return this.running[partition]!.partition.step()
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      await this.crash()
      return true
    }
  }

  hear(partition: number): void {
    const { outbox } = this.running[partition]!
    while (outbox.next()) {
      const asked = this.asked[outbox.ticket - 1]!
      expect(asked.answer, 'nobody is answered twice').toBe('none')
      expect(asked.lost, 'nobody is answered by another process').toBe(false)
      if (outbox.kind === Outbound.refused) asked.answer = 'refused'
      else {
        expect(outbox.kind).toBe(Outbound.reply)
        const bytes = Buffer.from(outbox.bytes.subarray(outbox.offset, outbox.offset + outbox.length))
        expect((unpack(bytes) as Outcome).status).toBe(200)
        asked.answer = 'given'
      }
    }
    outbox.release()
  }

  async settle(): Promise<void> {
    for (const { log } of this.running) log.fault = undefined
    // By then a log that refused is tried again.
    this.nowMs += LOG_RETRY_MS
    for (let rounds = 0; ; rounds++) {
      expect(rounds, 'rounds until all is quiet').toBeLessThan(500)
      let any = false
      for (let partition = 0; partition < this.count; partition++) {
        any = (await this.step(partition)) || any
        this.hear(partition)
      }
      if (!any && this.running.every(({ state }) => state.outbox.waiting === 0)) return
    }
  }

  actors(partition: number): TallyActors {
    const { actors } = this.running[partition]!.state
    if (!(actors instanceof TallyActors)) throw new Error('these are the actors of this test')
    return actors
  }

  /** What a partition has heard of another, in order. */
  heard(partition: number, from: number): string[] {
    return (this.actors(partition).note(`heard/${from}`) ?? '').split(';').filter((text) => text !== '')
  }

  check(): void {
    for (const { answer, lost } of this.asked) if (!lost) expect(answer, 'everybody is answered').not.toBe('none')
    for (let from = 0; from < this.count; from++) {
      for (let to = 0; to < this.count; to++) {
        const heard = this.heard(to, from)
        const told = this.asked.filter((one) => one.name === 'tell' && one.partition === from && one.to === to)
        expect(heard, 'in the order in which they were told, each once').toEqual(
          told.map(({ text }) => text).filter((text) => heard.includes(text)),
        )
        for (const { text, answer } of told) {
          if (answer === 'given') expect(heard, `${text} was said to be told`).toContain(text)
          if (answer === 'refused') expect(heard, `${text} was refused`).not.toContain(text)
        }
      }
      const adds = this.asked.filter(({ name, partition }) => name === 'add' && partition === from)
      for (const slot of new Set(adds.map(({ to }) => to))) {
        const own = adds.filter(({ to }) => to === slot)
        const tally = this.actors(from).tally(slot)
        expect(tally).toBeGreaterThanOrEqual(own.filter(({ answer }) => answer === 'given').length)
        expect(tally).toBeLessThanOrEqual(own.filter(({ answer }) => answer !== 'refused').length)
      }
    }
  }
}

const place = fc.nat(2)
const move = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('tell' as const), at: place, to: place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('add' as const), at: place, to: place }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('step' as const), at: place }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hear' as const), at: place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('refuse' as const), at: place }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('crash before' as const, 'crash after' as const), at: place }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), at: place }) },
)

describe('partitions that exchange messages', () => {
  it('lose, repeat and reorder nothing, whatever the disk refuses and whenever the process ends', {
    timeout: 600_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 80, size: 'max' }), async (moves) => {
        const server = new Server(3, 65_536, 4_096)
        try {
          for (const { do: what, ...rest } of moves) {
            const { at } = rest
            if (what === 'tell' || what === 'add') server.ask(at, what, 'to' in rest ? rest.to : 0)
            else if (what === 'step') await server.step(at)
            else if (what === 'hear') server.hear(at)
            else if (what === 'crash') await server.crash()
            else server.running[at]!.log.fault = what
          }
          await server.settle()
          server.check()
          await server.crash()
          await server.settle()
          server.check()
        } finally {
          await server.dispose()
        }
      }),
      { numRuns: Number(process.env.PARTITION_RUNS ?? 40) },
    )
  })

  it('wait with what has no room in the mailbox of the other', async () => {
    const server = new Server(2, 1024 * 1024, 4_096)
    try {
      for (let i = 0; i < 400; i++) server.ask(0, 'tell', 1)
      await server.step(0)
      expect(server.running[0]!.state.outbox.waiting).toBe(400)
      await server.settle()
      expect(server.heard(1, 0)).toEqual(server.asked.map(({ text }) => text))
    } finally {
      await server.dispose()
    }
  })

  it('keep what others sent while the disk refuses, as much as a batch holds, and go on when it takes it', async () => {
    const server = new Server(2, 8 * 1024 * 1024, 4 * 1024 * 1024)
    try {
      // Entries of 1,024 bytes, of which a batch holds 1,024 and then not one byte more.
      const text = 'x'.repeat(988)
      const { inbox, state, log, outbox } = server.running[0]!
      for (let i = 0; i < 1_500; i++)
        expect(inbox.write(Inbound.command, 0, 0, pack(['tell', { to: 1, text }]))).toBe(true)
      const other = server.running[1]!
      other.inbox.write(Inbound.command, 0, 0, pack(['alarm', { slot: 1, dueMs: NOW + 500 }]))
      other.partition.step()
      for (let i = 0; i < 3; i++) server.running[0]!.partition.step()
      expect(state.outbox.waiting).toBe(1_500)
      for (let i = 0; i < 5; i++) {
        other.log.fault = 'refuse'
        other.partition.step()
        // A timer is due from the second time on, and there is no room for it.
        server.nowMs += 1_000
      }
      other.log.fault = undefined
      for (let i = 0; i < 20; i++) for (const { partition } of server.running) partition.step()
      expect(state.outbox.waiting).toBe(0)
      expect(server.heard(1, 0).length).toBe(1_500)
      expect(server.actors(1).tally(1)).toBe(1_000)
      expect([log.last.sequence > 0, outbox.next()]).toEqual([true, false])
    } finally {
      await server.dispose()
    }
  })

  it('refuse by name while the disk does, with nothing of it done, and take the same again after it', async () => {
    const server = new Server(1, 65_536, 4_096)
    try {
      server.ask(0, 'add', 7)
      server.running[0]!.log.fault = 'refuse'
      await server.step(0)
      server.hear(0)
      expect(server.asked[0]!.answer).toBe('refused')
      expect(server.actors(0).tally(7)).toBe(0)
      server.ask(0, 'add', 7)
      await server.step(0)
      server.hear(0)
      expect(server.asked[1]!.answer).toBe('given')
      expect(server.actors(0).tally(7)).toBe(1)
    } finally {
      await server.dispose()
    }
  })
})
