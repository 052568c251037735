import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pack } from 'msgpackr'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

vi.mock('./limits.js', async (original) => ({
  ...(await original<typeof import('./limits.js')>()),
  TIMERS_PER_ENTRY: 2,
  CHECKPOINT_RING_BYTES: 1024 * 1024,
  CHECKPOINT_PAGES_PER_STEP: 1,
  CHECKPOINT_DOCUMENTS_PER_STEP: 1,
}))

const { copyOf, DrivenPartition, differences } = await import('./driven-partition.contract.js')
const { DamageError } = await import('./errors.js')
const { createActors, TallyActors } = await import('./tally-actors.contract.js')
type Driven = InstanceType<typeof DrivenPartition>

const NOW = 1_700_000_000_000
const command = (name: string, body: unknown) => ({ kind: 'command', name, body }) as const
const slots = (...words: number[]) =>
  ({
    kind: 'frame',
    operation: 1,
    count: words.length,
    records: new Uint8Array(Uint32Array.from(words).buffer),
  }) as const

let partition: Driven
beforeEach(() => {
  partition = new DrivenPartition({ createActors, partition: 1, partitions: 2 })
})
afterEach(() => partition.dispose())

const tallies = (): InstanceType<typeof TallyActors> => {
  const { actors } = partition.state
  if (!(actors instanceof TallyActors)) throw new Error('these are the actors of this test')
  return actors
}

describe('a batch', () => {
  it('is carried out entry by entry, and each is answered for itself', () => {
    const { answers } = partition.run(NOW, [
      slots(3, 3, 9),
      command('add', { slot: 3, by: 10 }),
      command('juggle', {}),
      slots(3),
    ])
    expect(answers).toEqual([
      { words: [3, 1, 3, 2, 9, 1] },
      { outcome: { status: 200, body: 12 } },
      { outcome: { status: 404, body: { code: 'unknown_command', detail: 'juggle' } } },
      { words: [3, 13] },
    ])
  })

  it('gives each command a number that no other has, by which it is answered later', () => {
    const { answers } = partition.run(NOW, [command('wait', {}), command('wait', {})])
    const numbers = answers.map(({ later }) => later!)
    expect(new Set(numbers).size).toBe(2)
    const next = partition.run(NOW, [command('wait', {})]).answers[0]!.later!
    expect(numbers).not.toContain(next)
    const { answeredLater } = partition.run(NOW, [command('answer', { number: numbers[1]!, text: 'well' })])
    expect([...answeredLater]).toEqual([[numbers[1], { status: 200, body: 'well' }]])
  })

  it('takes a message once and in order, however often it is logged', () => {
    const message = (number: number, text: string) =>
      ({ kind: 'message', from: 0, payload: pack([number, 'told', { text }]) }) as const
    partition.run(NOW, [message(1, 'a'), message(1, 'a'), message(2, 'b')])
    partition.run(NOW, [message(1, 'a'), message(2, 'b'), message(3, 'c')])
    expect(tallies().note('heard/0')).toBe('a;b;c;')
    expect(partition.state.outbox.seen(0)).toBe(3)
  })

  it('does not take a message before the one that was sent before it', () => {
    const late = { kind: 'message', from: 0, payload: pack([2, 'told', { text: 'b' }]) } as const
    expect(() => partition.run(NOW, [late])).toThrow()
  })

  it('runs timers that are due, so many in each entry', () => {
    const alarms = [1, 2, 3, 4, 5].map((slot) => command('alarm', { slot, dueMs: NOW + 1_000 }))
    partition.run(NOW, alarms)
    const rung = (): number => [1, 2, 3, 4, 5].filter((slot) => tallies().tally(slot) === 1_000).length
    expect(partition.state.actors.isDue(NOW + 1_000 - 64)).toBe(false)
    partition.run(NOW + 1_064, [{ kind: 'advance' }])
    expect(rung()).toBe(2)
    partition.run(NOW + 1_064, [{ kind: 'advance' }, { kind: 'advance' }])
    expect(rung()).toBe(5)
    expect(partition.state.actors.isDue(NOW + 1_064)).toBe(false)
  })

  it('asserts that log time does not go back', () => {
    partition.run(NOW, [slots(1)])
    expect(() => partition.run(NOW - 1, [slots(1)])).toThrow('log time never goes back')
  })

  it('asserts the same of the time of a checkpoint', async () => {
    partition.run(NOW, [slots(1)])
    partition.checkpoint()
    await partition.restart()
    expect(partition.state.timeMs).toBe(NOW)
    expect(() => partition.run(NOW - 1, [slots(1)])).toThrow('log time never goes back')
  })
})

