/** What a scenario is: a name that can be asked for, and a run that gives one figure. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Figure } from './figures.js'
import type { Resources } from './resources.js'

export interface Context {
  readonly resources: Resources
  /** Seconds of each measurement, after its warm-up. */
  readonly seconds: number
  /** Minutes of the scenarios that look for slow growth. */
  readonly minutes: number
  /** Orders of each measurement of orders. */
  readonly orders: number
  /** Progress, for the person who watches. */
  say(line: string): void
  /** What an earlier scenario of this run gave. */
  figure(name: string): Figure | undefined
}

export interface Scenario {
  readonly name: string
  readonly summary: string
  /** The scenarios, ours or a peer's, that its ratios are taken against. */
  readonly against?: readonly string[]
  /** Why it cannot run here and what to do about it; undefined where it can. */
  missing?(): string | undefined
  run(context: Context): Promise<Figure>
}

/** The path of a program, looked for in these directories and in PATH. */
export function findProgram(name: string, directories: readonly string[] = []): string | undefined {
  for (const directory of [...directories, ...(process.env.PATH ?? '').split(delimiter)]) {
    const path = join(directory, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here: the next directory may have it.
    }
  }
  return undefined
}
