/**
 * Records: what the edges have to remember and no rule of the trade decides over (connections of channels, templates,
 * deliveries, cursors, labels). Each is a document of a kind under an id, with a version, so that two who change it at
 * once are told apart; it may be found by what it refers to, and by when it is due.
 */
import type { Outcome } from '../../engine/protocol.js'
import type { Store } from '../../engine/store.js'
import { readDocument, writeDocument } from '../documents.js'
import { ok, problem } from '../outcomes.js'

export interface RecordEntry {
  version: number
  value: unknown
  /** What it is found by besides its id: orders, fulfillments, addresses. */
  refs?: string[]
  /** When something is to be done about it. */
  dueMs?: number
}

export interface RecordPut {
  kind: string
  id: string
  value: unknown
  refs?: string[]
  dueMs?: number
  /** The version that it has now, 0 where it must not be there; none: whatever there is. */
  ifVersion?: number
}

export interface RecordRow {
  id: string
  version: number
  value: unknown
}

const PREFIX = 'record/'
const keyOf = (kind: string, id: string): string => `${PREFIX}${kind}/${id}`
const indexOf = (kind: string): string => `record/${kind}`
const refIndexOf = (kind: string, ref: string): string => `record-ref/${kind}/${ref}`
const dueIndexOf = (kind: string): string => `record-due/${kind}`

/** Indexes are read downwards, and what is due first comes first: so the time counts down. */
const TIME_MAX = 10 ** 15
const dueEntry = (dueMs: number, id: string): string => `${String(TIME_MAX - dueMs).padStart(16, '0')}/${id}`

export class Records {
  constructor(private readonly store: Store) {}

  put({ kind, id, ifVersion, ...next }: RecordPut): Outcome {
    const key = keyOf(kind, id)
    const known = readDocument<RecordEntry>(this.store, key)
    const version = known?.version ?? 0
    if (ifVersion !== undefined && ifVersion !== version) return changedMeanwhile(kind, id, version)
    if (known) this.unlist(kind, id, known)
    const entry: RecordEntry = { version: version + 1, ...next }
    writeDocument(this.store, key, entry)
    this.list(kind, id, entry)
    return ok({ version: entry.version })
  }

  delete({ kind, id, ifVersion }: { kind: string; id: string; ifVersion?: number }): Outcome {
    const key = keyOf(kind, id)
    const known = readDocument<RecordEntry>(this.store, key)
    if (!known) return ok({ version: 0 })
    if (ifVersion !== undefined && ifVersion !== known.version) return changedMeanwhile(kind, id, known.version)
    this.unlist(kind, id, known)
    this.store.delete(key)
    return ok({ version: 0 })
  }

  get({ kind, id }: { kind: string; id: string }): Outcome {
    const entry = readDocument<RecordEntry>(this.store, keyOf(kind, id))
    return ok(entry ? rowOf(id, entry) : null)
  }

  /** Rows in descending order of their ids, below `before`; of those that refer to `ref`, where it is given. */
  page(ask: { kind: string; ref?: string; before?: string; limit: number }): Outcome {
    const { kind, ref, before, limit } = ask
    const index = ref === undefined ? indexOf(kind) : refIndexOf(kind, ref)
    return ok({ items: this.rows(kind, this.store.indexRange(index, before, limit)) })
  }

  /** What is due by `nowMs`, the longest due first, and when the first one is that is not. */
  due({ kind, nowMs, limit }: { kind: string; nowMs: number; limit: number }): Outcome {
    const entries = this.store.indexRange(dueIndexOf(kind), undefined, limit + 1)
    const isDue = (entry: string): boolean => TIME_MAX - Number(entry.slice(0, 16)) <= nowMs
    const due = entries.filter(isDue).slice(0, limit)
    const next = entries[due.length]
    return ok({
      items: this.rows(
        kind,
        due.map((entry) => entry.slice(17)),
      ),
      nextMs: next === undefined ? null : TIME_MAX - Number(next.slice(0, 16)),
    })
  }

  /** A record whose document came from another partition. */
  adopt(key: string): void {
    const [kind, id] = kindAndId(key)
    this.list(kind, id, readDocument<RecordEntry>(this.store, key)!)
  }

  private rows(kind: string, ids: string[]): RecordRow[] {
    return ids.flatMap((id) => {
      const entry = readDocument<RecordEntry>(this.store, keyOf(kind, id))
      return entry ? [rowOf(id, entry)] : []
    })
  }

  private list(kind: string, id: string, { refs, dueMs }: RecordEntry): void {
    this.store.indexPut(indexOf(kind), id)
    for (const ref of new Set(refs)) this.store.indexPut(refIndexOf(kind, ref), id)
    if (dueMs !== undefined) this.store.indexPut(dueIndexOf(kind), dueEntry(dueMs, id))
  }

  private unlist(kind: string, id: string, { refs, dueMs }: RecordEntry): void {
    this.store.indexDelete(indexOf(kind), id)
    for (const ref of new Set(refs)) this.store.indexDelete(refIndexOf(kind, ref), id)
    if (dueMs !== undefined) this.store.indexDelete(dueIndexOf(kind), dueEntry(dueMs, id))
  }
}

const rowOf = (id: string, { version, value }: RecordEntry): RecordRow => ({ id, version, value })

export const isRecordKey = (key: string): boolean => key.startsWith(PREFIX)

/** By what a record is placed: `kind/id`. */
export const recordName = (key: string): string => key.slice(PREFIX.length)

function kindAndId(key: string): [string, string] {
  const name = recordName(key)
  const at = name.indexOf('/')
  return [name.slice(0, at), name.slice(at + 1)]
}

const changedMeanwhile = (kind: string, id: string, version: number): Outcome => ({
  status: 409,
  body: {
    ...(problem(409, 'changed_meanwhile', `The ${kind} ${id} was changed meanwhile; read it and try again.`)
      .body as object),
    current: `${version}`,
  },
})
