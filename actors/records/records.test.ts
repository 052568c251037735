import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'

vi.mock('../limits.js', async (original) => ({
  ...(await original<typeof import('../limits.js')>()),
  SKUS_MAX: 64,
  STOCK_BLOCKS_MAX: 64,
  RESERVATIONS_MAX: 64,
  CHANNELS_MAX: 8,
  POOLS_MAX: 8,
  BUYERS_MAX: 8,
  OPEN_ORDERS_MAX: 64,
  LOCATIONS_MAX: 8,
}))

const { DrivenPartition } = await import('../../engine/driven-partition.contract.js')
const { createActors } = await import('../main.js')

const START_MS = 1_700_000_000_000

interface Kept {
  version: number
  value: number
  refs: string[]
  dueMs: number | undefined
}

const id = fc.constantFrom('a', 'b/c', 'd', 'é', 'z')
const step = fc.oneof(
  fc.record({
    do: fc.constant('put' as const),
    id,
    value: fc.nat(9),
    refs: fc.subarray(['r', 's']),
    dueMs: fc.option(fc.nat(20), { nil: undefined }),
    /** 0: as it is; 1: the version before; none: whatever there is. */
    behind: fc.constantFrom(undefined, 0, 1),
  }),
  fc.record({ do: fc.constant('delete' as const), id }),
  fc.record({ do: fc.constant('crash' as const) }),
)

describe('records', () => {
  it('are what was put last, found by id, by what they refer to and by when they are due, whatever crashes between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const partition = new DrivenPartition({ createActors })
        try {
          const model = new Map<string, Kept>()
          const ask = (name: string, body: object) => partition.query(START_MS, name, { kind: 'note', ...body }).body
          for (const move of steps) {
            if (move.do === 'crash') {
              partition.checkpoint()
              await partition.restart()
              continue
            }
            const known = model.get(move.id)
            if (move.do === 'delete') {
              model.delete(move.id)
              await run('record.delete', { kind: 'note', id: move.id })
              continue
            }
            const { value, refs, dueMs, behind } = move
            const version = known?.version ?? 0
            const ifVersion = behind === undefined ? undefined : version - behind
            const outcome = await run('record.put', {
              kind: 'note',
              id: move.id,
              value,
              refs,
              ...(dueMs === undefined ? {} : { dueMs }),
              ...(ifVersion === undefined ? {} : { ifVersion }),
            })
            expect(outcome.status).toBe(behind === 1 ? 409 : 200)
            if (behind !== 1) model.set(move.id, { version: version + 1, value, refs, dueMs })
          }
          const rows = [...model].map(([key, kept]) => ({ id: key, version: kept.version, value: kept.value }))
          rows.sort((a, b) => (Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)) > 0 ? -1 : 1))
          expect(ask('record.list', { limit: 10 })).toEqual({ items: rows })
          expect(ask('record.list', { limit: 10, ref: 's' })).toEqual({
            items: rows.filter((row) => model.get(row.id)?.refs.includes('s')),
          })
          for (const row of rows) expect(ask('record.get', { id: row.id })).toEqual(row)
          const times = [...model.values()].flatMap(({ dueMs }) => (dueMs === undefined ? [] : [dueMs]))
          const due = ask('record.due', { nowMs: 10, limit: 10 }) as { items: { id: string }[]; nextMs: number | null }
          expect(due.items.map((row) => model.get(row.id)?.dueMs)).toEqual(
            times.filter((time) => time <= 10).sort((a, b) => a - b),
          )
          expect(due.nextMs).toBe(times.filter((time) => time > 10).sort((a, b) => a - b)[0] ?? null)

          async function run(name: string, body: object) {
            const { answers } = partition.run(START_MS, [{ kind: 'command', name, body }])
            return answers[0]!.outcome!
          }
        } finally {
          await partition.dispose()
        }
      }),
      { numRuns: 40 },
    )
  })
})
