/** Steps that the example commands tell one after the other: what was expected and came, or what came instead. */

/** A step did not go as it should. */
export class Unexpected extends Error {}

export const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Says what holds; throws Unexpected with what was seen where it does not. */
export function expected(holds: boolean, what: string, seen: unknown): void {
  if (!holds) throw new Unexpected(`${what}, but: ${JSON.stringify(seen)}`)
  say(`  ✓ ${what}`)
}
