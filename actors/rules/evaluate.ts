/**
 * The rules in force, and what they decide about an order. Nothing here throws for what a rule says or an order holds:
 * a rule that fails holds the order, with its fault in the trace, and the others go on.
 */
import { assert } from '../../engine/assert.js'
import { Condition } from './condition.js'
import { CelFacts, type RuleFacts } from './facts.js'
import { RULES_MAX, STEPS_PER_EVALUATION_MAX, STEPS_PER_RULE_MAX } from './limits.js'
import type { LocationType, Rule, RuleAction } from './rule.js'

export { checkRule } from './check.js'

/** A rule that was tried. Those that are disabled, or not valid at the time, are not. */
export interface RuleTraceEntry {
  rule: string
  version: number
  matched: boolean
  /** Those of a rule that matched. */
  actions?: RuleAction[]
  fault?: string
}

export interface RuleDecision {
  /** Reasons, and `rule_failed:<rule>` for each rule that failed. */
  holds: string[]
  tags: string[]
  priority: number | undefined
  /** Every rule that names some allows only those; none may be left. */
  onlyLocations: string[] | undefined
  excludeLocations: string[]
  locationTypes: LocationType[] | undefined
  service: string | undefined
  allowSplit: boolean | undefined
  splitBy: string[]
  review: string[]
  reject: string | undefined
  trace: RuleTraceEntry[]
}

interface Entry {
  rule: Rule
  condition: Condition
}

export class RuleBook {
  readonly #entries = new Map<string, Entry>()
  #inOrder: Entry[] = []

  get size(): number {
    return this.#entries.size
  }

  get(id: string): Rule | undefined {
    return this.#entries.get(id)?.rule
  }

  /** In the order in which they are tried. */
  rules(): Rule[] {
    return this.#inOrder.map(({ rule }) => rule)
  }

  /**
   * Puts a rule that `checkRule` has found to be without fault, in the place of the one with its id. A rule with a faulty
   * condition (read from a checkpoint that knew another CEL) is put, and fails for each order.
   */
  put(rule: Rule): void {
    const before = this.#entries.get(rule.id)
    assert(before !== undefined || this.#entries.size < RULES_MAX, 'the rule book has room')
    const condition = before?.rule.condition === rule.condition ? before.condition : new Condition(rule.condition)
    this.#entries.set(rule.id, { rule: structuredClone(rule), condition })
    this.#sort()
  }

  delete(id: string): void {
    if (this.#entries.delete(id)) this.#sort()
  }

  /**
   * Tries the rules in their order.
   * @param facts asked once, and only if there is a rule to try
   * @param timeMs log time, which says what rules are valid
   */
  evaluate(facts: () => RuleFacts, timeMs: number): RuleDecision {
    const decision = noDecision()
    let celFacts: CelFacts | undefined
    let stepsLeft = STEPS_PER_EVALUATION_MAX
    for (const { rule, condition } of this.#inOrder) {
      if (!isInForce(rule, timeMs)) continue
      celFacts ??= new CelFacts(facts())
      const { matched, steps, fault } = condition.evaluate(celFacts, Math.min(STEPS_PER_RULE_MAX, stepsLeft))
      stepsLeft -= steps
      const entry: RuleTraceEntry = { rule: rule.id, version: rule.version, matched }
      decision.trace.push(entry)
      if (fault !== undefined) {
        entry.fault = fault
        addOnce(decision.holds, [`rule_failed:${rule.id}`])
      }
      if (!matched) continue
      entry.actions = rule.actions
      for (const action of rule.actions) apply(action, decision)
      if (decision.reject !== undefined) break
    }
    return decision
  }

  #sort(): void {
    this.#inOrder = [...this.#entries.values()].sort(
      (a, b) => a.rule.order - b.rule.order || (a.rule.id < b.rule.id ? -1 : 1),
    )
  }
}

const isInForce = (rule: Rule, timeMs: number): boolean =>
  rule.enabled && rule.from <= timeMs && (rule.until === null || timeMs < rule.until)

const noDecision = (): RuleDecision => ({
  holds: [],
  tags: [],
  priority: undefined,
  onlyLocations: undefined,
  excludeLocations: [],
  locationTypes: undefined,
  service: undefined,
  allowSplit: undefined,
  splitBy: [],
  review: [],
  reject: undefined,
  trace: [],
})

/** A single value replaces that of an earlier rule; lists are joined, and allowed locations are those of both. */
function apply(action: RuleAction, decision: RuleDecision): void {
  switch (action.type) {
    case 'hold':
      addOnce(decision.holds, [action.reason])
      break
    case 'tag':
      addOnce(decision.tags, [action.tag])
      break
    case 'priority':
      decision.priority = action.priority
      break
    case 'onlyLocations':
      decision.onlyLocations = decision.onlyLocations?.filter((location) => action.locations.includes(location)) ?? [
        ...action.locations,
      ]
      break
    case 'excludeLocations':
      addOnce(decision.excludeLocations, action.locations)
      break
    case 'locationTypes':
      decision.locationTypes = decision.locationTypes?.filter((type) => action.types.includes(type)) ?? [
        ...action.types,
      ]
      break
    case 'service':
      decision.service = action.service
      break
    case 'allowSplit':
      decision.allowSplit = action.allow
      break
    case 'splitBy':
      addOnce(decision.splitBy, [action.attribute])
      break
    case 'review':
      addOnce(decision.review, [action.reason])
      break
    case 'reject':
      decision.reject = action.reason
      break
    default:
      action satisfies never
  }
}

function addOnce<T>(list: T[], values: readonly T[]): void {
  for (const value of values) if (!list.includes(value)) list.push(value)
}
