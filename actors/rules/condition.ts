/** A condition of a rule: read once, checked against the types of the facts, and run for each order. */
import { TypeError as CelTypeError, EvaluationError, ParseError, type ParseResult } from '@marcbachmann/cel-js'
import { makeEnvironments } from './environments.js'
import type { CelFacts } from './facts.js'
import { CONDITION_CHARS_MAX } from './limits.js'
import type { Meter } from './meter.js'
import { clipped, Rewriting } from './rewriting.js'

export interface Verdict {
  matched: boolean
  /** Work done; see `STEPS_PER_RULE_MAX`. */
  steps: number
  /** Why the condition could not be answered, as a sentence. `matched` is then false. */
  fault?: string
}

const meter: Meter = { spent: 0, max: 0 }
const environments = makeEnvironments(meter)

/** A condition that was read: either its faults, or what can be run. */
export class Condition {
  readonly faults: readonly string[]
  readonly #run: ParseResult | undefined
  /** Steps of everything outside loops. */
  readonly #steps: number

  constructor(text: string) {
    const { faults, run, steps } = compile(text)
    this.faults = faults
    this.#run = run
    this.#steps = steps
  }

  evaluate(facts: CelFacts, stepsMax: number): Verdict {
    if (this.#run === undefined) return { matched: false, steps: 0, fault: this.faults[0] ?? 'The condition is wrong.' }
    meter.spent = this.#steps
    meter.max = stepsMax
    // A loop may meet a fault in each of its elements, and a stack trace would be most of its cost.
    const stackTraceLimit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    let fault: string | undefined
    let matched = false
    try {
      const value: unknown = this.#run(facts)
      if (typeof value === 'boolean') matched = value
      else fault = 'The condition gave no bool.'
    } catch (error) {
      fault = sentenceOf(error)
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
    // Asked of the meter and not of the fault, since || and exists go on after one.
    const steps = Math.min(meter.spent, stepsMax)
    if (meter.spent > stepsMax) {
      fault = `The condition needs more than ${stepsMax} steps for this order; loop over fewer lines, or nest no loops.`
    }
    return fault === undefined ? { matched, steps } : { matched: false, steps, fault }
  }
}

function compile(text: string): { faults: string[]; run?: ParseResult; steps: number } {
  const refused = (...faults: string[]): { faults: string[]; steps: number } => ({ faults, steps: 0 })
  if (text.length > CONDITION_CHARS_MAX) {
    return refused(
      `The condition has ${text.length} characters; the limit is ${CONDITION_CHARS_MAX}. Make two rules of it.`,
    )
  }
  const { read, run } = environments
  try {
    const written = read.parse(text)
    // Before it is written anew, which asks for the types that this finds.
    const checked = written.check()
    const rewriting = new Rewriting(text)
    const rewritten = rewriting.write(written.ast)
    if (rewriting.faults.length > 0) return refused(...rewriting.faults)
    if (!checked.valid) return refused(sentenceOf(checked.error))
    if (checked.type !== 'bool') {
      return refused(`The condition must give a bool, but gives ${checked.type}; compare it with something.`)
    }
    const condition = run.parse(rewritten)
    const fault = condition.check().error
    // Its place is one in what was written anew, which nobody has seen.
    if (fault !== undefined) return refused(clipped(`The condition is wrong: ${fault.summary}.`))
    return { faults: [], run: condition, steps: rewriting.steps }
  } catch (error) {
    return refused(sentenceOf(error))
  }
}

/** Only the library's own words: those of the JavaScript engine may differ between versions of Node. */
function sentenceOf(error: unknown): string {
  if (error instanceof ParseError || error instanceof CelTypeError) {
    const place = error.range === undefined ? '' : ` at character ${error.range.start + 1}`
    return clipped(`The condition is wrong${place}: ${error.summary}.`)
  }
  if (error instanceof EvaluationError) return clipped(`The condition failed: ${error.summary}.`)
  return 'The condition failed.'
}
