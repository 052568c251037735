/** One command for many items: each partition gets its own in one message, and the outcomes come in the order of the items. */
import type { Outcome } from '../../engine/protocol.js'
import type { Dispatch } from '../dispatch.js'
import { failed } from './operation.js'

/** What is settled without asking a partition, or an item and the partition that it goes to. */
export type Addressed<T> = { outcome: Outcome } | { partition: number; item: T }

/** `bodyOf` makes a partition's command of its items; the partition answers `{ results }`, one for each. */
export async function commandMany<T>(
  dispatch: Dispatch,
  name: string,
  addressed: readonly Addressed<T>[],
  bodyOf: (items: T[]) => object,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = new Array(addressed.length)
  const groups = new Map<number, { at: number; item: T }[]>()
  addressed.forEach((one, at) => {
    if ('outcome' in one) {
      outcomes[at] = one.outcome
      return
    }
    const group = groups.get(one.partition)
    if (group) group.push({ at, item: one.item })
    else groups.set(one.partition, [{ at, item: one.item }])
  })
  await Promise.all(
    [...groups].map(async ([partition, group]) => {
      const answer = await dispatch.command(partition, name, bodyOf(group.map(({ item }) => item)))
      const results = failed(answer) ? undefined : (answer.body as { results: Outcome[] }).results
      group.forEach(({ at }, i) => {
        outcomes[at] = results ? results[i]! : answer
      })
    }),
  )
  return outcomes
}

/** Outcomes as the results of a bulk answer; `shownOf` is what one that was done shows besides its status. */
export function resultsOf(outcomes: readonly Outcome[], shownOf: (outcome: Outcome) => object = () => ({})): Outcome {
  const results = outcomes.map((outcome) => {
    const { status, body } = outcome
    return status < 300 ? { status, ...shownOf(outcome) } : { status, ...(body as object) }
  })
  return { status: 200, body: { results } }
}
