/**
 * Numbers that are given out once each: control numbers of interchanges, invoices, shipping units. A counter is a record,
 * and remembers for whom it gave its last numbers, so that who asks again after a crash gets the same ones.
 */
import type { OperationContext } from '../../../operations/operation.js'
import { inTurn } from '../../turns.js'

const COUNTER = 'edi-counter'
/** More than can be under way at once between a number and what is kept with it. */
const REMEMBERED = 256

interface Counter {
  last: number
  given: { to: string; first: number; count: number }[]
}

/** The first of `count` numbers in a row, from 1 on. `to`: who asks; the same one gets the same numbers. */
export function nextNumber(counter: string, to: string, { records }: OperationContext, count = 1): Promise<number> {
  // Under load everybody would only meet the others' versions.
  return inTurn(records, `counter/${counter}`, async () => {
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
  })
}

/** Of one partner; envelopes have room for nine digits, behind which it begins anew. */
export async function nextControlNumber(connection: string, to: string, context: OperationContext): Promise<number> {
  const number = await nextNumber(`control/${connection}`, to, context)
  return ((number - 1) % 999_999_999) + 1
}
