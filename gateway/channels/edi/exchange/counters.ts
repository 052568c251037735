/**
 * Numbers that are given out once each: control numbers of interchanges, invoices, shipping units. A counter is a record,
 * and remembers for whom it gave its last numbers, so that who asks again after a crash gets the same ones.
 */
import type { OperationContext } from '../../../operations/operation.js'

const COUNTER = 'edi-counter'
/** More than can be under way at once between a number and what is kept with it. */
const REMEMBERED = 256

interface Counter {
  last: number
  given: { to: string; first: number; count: number }[]
}

/** One after the other for each counter: under load everybody would only meet the others' versions. */
const chains = new Map<string, Promise<unknown>>()

/** The first of `count` numbers in a row, from 1 on. `to`: who asks; the same one gets the same numbers. */
export async function nextNumber(
  counter: string,
  to: string,
  { records }: OperationContext,
  count = 1,
): Promise<number> {
  const before = chains.get(counter) ?? Promise.resolve()
  const take = async (): Promise<number> => {
    let first = 0
    await records.update<Counter>(COUNTER, counter, (known) => {
      const kept = known ?? { last: 0, given: [] }
      const already = kept.given.find((one) => one.to === to && one.count === count)
      first = already?.first ?? kept.last + 1
      if (already) return undefined
      const given = [...kept.given, { to, first, count }].slice(-REMEMBERED)
      return { value: { last: kept.last + count, given } }
    })
    return first
  }
  const now = before.then(take, take)
  chains.set(counter, now)
  try {
    return await now
  } finally {
    if (chains.get(counter) === now) chains.delete(counter)
  }
}

/** Of one partner; envelopes have room for nine digits, behind which it begins anew. */
export async function nextControlNumber(connection: string, to: string, context: OperationContext): Promise<number> {
  const number = await nextNumber(`control/${connection}`, to, context)
  return ((number - 1) % 999_999_999) + 1
}
