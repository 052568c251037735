/** What must hold, or the program is wrong. An input that may be wrong is an error with a code instead. */
export function assert(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`assertion failed: ${what}`)
}
