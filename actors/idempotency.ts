/**
 * Requests that carry an Idempotency-Key: the answer that was given is kept with a fingerprint of the request, so that
 * the same key gives the same answer again, and with another request a conflict. The oldest are forgotten first.
 *
 *   arena "idempotency", doubles   0 number of the last key kept · 1 number of the oldest kept
 */
import type { Arena } from '../engine/arena.js'
import type { Outcome } from '../engine/protocol.js'
import type { Store } from '../engine/store.js'
import { ArenaId } from './arenas.js'
import { readDocument, writeDocument } from './documents.js'
import { IDEMPOTENCY_KEYS_KEPT } from './limits.js'
import { conflict, ok } from './outcomes.js'

interface KeptAnswer {
  fingerprint: string
  answer: Outcome | null
}

export class Idempotency {
  private readonly arena: Arena

  constructor(private readonly store: Store) {
    this.arena = store.arena(ArenaId.idempotency, 'idempotency', 8, 2)
  }

  /** `{ answer }` where the key was answered before, `{ answer: null }` where the request is to be carried out. */
  begin(key: string, fingerprint: string): Outcome {
    const kept = readDocument<KeptAnswer>(this.store, `key/${key}`)
    if (kept) return kept.fingerprint === fingerprint ? ok({ answer: kept.answer }) : conflict('This Idempotency-Key')
    this.keep(key, { fingerprint, answer: null })
    return ok({ answer: null })
  }

  finish(key: string, fingerprint: string, answer: Outcome): Outcome {
    const known = readDocument<KeptAnswer>(this.store, `key/${key}`) !== undefined
    if (known) writeDocument(this.store, `key/${key}`, { fingerprint, answer })
    else this.keep(key, { fingerprint, answer })
    return ok(null)
  }

  /** All keys that are kept, oldest first, with their answers. */
  forEachKey(visit: (key: string) => void): void {
    const numbers = this.arena.doubles
    for (let number = numbers[1]! + 1; number <= numbers[0]!; number++) {
      const key = readDocument<string>(this.store, `key-order/${number}`)
      if (key !== undefined) visit(key)
    }
  }

  /** Takes a key's place in the order over; its answer has come as a document already. */
  adopt(key: string): void {
    this.enqueue(key)
  }

  private keep(key: string, answer: KeptAnswer): void {
    writeDocument(this.store, `key/${key}`, answer)
    this.enqueue(key)
  }

  private enqueue(key: string): void {
    const numbers = this.arena.doubles
    this.arena.touchPage(0)
    const number = numbers[0]! + 1
    numbers[0] = number
    writeDocument(this.store, `key-order/${number}`, key)
    if (number - numbers[1]! <= IDEMPOTENCY_KEYS_KEPT) return
    numbers[1]!++
    const oldest = `key-order/${numbers[1]}`
    const forgotten = readDocument<string>(this.store, oldest)
    if (forgotten !== undefined) this.store.delete(`key/${forgotten}`)
    this.store.delete(oldest)
  }
}
