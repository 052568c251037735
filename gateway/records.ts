/** The gateway's way to its records: durable once a call resolves, and the same after any crash. */
import type { RecordPut, RecordRow } from '../actors/records/records.js'
import type { Outcome, Problem } from '../engine/protocol.js'
import type { Directory } from './directory.js'
import type { Dispatch } from './dispatch.js'

export interface Stored<T> {
  id: string
  version: number
  value: T
}

export interface RecordPage<T> {
  items: Stored<T>[]
  nextCursor: string | null
}

/** A call that was not carried out: nothing has changed. */
export class RecordRefused extends Error {
  constructor(readonly outcome: Outcome) {
    super((outcome.body as Problem).detail)
  }
}

/** Somebody else changed it between reading and writing. */
const CHANGED_TRIES = 8

export class RecordStore {
  constructor(
    private readonly dispatch: Dispatch,
    private readonly directory: Directory,
  ) {}

  private partition(kind: string, id: string): number {
    return this.directory.partitionOfOrder(`${kind}/${id}`)
  }

  private async told<T>(outcome: Promise<Outcome>): Promise<T> {
    const { status, body } = await outcome
    // What a record holds is written by its own kind alone, so its shape is known.
    if (status < 300) return body as T
    throw new RecordRefused({ status, body })
  }

  /** Its version now. Throws RecordRefused, with `changed_meanwhile` where `ifVersion` is not the one that is there. */
  async put(put: RecordPut): Promise<number> {
    const asked = this.dispatch.command(this.partition(put.kind, put.id), 'record.put', put)
    return (await this.told<{ version: number }>(asked)).version
  }

  /** Whether it was not there before and is now. */
  async create(put: Omit<RecordPut, 'ifVersion'>): Promise<boolean> {
    try {
      await this.put({ ...put, ifVersion: 0 })
      return true
    } catch (error) {
      if (isChangedMeanwhile(error)) return false
      throw error
    }
  }

  async get<T>(kind: string, id: string): Promise<Stored<T> | undefined> {
    const asked = this.dispatch.query(this.partition(kind, id), 'record.get', { kind, id })
    return (await this.told<Stored<T> | null>(asked)) ?? undefined
  }

  async delete(kind: string, id: string): Promise<void> {
    await this.told(this.dispatch.command(this.partition(kind, id), 'record.delete', { kind, id }))
  }

  /** Changes what is there, reading it again where somebody else was faster. `undefined` from `change`: leave it. */
  async update<T>(
    kind: string,
    id: string,
    change: (value: T | undefined) => Omit<RecordPut, 'kind' | 'id' | 'ifVersion'> | undefined,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const known = await this.get<T>(kind, id)
      const next = change(known?.value)
      if (!next) return
      try {
        await this.put({ kind, id, ifVersion: known?.version ?? 0, ...next })
        return
      } catch (error) {
        if (!isChangedMeanwhile(error) || attempt === CHANGED_TRIES) throw error
      }
    }
  }

  /** Rows of all partitions in descending order of their ids. */
  async list<T>(kind: string, limit: number, before?: string, ref?: string): Promise<RecordPage<T>> {
    const ask = { kind, limit, ...(before === undefined ? {} : { before }), ...(ref === undefined ? {} : { ref }) }
    const pages = await Promise.all(
      (await this.dispatch.queryAll('record.list', ask)).map((outcome) =>
        this.told<{ items: RecordRow[] }>(Promise.resolve(outcome)),
      ),
    )
    const items = pages.flatMap((page) => page.items).sort((a, b) => (a.id < b.id ? 1 : -1)) as Stored<T>[]
    const shown = items.slice(0, limit)
    return { items: shown, nextCursor: shown.length === limit ? shown.at(-1)!.id : null }
  }

  /** All of a kind: for kinds of which there are few. */
  async all<T>(kind: string, ref?: string): Promise<Stored<T>[]> {
    const items: Stored<T>[] = []
    for (let before: string | undefined; ; ) {
      const page: RecordPage<T> = await this.list<T>(kind, PAGE, before, ref)
      items.push(...page.items)
      if (page.nextCursor === null) return items
      before = page.nextCursor
    }
  }

  /** What is due by now over all partitions, and when the next one is; undefined where nothing waits. */
  async due<T>(kind: string, nowMs: number, limit: number): Promise<{ items: Stored<T>[]; nextMs?: number }> {
    const outcomes = await this.dispatch.queryAll('record.due', { kind, nowMs, limit })
    const items: Stored<T>[] = []
    let nextMs = Number.POSITIVE_INFINITY
    for (const outcome of outcomes) {
      const page = await this.told<{ items: Stored<T>[]; nextMs: number | null }>(Promise.resolve(outcome))
      items.push(...page.items)
      nextMs = Math.min(nextMs, page.nextMs ?? Number.POSITIVE_INFINITY)
    }
    return Number.isFinite(nextMs) ? { items, nextMs } : { items }
  }
}

const PAGE = 500

export const isChangedMeanwhile = (error: unknown): boolean =>
  error instanceof RecordRefused && (error.outcome.body as Problem).code === 'changed_meanwhile'
