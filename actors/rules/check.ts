/** What is wrong with a rule, before it is put: sentences for the person who wrote it. */
import { NAME_BYTES_MAX } from '../limits.js'
import { Condition } from './condition.js'
import { ACTION_LOCATIONS_MAX, ACTIONS_MAX, RULE_TEXT_CHARS_MAX } from './limits.js'
import { LOCATION_TYPES, type Rule, type RuleAction } from './rule.js'

const PRIORITY_LOWEST = 9

/** Of these a rule has one, or nobody could say which of them it means. */
const ONE_OF_A_KIND: ReadonlySet<RuleAction['type']> = new Set([
  'priority',
  'onlyLocations',
  'locationTypes',
  'service',
  'allowSplit',
  'reject',
])

/** Every fault, and none when the rule may be put. The parts may be of any type: a command comes from outside. */
export function checkRule(rule: Rule): string[] {
  return [...checkHead(rule), ...checkCondition(rule.condition), ...checkActions(rule.actions)]
}

function checkHead(rule: Rule): string[] {
  const faults = [
    ...checkText('id', rule.id, RULE_TEXT_CHARS_MAX),
    ...checkText('name', rule.name, RULE_TEXT_CHARS_MAX),
  ]
  if (!Number.isSafeInteger(rule.version) || rule.version < 1) faults.push('The version must be a whole number from 1.')
  if (!Number.isSafeInteger(rule.order)) faults.push('The order must be a whole number; lower is tried first.')
  if (typeof rule.enabled !== 'boolean') faults.push('Say whether the rule is enabled: true or false.')
  if (!Number.isSafeInteger(rule.from) || rule.from < 0)
    faults.push('The rule must be valid from a time in ms since 1970.')
  if (rule.until !== null && !(Number.isSafeInteger(rule.until) && rule.until > rule.from)) {
    faults.push('The rule must be valid until a time in ms after its beginning, or null for ever.')
  }
  return faults
}

function checkCondition(condition: unknown): readonly string[] {
  if (typeof condition !== 'string') return ['The condition must be a text.']
  return new Condition(condition).faults
}

function checkActions(actions: unknown): string[] {
  if (!Array.isArray(actions) || actions.length === 0) return ['The rule needs at least one action.']
  if (actions.length > ACTIONS_MAX) return [`The rule has ${actions.length} actions; the limit is ${ACTIONS_MAX}.`]
  // No more than a hope yet: `checkAction` looks at every part of it.
  const hoped = actions as readonly (RuleAction | null | undefined)[]
  const faults = hoped.flatMap((action, index) => checkAction(action).map((fault) => `Action ${index + 1}: ${fault}`))
  return faults.length > 0 ? faults : checkTogether(hoped as readonly RuleAction[])
}

function checkAction(action: RuleAction | null | undefined): string[] {
  switch (action?.type) {
    case 'hold':
    case 'review':
    case 'reject':
      return checkText('reason', action.reason, RULE_TEXT_CHARS_MAX)
    case 'tag':
      return checkText('tag', action.tag, RULE_TEXT_CHARS_MAX)
    case 'service':
      return checkText('service', action.service, RULE_TEXT_CHARS_MAX)
    case 'splitBy':
      return checkText('attribute', action.attribute, RULE_TEXT_CHARS_MAX)
    case 'priority':
      return Number.isSafeInteger(action.priority) && action.priority >= 0 && action.priority <= PRIORITY_LOWEST
        ? []
        : [`The priority must be a whole number from 0 (most urgent) to ${PRIORITY_LOWEST}.`]
    case 'allowSplit':
      return typeof action.allow === 'boolean' ? [] : ['Say whether a split is allowed: true or false.']
    case 'onlyLocations':
    case 'excludeLocations':
      return checkList('locations', action.locations, ACTION_LOCATIONS_MAX, (name) =>
        checkText('location', name, NAME_BYTES_MAX),
      )
    case 'locationTypes':
      return checkList('location types', action.types, LOCATION_TYPES.length, (type) =>
        LOCATION_TYPES.some((known) => known === type)
          ? []
          : [`A location type is one of ${LOCATION_TYPES.join(', ')}.`],
      )
    default:
      return ['There is no action of this type.']
  }
}

/** What each action may say, but not beside the others. */
function checkTogether(actions: readonly RuleAction[]): string[] {
  const faults: string[] = []
  for (const kind of ONE_OF_A_KIND) {
    if (actions.filter((action) => action.type === kind).length > 1) {
      faults.push(`The rule has more than one action ${kind}; keep one.`)
    }
  }
  if (
    actions.some(({ type }) => type === 'reject') &&
    actions.some(({ type }) => type !== 'reject' && type !== 'tag')
  ) {
    faults.push('A rule that rejects an order cannot do anything else with it but tag it.')
  }
  const excluded = new Set(actions.flatMap((action) => (action.type === 'excludeLocations' ? action.locations : [])))
  const only = actions.flatMap((action) => (action.type === 'onlyLocations' ? action.locations : []))
  if (only.length > 0 && only.every((location) => excluded.has(location))) {
    faults.push('The rule excludes every location that it allows.')
  }
  return faults
}

function checkList(what: string, list: unknown, max: number, check: (element: unknown) => string[]): string[] {
  if (!Array.isArray(list) || list.length === 0) return [`The action needs at least one of its ${what}.`]
  if (list.length > max) return [`The action has ${list.length} ${what}; the limit is ${max}.`]
  const faults = new Set(list.flatMap(check))
  if (new Set(list).size < list.length) faults.add(`The action names one of its ${what} twice.`)
  return [...faults]
}

function checkText(what: string, text: unknown, max: number): string[] {
  if (typeof text !== 'string' || text.trim() === '') return [`The ${what} must not be empty.`]
  return text.length > max ? [`The ${what} has ${text.length} characters; the limit is ${max}.`] : []
}
