/** Business rules and the settings of orders. */
import { z } from 'zod'
import type { OrderSettings } from '../../actors/order/settings.js'
import { checkRule } from '../../actors/rules/evaluate.js'
import type { Rule } from '../../actors/rules/rule.js'
import type { Outcome } from '../../engine/protocol.js'
import * as shapes from '../order-schemas.js'
import { problem } from '../problems.js'
import * as schemas from '../schemas.js'
import { withoutUndefined } from '../without-undefined.js'
import { failed, operation } from './operation.js'

type RuleInput = z.output<typeof shapes.rule> & { id: string }

const ruleOf = ({ id, name, order, enabled, from, until, condition, actions }: RuleInput): Rule => ({
  id,
  version: 1,
  name: name ?? id,
  order,
  enabled,
  from: from === undefined ? 0 : Date.parse(from),
  until: until === undefined ? null : Date.parse(until),
  condition,
  actions,
})

function ruleView({ from, until, ...rule }: Rule): object {
  return {
    ...rule,
    ...(from === 0 ? {} : { from: new Date(from).toISOString() }),
    ...(until === null ? {} : { until: new Date(until).toISOString() }),
  }
}

function faultsOf(rules: Rule[]): Outcome | undefined {
  const errors = rules.flatMap((rule) => checkRule(rule).map((message) => ({ path: rule.id, message })))
  if (errors.length === 0) return undefined
  return problem(422, 'invalid_rule', `${errors[0]!.path}: ${errors[0]!.message}`, errors)
}

export const ruleOperations = [
  operation({
    name: 'rule.put',
    summary: 'Makes a business rule, or a new version of it',
    http: { method: 'PUT', path: '/v1/rules/{id}', status: 200 },
    parameters: z.object({ id: schemas.entityId }),
    body: shapes.rule,
    async run(input, { dispatch }) {
      const rule = ruleOf(input)
      const faults = faultsOf([rule])
      if (faults) return faults
      const outcome = await dispatch.command(0, 'rule.put', rule)
      return failed(outcome) ? outcome : { status: 200, body: ruleView(outcome.body as Rule) }
    },
  }),
  operation({
    name: 'rule.list',
    summary: 'Business rules, in the order in which they are tried',
    http: { method: 'GET', path: '/v1/rules', status: 200 },
    async run(_input, { dispatch }) {
      const outcome = await dispatch.query(0, 'rule.list', {})
      if (failed(outcome)) return outcome
      const { items } = outcome.body as { items: Rule[] }
      items.sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1))
      return { status: 200, body: { items: items.map(ruleView), nextCursor: null } }
    },
  }),
  operation({
    name: 'rule.try',
    summary: 'What rules would have decided over past orders; nothing is changed',
    http: { method: 'POST', path: '/v1/rules/try', status: 200 },
    body: shapes.ruleTrial,
    async run({ rules: inputs, orders, limit }, { dispatch }) {
      const rules = inputs.map(ruleOf)
      const faults = faultsOf(rules)
      if (faults) return faults
      const outcomes = await dispatch.queryAll('rule.try', { rules, orders: orders ?? null, limit })
      const refused = outcomes.find(failed)
      if (refused) return refused
      const items = outcomes.flatMap(({ body }) => (body as { items: object[] }).items)
      return { status: 200, body: { items } }
    },
  }),
  operation({
    name: 'settings.put',
    summary: 'Changes how orders are handled: what is left out stays as it is',
    http: { method: 'PUT', path: '/v1/settings/orders', status: 200 },
    body: shapes.settings,
    async run(input, { dispatch }) {
      const known = await dispatch.query(0, 'settings.get', {})
      if (failed(known)) return known
      const before = known.body as OrderSettings
      const settings = {
        ...before,
        ...withoutUndefined(input),
        weights: merged(before.weights, input.weights),
        deadlines: { ...before.deadlines, ...input.deadlines },
        returns: { ...before.returns, ...input.returns },
      }
      if (!settings.services.some(({ name }) => name === settings.defaultService)) {
        return problem(422, 'invalid', `defaultService: there is no service ${settings.defaultService}`)
      }
      const outcome = await dispatch.command(0, 'settings.put', JSON.parse(JSON.stringify(settings)))
      return failed(outcome) ? outcome : { status: 200, body: outcome.body }
    },
  }),
  operation({
    name: 'settings.get',
    summary: 'How orders are handled',
    http: { method: 'GET', path: '/v1/settings/orders', status: 200 },
    run: (_input, { dispatch }) => dispatch.query(0, 'settings.get', {}),
  }),
]

/** Weights by zone or type are merged, too. */
function merged(before: OrderSettings['weights'], input: z.output<typeof shapes.settings>['weights']): object {
  const { parcelByZone, kilogramByZone, scarcity, ...plain } = input ?? {}
  return {
    ...before,
    ...plain,
    parcelByZone: { ...before.parcelByZone, ...parcelByZone },
    kilogramByZone: { ...before.kilogramByZone, ...kilogramByZone },
    scarcity: { ...before.scarcity, ...scarcity },
  }
}