describe('recovery', () => {
  const fill = (): void => {
    for (let i = 0; i < 30; i++) {
      partition.run(NOW + i * 10, [
        slots(i, i * 100, 4_095),
        command('note', { key: `n${i % 7}`, text: `text ${i}` }),
        command('erase', { key: `n${(i + 3) % 7}` }),
        command('alarm', { slot: 200 + i, dueMs: NOW + i * 100 }),
        command('tell', { to: i % 2, text: `to ${i}` }),
        command('publish', { text: `event ${i}` }),
      ])
    }
  }

  it('comes to the same state from the log, from a checkpoint and the log, and from a checkpoint alone', async () => {
    fill()
    const expectSame = (other: { store: Parameters<typeof differences>[0] }): void =>
      expect(differences(other.store, copyOf(partition.store))).toEqual([])
    await partition.fromLog(expectSame)
    partition.checkpoint()
    await partition.fromCheckpoint(expectSame)
    fill0()
    const before = copyOf(partition.store)
    await partition.restart()
    expect(differences(partition.store, before)).toEqual([])
    expect(partition.state.position.sequence).toBe(35)
  })

  const fill0 = (): void => {
    for (let i = 0; i < 5; i++) partition.run(NOW + 10_000, [slots(7), command('erase', { key: 'n1' })])
  }

  it('holds the state of the instant at which the checkpoint was begun, whatever happened while it was taken', async () => {
    fill()
    partition.beginCheckpoint()
    let begun: ReturnType<Driven['continueCheckpoint']>
    for (let i = 0; begun === undefined; i++) {
      partition.run(NOW + 20_000, [
        slots(i % 4_096, (i * 37) % 4_096),
        command('note', { key: `n${i % 7}`, text: `later ${i}` }),
        command('publish', { text: `later ${i}` }),
      ])
      begun = partition.continueCheckpoint()
    }
    const held = begun
    await partition.fromCheckpoint(({ store }) => expect(differences(store, held)).toEqual([]))
    const before = copyOf(partition.store)
    await partition.restart()
    expect(differences(partition.store, before)).toEqual([])
  })

  it('is as before a checkpoint that the disk refused, and the next one holds all', async () => {
    fill()
    partition.checkpoint()
    fill0()
    partition.beginCheckpoint()
    while (partition.store.checkpointing) {
      partition.run(NOW + 30_000, [slots(1), command('note', { key: 'n2', text: 'meanwhile' })])
      expect(partition.continueCheckpoint(true)).toBeUndefined()
    }
    const before = copyOf(partition.store)
    await partition.restart()
    expect(differences(partition.store, before)).toEqual([])
    const begun = partition.checkpoint()
    expect(differences(partition.store, begun)).toEqual([])
    await partition.fromCheckpoint(({ store }) => expect(differences(store, begun)).toEqual([]))
  })

  it('reads documents from the checkpoint that are in memory no more, and does not bring erased ones back', async () => {
    partition.run(NOW, [command('note', { key: 'a', text: 'one' }), command('note', { key: 'b', text: 'two' })])
    partition.checkpoint()
    partition.run(NOW, [command('erase', { key: 'a' })])
    expect([tallies().note('a'), tallies().note('b')]).toEqual([undefined, 'two'])
    expect([...partition.store.documents()].map(([key]) => key)).toEqual(['note/b'])
    partition.beginCheckpoint()
    partition.run(NOW, [command('note', { key: 'a', text: 'three' }), command('erase', { key: 'b' })])
    expect([tallies().note('a'), tallies().note('b')]).toEqual(['three', undefined])
    partition.checkpoint()
    expect([tallies().note('a'), tallies().note('b')]).toEqual(['three', undefined])
    partition.checkpoint()
    await partition.restart()
    expect([...partition.store.documents()].map(([key]) => key)).toEqual(['note/a'])
  })

  it('refuses a log that ends before the checkpoint', async () => {
    fill()
    await partition.close()
    const early = readFileSync(logFile())
    await partition.restart()
    fill0()
    partition.checkpoint()
    await expectDamage(/the log holds records 1 to 30 but the checkpoint ends at 35/, () => {
      writeFileSync(logFile(), early)
    })
  })

  it('refuses a log of which what lies behind the checkpoint is gone', async () => {
    fill()
    partition.checkpoint()
    fill0()
    partition.truncateLog()
    partition.run(NOW + 40_000, [slots(1)])
    await expectDamage(/log/, () => rmSync(join(partition.directory, 'store.mdb')))
  })

  const logFile = (): string => join(partition.directory, 'log.mdb')

  /** After somebody has been at the files. */
  async function expectDamage(what: RegExp, change: () => void): Promise<void> {
    await partition.close()
    change()
    for (const name of ['log', 'store']) rmSync(join(partition.directory, `${name}.mdb-lock`), { force: true })
    let error: unknown
    try {
      await partition.restart()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(DamageError)
    expect(String(error)).toMatch(/partition 1/)
    expect(String(error)).toMatch(what)
  }
})
