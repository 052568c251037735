/** When the frames of an open loop are due: fixed before the run, so that a slow server cannot slow its own load down. */

/**
 * Arrivals of many independent buyers: a Poisson process, whose gaps are exponential. Milliseconds from the start,
 * ascending, in shared memory so that the pacer's thread can read them too.
 */
export function arrivalsMs(perSecond: number, durationMs: number, random: () => number = Math.random): Float64Array {
  const due: number[] = []
  for (let at = gapMs(perSecond, random); at < durationMs; at += gapMs(perSecond, random)) due.push(at)
  const shared = new Float64Array(new SharedArrayBuffer(due.length * Float64Array.BYTES_PER_ELEMENT))
  shared.set(due)
  return shared
}

function gapMs(perSecond: number, random: () => number): number {
  // 1 - random() is never 0, whose logarithm would be no gap at all but for ever.
  return (-Math.log(1 - random()) * 1_000) / perSecond
}
