/**
 * Why the stock that another system believes in differs from ours, as far as movements say: those that came after its
 * snapshot, those that it was not told, those that stand in the journal twice. What is left nobody has explained.
 */

/** A movement of the SKU's stock at the location. */
export interface Movement {
  entry: string
  atMs: number
  reason: string
  /** Above zero: came in. */
  units: number
  /** What it was made for, where that is known: two of one cause are one too many. */
  cause?: string
  /** Not in the journal yet. */
  isUnposted?: boolean
  /** In the journal, and not delivered to the ERP yet. */
  isUndelivered?: boolean
}

export interface Explanation {
  type: 'later_movement' | 'unposted_movement' | 'duplicate'
  entry: string
  at: string
  reason: string
  /** What it makes of the difference: theirs less ours. */
  units: number
  /** It would explain the difference, but nothing says that it does. */
  isGuess?: boolean
}

/** Explanations of one difference that are shown one by one. */
export const EXPLANATIONS_MAX = 20

/** `difference`: theirs less ours as it is now. Movements from the oldest on. */
export function explain(
  difference: number,
  atMs: number,
  movements: readonly Movement[],
): { explained: Explanation[]; unexplained: number; more: number } {
  const explained: Explanation[] = []
  let rest = difference
  const take = (type: Explanation['type'], movement: Movement, isGuess = false): void => {
    rest += movement.units
    explained.push({
      type,
      entry: movement.entry,
      at: new Date(movement.atMs).toISOString(),
      reason: movement.reason,
      units: -movement.units,
      ...(isGuess ? { isGuess } : {}),
    })
  }
  for (const movement of movements) if (movement.atMs > atMs) take('later_movement', movement)
  const before = movements.filter((movement) => movement.atMs <= atMs)
  const untold = before.filter(({ isUnposted, isUndelivered }) => isUnposted || isUndelivered)
  const untoldUnits = untold.reduce((sum, { units }) => sum + units, 0)
  // They may have been told by another way: only where it brings the two closer.
  if (rest !== 0 && Math.abs(rest + untoldUnits) < Math.abs(rest)) {
    for (const movement of untold) take('unposted_movement', movement)
  }
  if (rest !== 0) {
    const twice = duplicateOf(rest, before)
    if (twice) take('duplicate', twice)
  }
  if (rest !== 0) {
    const only = before.filter((movement) => movement.units === -rest && !untold.includes(movement))
    if (only.length === 1) take('unposted_movement', only[0]!, true)
  }
  return {
    explained: explained.slice(0, EXPLANATIONS_MAX),
    unexplained: rest,
    more: explained.length - EXPLANATIONS_MAX,
  }
}

/** The second of two movements that are alike in all but their time, where one of them is the whole rest. */
function duplicateOf(rest: number, movements: readonly Movement[]): Movement | undefined {
  const seen = new Set<string>()
  for (const movement of movements) {
    const { reason, cause, units } = movement
    if (cause === undefined || units !== -rest) continue
    const key = JSON.stringify([reason, cause, units])
    if (seen.has(key)) return movement
    seen.add(key)
  }
  return undefined
}
