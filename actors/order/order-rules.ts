/** Business rules as they meet an order: the facts that they look at, and what their decision changes of it. */
import type { Step } from '../../engine/actors.js'
import type { Store } from '../../engine/store.js'
import type { Places } from '../catalog/places.js'
import { readDocument, writeDocument } from '../documents.js'
import { RuleBook, type RuleDecision } from '../rules/evaluate.js'
import { type RuleFacts, timeFacts } from '../rules/facts.js'
import { RULES_MAX } from '../rules/limits.js'
import type { Rule } from '../rules/rule.js'
import type { Availability, Line, Order } from './order.js'
import { stateOf } from './order-status.js'

const MONEY_UNITS = 10_000
const KEY = 'rules'

export class OrderRules {
  private book = new RuleBook()

  constructor(
    private readonly store: Store,
    private readonly places: Places,
  ) {}

  rebuild(): void {
    this.book = new RuleBook()
    for (const rule of this.list()) this.book.put(rule)
  }

  list(): Rule[] {
    return readDocument<Rule[]>(this.store, KEY) ?? []
  }

  /** Puts a rule: a new version of the one with its id. */
  put(rule: Rule): void {
    const others = this.list().filter(({ id }) => id !== rule.id)
    writeDocument(this.store, KEY, [...others, rule])
    this.book.put(rule)
  }

  get hasRoom(): boolean {
    return this.list().length < RULES_MAX
  }

  /** Decides over a new order and changes it accordingly. */
  apply(step: Step, order: Order, offers: Availability[], score: number): RuleDecision {
    const decision = this.book.evaluate(() => factsOf(order, offers, score, step.timeMs), step.timeMs)
    order.trace = decision.trace
    order.tags.push(...decision.tags)
    if (decision.priority !== undefined) order.priority = decision.priority
    if (decision.service !== undefined) order.service = decision.service
    if (decision.allowSplit !== undefined) order.allowSplit = decision.allowSplit
    if (decision.locationTypes) order.locationTypes = decision.locationTypes
    if (decision.onlyLocations) order.onlyLocations = this.indices(decision.onlyLocations)
    for (const location of this.indices(decision.excludeLocations)) order.excluded.push({ location, reason: 'rule' })
    if (decision.splitBy.length > 0) {
      order.splitBy = decision.splitBy
      const bySku = new Map(offers.map((offer) => [offer.sku, offer]))
      for (const line of order.lines) line.group = groupOf(line, decision.splitBy, bySku)
    }
    return decision
  }

  /** What rules would decide over an order, were it placed now: nothing is changed. */
  wouldDecide(rules: Rule[], order: Order, offers: Availability[], timeMs: number): RuleDecision {
    const book = new RuleBook()
    for (const rule of rules) book.put(rule)
    return book.evaluate(() => factsOf(order, offers, 0, timeMs), timeMs)
  }

  private indices(names: string[]): number[] {
    return this.places.all.flatMap(({ id, location }) => (names.includes(id) ? [location] : []))
  }
}

function groupOf({ sku }: Line, attributes: string[], bySku: Map<number, Availability>): string {
  const product = bySku.get(sku)?.product
  return attributes.map((name) => String(product?.attributes[name] ?? '')).join('/')
}

function factsOf(order: Order, offers: Availability[], score: number, timeMs: number): RuleFacts {
  const bySku = new Map(offers.map((offer) => [offer.sku, offer]))
  const { customer, shipTo, totals } = order
  const lines = order.lines.filter(({ parent }) => parent === undefined)
  return {
    order: {
      id: order.id,
      channel: order.channel,
      currency: order.currency,
      total: totals.total / MONEY_UNITS,
      itemCount: lines.reduce((sum, { quantity }) => sum + quantity, 0),
      lineCount: lines.length,
      shippingService: order.service,
      allowSplit: order.allowSplit,
      allowBackorder: order.allowBackorder,
      priority: order.priority,
      country: shipTo.country,
      postalCode: shipTo.postalCode,
      region: shipTo.region ?? '',
      city: shipTo.city,
      paymentStatus: stateOf(order).payment,
      tags: order.tags,
      score,
    },
    customer: {
      id: customer.id ?? '',
      emailDomain: customer.emailDomain ?? '',
    },
    lines: lines.map((line) => {
      const offer = bySku.get(line.sku)
      return {
        sku: offer?.product?.sku ?? '',
        quantity: line.quantity,
        unitPrice: line.unitPrice / MONEY_UNITS,
        total: (line.unitPrice * line.quantity - line.discount) / MONEY_UNITS,
        weightGrams: line.weightGrams,
        attributes: offer?.product?.attributes ?? {},
        atp: offer?.most ?? 0,
      }
    }),
    stock: offers.map(({ product, most }) => ({ sku: product?.sku ?? '', atp: most })),
    time: timeFacts(timeMs),
  }
}
