import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkRule, RuleBook, type RuleDecision } from './evaluate.js'
import { type LineFacts, type RuleFacts, timeFacts } from './facts.js'
import { CONDITION_CHARS_MAX, RULES_MAX, STEPS_PER_EVALUATION_MAX, STEPS_PER_RULE_MAX } from './limits.js'
import type { Rule, RuleAction } from './rule.js'

// 2026-11-27 10:30 UTC, a Friday.
const NOW_MS = 1_795_775_400_000

const line = (more: Partial<LineFacts> = {}): LineFacts => ({
  sku: 'SHOE-42',
  quantity: 2,
  unitPrice: 49.95,
  total: 99.9,
  weightGrams: 800,
  attributes: {},
  atp: 5,
  ...more,
})

function facts(
  order: Partial<RuleFacts['order']> = {},
  lines: LineFacts[] = [line()],
  customer: Partial<RuleFacts['customer']> = {},
): RuleFacts {
  return {
    order: {
      id: 'O-1',
      channel: 'web',
      currency: 'EUR',
      total: 99.9,
      itemCount: 2,
      lineCount: lines.length,
      shippingService: 'standard',
      allowSplit: true,
      allowBackorder: false,
      priority: 5,
      country: 'DE',
      postalCode: '10115',
      region: 'BE',
      city: 'Berlin',
      paymentStatus: 'authorized',
      tags: ['vip'],
      score: 12,
      ...order,
    },
    customer: { id: 'Ada', emailDomain: 'example.com', ...customer },
    lines,
    stock: lines.map(({ sku, atp }) => ({ sku, atp })),
    time: timeFacts(NOW_MS),
  }
}

const HOLD: RuleAction = { type: 'hold', reason: 'look' }

const rule = (more: Partial<Rule> = {}): Rule => ({
  id: 'r',
  version: 1,
  name: 'A rule',
  order: 100,
  enabled: true,
  from: 0,
  until: null,
  condition: 'true',
  actions: [HOLD],
  ...more,
})

function decide(rules: Rule[], about: RuleFacts = facts(), timeMs = NOW_MS): RuleDecision {
  const book = new RuleBook()
  for (const one of rules) book.put(one)
  return book.evaluate(() => about, timeMs)
}

/** The decision of one rule, which must be without fault before it is put. */
function verdict(condition: string, about: RuleFacts = facts()): boolean | string {
  expect(checkRule(rule({ condition }))).toEqual([])
  const [entry] = decide([rule({ condition })], about).trace
  return entry?.fault ?? entry?.matched ?? 'not tried'
}

const faultsOf = (condition: string): string[] => checkRule(rule({ condition }))

const manyLines = (count: number): LineFacts[] => Array.from({ length: count }, (_, i) => line({ sku: `S-${i}` }))

describe('a condition', () => {
  it.each([
    ['order.total > 50.0 && order.country in ["DE", "AT"]', true],
    ['order.total > 50', true],
    ['order.lineCount + 1 == 2 && order.itemCount * 2 - 1 == 3', true],
    ['order.total * 2.0 < 100.0', false],
    ['"vip" in order.tags && !("b2b" in order.tags)', true],
    ['order.score >= 80 || customer.emailDomain == "example.com"', true],
    ['customer.emailDomain != ""', true],
    ['customer.id.lowerAscii().contains("ADA".lowerAscii())', true],
    ['customer.id.upperAscii() == "ADA"', true],
    ['order.postalCode.startsWith("10") && size(order.postalCode) == 5 && order.city.size() == 6', true],
    ['order.postalCode.substring(0, 2) == "10" && order.city.indexOf("l") == 3', true],
    ['order.country == "DE" ? order.region == "BE" : false', true],
    ['lines.exists(l, l.sku.startsWith("SHOE") && l.quantity > 1)', true],
    ['lines.all(l, l.atp >= l.quantity)', true],
    ['lines.exists_one(l, l.weightGrams > 500)', true],
    ['lines.filter(l, l.total > 10.0).size() == 1', true],
    ['lines.map(l, l.quantity * l.weightGrams).exists(w, w > 1500)', true],
    ['lines.map(l, l.quantity > 1, l.sku).exists(s, s == "SHOE-42")', true],
    ['lines.all(l, stock.exists(s, s.sku == l.sku && s.atp >= l.quantity))', true],
    ['lines[0].sku == "SHOE-42"', true],
    ['"SHOE-42" in lines.map(l, l.sku)', true],
    ['time.weekday == 5 && time.hour == 10 && time.date == "2026-11-27" && time.ms > 0', true],
    ['int("12") + order.score == 24 && double(order.score) > 11.5 && string(order.score) == "12"', true],
    ['-order.score == -12 && -1.5 < 0.0', true],
    ['order.shippingService == "a \\"quoted\\" \\\\ line\\nnext"', false],
    ['order.allowSplit && !order.allowBackorder', true],
    ['order.total == 1e21 || order.total > 5.0', true],
  ])('%s', (condition, expected) => {
    expect(verdict(condition)).toBe(expected)
  })

  it('asks what the product says of itself, in whatever form it was written', () => {
    const about = facts({}, [
      line({ attributes: { frozen: true, grade: 7, ratio: 2.5, color: 'rød', parts: ['a', 'b'], box: { long: 120 } } }),
      line({ attributes: { nothing: null } }),
    ])
    const held = (condition: string): boolean | string => verdict(condition, about)
    expect(held('lines.exists(l, has(l.attributes.frozen) && l.attributes.frozen == true)')).toBe(true)
    expect(held('lines.exists(l, "grade" in l.attributes && l.attributes.grade > 5)')).toBe(true)
    expect(held('lines[0].attributes["ratio"] == 2.5')).toBe(true)
    expect(held('lines[0].attributes.color == "rød" && lines[0].attributes.color in ["rød"]')).toBe(true)
    expect(held('lines[0].attributes.color == 5')).toBe(false)
    expect(held('"b" in lines[0].attributes.parts && lines[0].attributes.parts.exists(p, p == "a")')).toBe(true)
    expect(held('lines[0].attributes.box.long > 100')).toBe(true)
    expect(held('lines[0].attributes.exists(name, name == "grade")')).toBe(true)
    expect(held('lines[1].attributes.nothing == null')).toBe(true)
    expect(held('lines.all(l, has(l.attributes.frozen))')).toBe(false)
    expect(held('lines[0].attributes.ratio + lines[0].attributes.ratio > 4.5')).toBe(true)
    expect(held('lines[0].attributes.ratio + order.total > 4.5 && order.total + lines[0].attributes.ratio > 4.5')).toBe(
      true,
    )
    expect(held('lines[0].attributes.grade + 1 == 8 && int(lines[0].attributes.grade) - 1 == 6')).toBe(true)
  })

  it('keeps its meaning when it is written anew', () => {
    const literal = fc.oneof(
      fc.boolean().map(String),
      fc.integer({ min: 0, max: 30 }).map((n) => `order.score > ${n}`),
      fc.string({ maxLength: 6 }).map((s) => `order.city != ${JSON.stringify(s)}`),
    )
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { depthSize: 'small' },
        literal,
        fc
          .tuple(tie('expression'), fc.constantFrom('&&', '||', '==', '!='), tie('expression'))
          .map(([a, op, b]) => `(${a}) ${op} (${b})`),
        fc
          .tuple(tie('expression'), fc.constantFrom('&&', '||'), tie('expression'))
          .map(([a, op, b]) => `(${a} ${op} ${b})`),
        tie('expression').map((a) => `!(${a})`),
        fc
          .tuple(tie('expression'), tie('expression'), tie('expression'))
          .map(([a, b, c]) => `((${a}) ? (${b}) : (${c}))`),
      ),
    }))
    fc.assert(
      fc.property(expression, (condition) => {
        fc.pre(condition.length < 400)
        // The same words mean the same in JavaScript, but for the chains of == that the brackets exclude.
        const { order } = facts()
        const inJavaScript = new Function('order', `return ${condition}`)(order) as boolean
        expect(verdict(condition)).toBe(inJavaScript)
      }),
    )
  })
})

describe('the actions', () => {
  it.each<[RuleAction, Partial<RuleDecision>]>([
    [{ type: 'hold', reason: 'fraud' }, { holds: ['fraud'] }],
    [{ type: 'tag', tag: 'gift' }, { tags: ['gift'] }],
    [{ type: 'priority', priority: 0 }, { priority: 0 }],
    [{ type: 'onlyLocations', locations: ['BER', 'HAM'] }, { onlyLocations: ['BER', 'HAM'] }],
    [{ type: 'excludeLocations', locations: ['MUC'] }, { excludeLocations: ['MUC'] }],
    [{ type: 'locationTypes', types: ['warehouse', '3pl'] }, { locationTypes: ['warehouse', '3pl'] }],
    [{ type: 'service', service: 'express' }, { service: 'express' }],
    [{ type: 'allowSplit', allow: false }, { allowSplit: false }],
    [{ type: 'splitBy', attribute: 'hazardous' }, { splitBy: ['hazardous'] }],
    [{ type: 'review', reason: 'new customer' }, { review: ['new customer'] }],
    [{ type: 'reject', reason: 'embargo' }, { reject: 'embargo' }],
  ])('%o', (action, decided) => {
    const nothing = decide([])
    expect(checkRule(rule({ actions: [action] }))).toEqual([])
    expect(decide([rule({ actions: [action] })])).toEqual({
      ...nothing,
      ...decided,
      trace: [{ rule: 'r', version: 1, matched: true, actions: [action] }],
    })
    expect(decide([rule({ condition: 'false', actions: [action] })])).toEqual({
      ...nothing,
      trace: [{ rule: 'r', version: 1, matched: false }],
    })
  })

  it('are done in the order of the rules, ties by id, however the rules were put', () => {
    const tag = (id: string, order: number): Rule => rule({ id, order, actions: [{ type: 'tag', tag: id }] })
    expect(decide([tag('c', 2), tag('b', 1), tag('a', 2), tag('B', 2), tag('z', -1)]).tags).toEqual([
      'z',
      'b',
      'B',
      'a',
      'c',
    ])
  })

  it('of a later rule win when there can be one, and are joined when there can be many', () => {
    const first = rule({
      id: 'first',
      order: 1,
      actions: [
        HOLD,
        { type: 'tag', tag: 'a' },
        { type: 'priority', priority: 1 },
        { type: 'service', service: 'slow' },
        { type: 'allowSplit', allow: true },
        { type: 'onlyLocations', locations: ['A', 'B', 'C'] },
        { type: 'excludeLocations', locations: ['X'] },
        { type: 'locationTypes', types: ['store'] },
        { type: 'splitBy', attribute: 'frozen' },
        { type: 'review', reason: 'one' },
      ],
    })
    const second = rule({
      id: 'second',
      order: 2,
      actions: [
        HOLD,
        { type: 'tag', tag: 'b' },
        { type: 'priority', priority: 7 },
        { type: 'service', service: 'fast' },
        { type: 'allowSplit', allow: false },
        { type: 'onlyLocations', locations: ['C', 'D', 'B'] },
        { type: 'excludeLocations', locations: ['Y', 'X'] },
        { type: 'locationTypes', types: ['3pl', 'store'] },
        { type: 'splitBy', attribute: 'hazardous' },
        { type: 'review', reason: 'two' },
      ],
    })
    expect(decide([second, first])).toMatchObject({
      holds: ['look'],
      tags: ['a', 'b'],
      priority: 7,
      service: 'fast',
      allowSplit: false,
      onlyLocations: ['B', 'C'],
      excludeLocations: ['X', 'Y'],
      locationTypes: ['store'],
      splitBy: ['frozen', 'hazardous'],
      review: ['one', 'two'],
    })
  })

  it('leave no location when two rules allow none in common', () => {
    const only = (id: string, location: string): Rule =>
      rule({ id, actions: [{ type: 'onlyLocations', locations: [location] }] })
    expect(decide([only('a', 'BER'), only('b', 'HAM')]).onlyLocations).toEqual([])
  })

  it('end with a rejection: no later rule is tried', () => {
    const { reject, tags, trace } = decide([
      rule({ id: 'a', order: 1, actions: [{ type: 'tag', tag: 'seen' }] }),
      rule({
        id: 'b',
        order: 2,
        actions: [
          { type: 'reject', reason: 'embargo' },
          { type: 'tag', tag: 'rejected' },
        ],
      }),
      rule({ id: 'c', order: 3, actions: [{ type: 'tag', tag: 'never' }] }),
    ])
    expect(reject).toBe('embargo')
    expect(tags).toEqual(['seen', 'rejected'])
    expect(trace.map((entry) => entry.rule)).toEqual(['a', 'b'])
  })
})

describe('the rule book', () => {
  it('tries a rule from its beginning until its end, and leaves the others out of the trace', () => {
    const rules = [
      rule({ id: 'off', enabled: false }),
      rule({ id: 'soon', from: 1_000 }),
      rule({ id: 'sale', from: 500, until: 1_000 }),
    ]
    const tried = (timeMs: number): string[] => decide(rules, facts(), timeMs).trace.map((entry) => entry.rule)
    expect([499, 500, 999, 1_000].map(tried)).toEqual([[], ['sale'], ['sale'], ['soon']])
  })

  it('replaces a rule by its next version, and forgets a deleted one', () => {
    const book = new RuleBook()
    book.put(rule({ condition: 'order.score > 90' }))
    book.put(rule({ version: 2, condition: 'order.score > 10' }))
    expect(book.evaluate(facts, NOW_MS).trace).toEqual([{ rule: 'r', version: 2, matched: true, actions: [HOLD] }])
    book.put(rule({ version: 3, condition: 'order.score > 10', enabled: false }))
    expect(book.evaluate(facts, NOW_MS).trace).toEqual([])
    expect(book.get('r')?.version).toBe(3)
    book.delete('r')
    book.delete('never there')
    expect([book.size, book.rules(), book.get('r')]).toEqual([0, [], undefined])
  })

  it('keeps what was put, whatever becomes of the object', () => {
    const mine = rule()
    const book = new RuleBook()
    book.put(mine)
    mine.actions.push({ type: 'tag', tag: 'later' })
    mine.enabled = false
    expect(book.evaluate(facts, NOW_MS)).toMatchObject({ holds: ['look'], tags: [] })
  })

  it('asks for the facts once, and not at all without a rule to try', () => {
    const book = new RuleBook()
    let asked = 0
    const ask = (): RuleFacts => {
      asked++
      return facts()
    }
    book.evaluate(ask, NOW_MS)
    book.put(rule({ id: 'off', enabled: false }))
    book.evaluate(ask, NOW_MS)
    expect(asked).toBe(0)
    book.put(rule({ id: 'a' }))
    book.put(rule({ id: 'b' }))
    book.evaluate(ask, NOW_MS)
    expect(asked).toBe(1)
  })

  it('has a limit', () => {
    const book = new RuleBook()
    for (let i = 0; i < RULES_MAX; i++) book.put(rule({ id: `r${i}` }))
    book.put(rule({ id: 'r0', version: 2 }))
    expect(() => book.put(rule({ id: 'one more' }))).toThrow('room')
  })

  it('holds the order for each rule that fails, says why, and goes on', () => {
    const { holds, tags, trace } = decide([
      rule({ id: 'a', condition: 'lines[9].quantity > 1' }),
      rule({ id: 'b', condition: 'order.channl == "web"' }),
      rule({ id: 'c', condition: '10 / (order.score - 12) > 1' }),
      rule({ id: 'd', actions: [{ type: 'tag', tag: 'done' }] }),
    ])
    expect(holds).toEqual(['rule_failed:a', 'rule_failed:b', 'rule_failed:c'])
    expect(tags).toEqual(['done'])
    expect(trace).toEqual([
      {
        rule: 'a',
        version: 1,
        matched: false,
        fault: 'The condition failed: No such key: index out of bounds, index 9 >= size 1.',
      },
      { rule: 'b', version: 1, matched: false, fault: 'The condition is wrong at character 7: No such key: channl.' },
      { rule: 'c', version: 1, matched: false, fault: 'The condition failed: division by zero.' },
      { rule: 'd', version: 1, matched: true, actions: [{ type: 'tag', tag: 'done' }] },
    ])
  })
})

describe('a rule is refused', () => {
  it.each([
    ['order.total >', 'Unexpected token'],
    ['order.channl == "web"', 'No such key: channl'],
    ['has(order.channl)', 'No such key: channl'],
    ['lines.exists(l, has(l.skuu))', 'No such key: skuu'],
    ['lines.exists(l, l.price > 1.0)', 'No such key: price'],
    ['order.channel == 5', 'string == int'],
    ['order.total', 'must give a bool, but gives double'],
    ['lines[0].attributes.frozen', 'must give a bool, but gives dyn'],
    ['lines.map(l, l.quantity > 1)', 'must give a bool, but gives list<bool>'],
    ['lines.exists(l, l.quantity)', 'must return bool'],
    ['order.total * 2 > 10.0', 'double * int'],
    ['user.name == "x"', 'There is no user'],
    ['int == string', 'There is no int'],
    ['order.shippingService.matches("(a+)+$")', 'cannot call matches: a regular expression'],
    ['timestamp("2026-01-01T00:00:00Z") < timestamp(time.ms)', 'cannot call timestamp: use time.ms'],
    ['duration("1h") > duration("1m")', 'cannot call duration: use time.ms'],
    ['google.protobuf.Duration == google.protobuf.Duration', 'There is no google'],
    ['type(order.total) == double', 'cannot call type'],
    ['dyn(1) == 1', 'cannot call dyn'],
    ['cel.bind(x, lines, x.size() > 1)', 'cannot call bind'],
    ['order.shippingService.split(",").size() > 1', 'cannot call split'],
    ['order.tags.join(",") == "a"', 'cannot call join'],
    ['b"abc" == b"abc"', 'bytes'],
    ['1u == 1u', 'unsigned'],
    ['{"a": 1}["a"] == 1', 'cannot make a map'],
    ['counted(lines, 0).exists(l, true)', 'cannot call counted'],
    ['known(lines)', 'cannot call known'],
    ['order.shippingService + order.shippingService == "aa"', 'adds numbers only'],
    ['lines.map(l, l.sku) + ["a"] == ["b"]', 'adds numbers only'],
    ['lines.exists(order, true)', 'already means something else'],
    ['lines.exists(l, lines.exists(l, true))', 'already means something else'],
    ['lines.exists(a, lines.exists(b, lines.exists(c, true)))', 'nested 2 deep'],
    ['lines.exists(true)', 'takes a name and a condition'],
    ['has(lines[0])', 'has() takes a field'],
    ['order.total > 99999999999999999999', 'too large'],
    ['order.constructor == "x"', 'No such key: constructor'],
    ['order["__proto__"] == "x"', 'No such key: __proto__'],
    ['__proto__ == 1', 'Reserved identifier'],
    ['constructor == 1', 'There is no constructor'],
  ])('for the condition %s', (condition, why) => {
    const faults = faultsOf(condition)
    expect(faults.join('\n')).toContain(why)
    expect(decide([rule({ condition })]).holds).toEqual(['rule_failed:r'])
  })

  it.each<[string, Partial<Rule>, string]>([
    ['without an id', { id: ' ' }, 'The id must not be empty.'],
    ['with a long name', { name: 'n'.repeat(201) }, 'The name has 201 characters; the limit is 200.'],
    ['with version 0', { version: 0 }, 'The version must be a whole number from 1.'],
    ['with a broken order', { order: 1.5 }, 'The order must be a whole number; lower is tried first.'],
    [
      'that ends before it begins',
      { from: 10, until: 10 },
      'The rule must be valid until a time in ms after its beginning, or null for ever.',
    ],
    ['without actions', { actions: [] }, 'The rule needs at least one action.'],
    [
      'with too many actions',
      { actions: Array.from({ length: 17 }, () => HOLD) },
      'The rule has 17 actions; the limit is 16.',
    ],
    [
      'with priority 10',
      { actions: [{ type: 'priority', priority: 10 }] },
      'Action 1: The priority must be a whole number from 0 (most urgent) to 9.',
    ],
    [
      'with two priorities',
      {
        actions: [
          { type: 'priority', priority: 1 },
          { type: 'priority', priority: 2 },
        ],
      },
      'The rule has more than one action priority; keep one.',
    ],
    ['with an empty reason', { actions: [{ type: 'hold', reason: '' }] }, 'Action 1: The reason must not be empty.'],
    [
      'with no locations',
      { actions: [{ type: 'onlyLocations', locations: [] }] },
      'Action 1: The action needs at least one of its locations.',
    ],
    [
      'with a location twice',
      { actions: [{ type: 'excludeLocations', locations: ['A', 'A'] }] },
      'Action 1: The action names one of its locations twice.',
    ],
    [
      'that excludes what it allows',
      {
        actions: [
          { type: 'onlyLocations', locations: ['A'] },
          { type: 'excludeLocations', locations: ['A', 'B'] },
        ],
      },
      'The rule excludes every location that it allows.',
    ],
    [
      'that rejects and holds',
      { actions: [{ type: 'reject', reason: 'x' }, HOLD] },
      'A rule that rejects an order cannot do anything else with it but tag it.',
    ],
  ])('%s', (_, more, fault) => {
    expect(checkRule(rule(more))).toEqual([fault])
  })

  it('with every fault at once', () => {
    expect(
      checkRule(rule({ id: '', version: -1, condition: 'order.shippingService.matches("a") && foo', actions: [] })),
    ).toHaveLength(5)
  })

  it('whatever it is made of', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            id: fc.anything(),
            version: fc.anything(),
            name: fc.anything(),
            order: fc.anything(),
            enabled: fc.anything(),
            from: fc.anything(),
            until: fc.anything(),
            condition: fc.anything(),
            actions: fc.oneof(fc.anything(), fc.array(fc.anything())),
          },
          { requiredKeys: [] },
        ),
        // It stands for a command from outside, whose parts may be of any type.
        (any) => checkRule(any as Rule).length > 0,
      ),
    )
  })
})

describe('a hostile rule', () => {
  it('cannot reach a prototype', () => {
    const attributes = JSON.parse('{"__proto__": "mine", "constructor": "also mine"}') as Record<string, unknown>
    const about = facts({}, [line({ attributes }), line()])
    expect(verdict('lines[0].attributes["__proto__"] == "mine"', about)).toBe(true)
    expect(verdict('lines[0].attributes.constructor == "also mine"', about)).toBe(true)
    for (const name of ['__proto__', 'constructor', 'toString', 'size', 'get', 'hasOwnProperty']) {
      expect(verdict(`"${name}" in lines[1].attributes`, about)).toBe(false)
      expect(verdict(`lines[1].attributes["${name}"] == "x"`, about)).toContain(`No such key: ${name}`)
      expect(verdict(`order[lines[0].sku.contains("S") ? "${name}" : "id"] == "x"`, about)).toContain('No such key')
      expect(faultsOf(`lines[0].${name} == "x"`)).toHaveLength(1)
    }
  })

  it.each([
    'lines.all(a, lines.exists(b, a.sku == b.sku))',
    'lines.all(a, !lines.exists(b, a.sku == b.sku && b.quantity > 5))',
    'lines.all(a, lines.all(b, a.sku == b.sku || true) || true) || true',
    'lines.filter(a, lines.filter(b, a.sku == b.sku).size() > 2).size() > 0 || true',
    'lines.map(a, lines.map(b, b.sku)).size() > 0',
    'lines.exists_one(a, lines.exists_one(b, a.sku == b.sku))',
    '[lines.map(a, a.sku)].all(skus, lines.all(l, l.sku in skus))',
    'lines.all(a, a.sku in lines.map(b, b.sku))',
    'lines.all(a, lines.map(b, b.sku).exists(s, s == a.sku))',
    'lines.exists(a, a.attributes.x == 1 || a.attributes.y == 1 || a.attributes.z == 1 || a.attributes.w == 1)',
    'lines.map(a, lines).all(x, x.all(y, y.quantity > 0))',
    'stock.all(a, stock.exists(b, b.sku.lowerAscii().contains(a.sku.lowerAscii())))',
  ])('%s ends early, at the same step, over 10,000 lines', (condition) => {
    const about = facts({}, manyLines(10_000))
    const before = performance.now()
    const fault = verdict(condition, about)
    const tookMs = performance.now() - before
    expect(fault).toContain(`needs more than ${STEPS_PER_RULE_MAX} steps`)
    expect(verdict(condition, about)).toBe(fault)
    // About 100 ms here: a bound for a busy machine.
    expect(tookMs).toBeLessThan(2_000)
  })

  it.each([
    'lines.all(l, l.quantity > 0 && l.atp >= l.quantity && l.sku.startsWith("S-"))',
    'lines.filter(l, has(l.attributes.frozen) && l.attributes.frozen == true).size() == 0',
    'lines.all(l, l.quantity * 3 - 1 > l.atp - 20)',
  ])('is not %s, over 10,000 lines', (condition) => {
    expect(verdict(condition, facts({}, manyLines(10_000)))).toBe(true)
  })

  it('may join the lines of an ordinary order', () => {
    const condition = 'lines.all(a, lines.exists(b, a.sku == b.sku && b.quantity == 2))'
    expect(verdict(condition, facts({}, manyLines(200)))).toBe(true)
  })

  it('does not starve the rules behind it of more than the evaluation has', () => {
    const long = 'lines.all(a, lines.all(b, a.quantity == b.quantity))'
    const rules = Array.from({ length: 10 }, (_, i) => rule({ id: `r${i}`, condition: long }))
    const before = performance.now()
    const { holds } = decide(rules, facts({}, manyLines(440)))
    expect(performance.now() - before).toBeLessThan(2_000)
    expect(holds[0]).toBe('look')
    expect(holds.filter((hold) => hold.startsWith('rule_failed'))).not.toEqual([])
    expect(STEPS_PER_EVALUATION_MAX).toBeGreaterThan(STEPS_PER_RULE_MAX)
  })

  it('cannot make a value grow', () => {
    const doubling = `["${'a'.repeat(100)}"]${'.map(s, s + s)'.repeat(20)}.exists(s, s == "a")`
    expect(faultsOf(doubling).join()).toContain('adds numbers only')
    const hidden = facts({}, [line({ attributes: { text: 'a'.repeat(1_000), list: [1, 2] } })])
    expect(verdict('lines[0].attributes.text + lines[0].attributes.text == "a"', hidden)).toContain(
      'The condition failed',
    )
    expect(verdict('lines[0].attributes.list + lines[0].attributes.list == [1]', hidden)).toContain(
      'The condition failed',
    )
    expect(verdict('lines[0].attributes.list == lines[0].attributes.list', hidden)).toContain('use all or exists')
  })

  it.each([
    ['1 MB long', `true${' || true'.repeat(130_000)}`, `the limit is ${CONDITION_CHARS_MAX}`],
    ['1 MB of brackets', '('.repeat(1_000_000), `the limit is ${CONDITION_CHARS_MAX}`],
    ['of brackets', `${'('.repeat(900)}true${')'.repeat(900)}`, 'maxDepth'],
    ['of not', `${'!'.repeat(1_900)}true`, 'maxAstNodes'],
    ['of fewer not', `${'!'.repeat(300)}true`, 'nested deeper than 100'],
    ['of minus', `${'-'.repeat(1_900)}1 == 1`, 'maxAstNodes'],
    ['of indexes', `order${'[0]'.repeat(600)} == 1`, 'maxDepth'],
    ['of a long chain', `true${' || true'.repeat(180)}`, 'nested deeper than 100'],
    ['of a long list', `1 in [${'1,'.repeat(300)}1]`, 'maxListElements'],
    ['of many digits', `order.total > ${'9'.repeat(1_900)}`, 'too large'],
    ['of nothing', '', 'Unexpected token: EOF'],
    ['of an open string', '"', 'Unterminated string'],
    ['of a lone surrogate', '\ud800', 'Unexpected character'],
    ['of other letters', 'ordеr.total > 1.0', 'Unexpected character'],
    ['of zero bytes', '\0\0', 'Unexpected character'],
  ])('is refused quickly when %s', (_, condition, why) => {
    const before = performance.now()
    expect(faultsOf(condition).join('\n')).toContain(why)
    expect(performance.now() - before).toBeLessThan(500)
  })

  it('may hold any text that a customer writes', () => {
    for (const text of ['😀', 'e\u0301', '\ud800', '\u2028', '"\\\'', '\0', 'ß', 'İ']) {
      const about = facts({ shippingService: text })
      expect(verdict(`order.shippingService == ${JSON.stringify(text).replaceAll('\\ud800', '\ud800')}`, about)).toBe(
        true,
      )
      expect(
        verdict(
          'order.shippingService.lowerAscii() == order.shippingService && order.shippingService.trim().size() <= 3',
          about,
        ),
      ).toBe(true)
    }
  })

  it.each([
    ['division by zero', '1 / (order.lineCount - 1) == 1', 'division by zero'],
    ['modulo by zero', '1 % (order.lineCount - 1) == 1', 'modulo by zero'],
    ['overflow', '9223372036854775807 + order.lineCount > 0', 'integer overflow'],
    ['overflow', '9223372036854775807 * order.itemCount > 0', 'integer overflow'],
    ['a missing attribute', 'lines[0].attributes.frozen == true', 'No such key: frozen'],
    ['a missing attribute on every line', 'lines.exists(l, l.attributes.frozen == true)', 'No such key: frozen'],
    ['a missing line', 'lines[1].sku == "x"', 'index out of bounds'],
    ['a line before the first', 'lines[-1].sku == "x"', 'index out of bounds'],
    ['no number', 'int(order.city) > 1', 'cannot convert to int'],
    ['a place outside a text', 'order.city.substring(99) == ""', 'out of range'],
    ['no bool', 'lines[0].attributes.frozen || false', 'No such key'],
  ])('fails alone: %s', (_, condition, why) => {
    expect(verdict(condition)).toContain(why)
  })

  it('fails when an attribute stands where a bool must', () => {
    const about = facts({}, [line({ attributes: { frozen: 'yes' } })])
    expect(verdict('lines.exists(l, l.attributes.frozen && true)', about)).toContain("got 'string'")
    expect(verdict('lines[0].attributes.frozen ? true : false', about)).toContain("got 'string'")
  })

  it('fails alone when a fact has the wrong type', () => {
    const about = facts({ score: 1.5, itemCount: Number.NaN })
    expect(verdict('order.score > 1', about)).toContain("Field 'score' is not of type 'int'")
    expect(verdict('order.total > 1.0', about)).toBe(true)
  })
})

describe('evaluation', () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 })
  const number = fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger())
  const lineOf = fc.record({
    sku: text,
    quantity: number,
    unitPrice: number,
    total: number,
    weightGrams: number,
    attributes: fc.dictionary(fc.oneof(text, fc.constantFrom('frozen', 'grade', '__proto__')), fc.jsonValue()),
    atp: number,
  })
  const anyFacts: fc.Arbitrary<RuleFacts> = fc
    .tuple(fc.array(lineOf, { maxLength: 6 }), text, number, fc.array(text), fc.nat(4_000_000_000_000))
    .map(([lines, words, amount, tags, ms]) => ({
      ...facts({ shippingService: words, city: words, total: amount, score: amount, tags }, lines),
      time: timeFacts(ms),
    }))
  const conditions = [
    'order.score > 10 && order.total / 0.0 > 1.0',
    'lines.exists(l, l.attributes.frozen == true || l.attributes.grade > 3)',
    'lines.all(l, has(l.attributes.frozen) ? l.attributes.frozen : l.quantity * l.weightGrams > 100)',
    'lines.map(l, l.quantity).exists(q, stock.exists(s, s.atp < q))',
    'order.shippingService.substring(2, 3) == "a" || order.city.indexOf("a", 1) > 0',
    'lines.exists(l, l.attributes.exists(name, l.attributes[name] == l.sku || name in order.tags))',
    'lines[order.lineCount - 1].sku.lowerAscii() == order.tags[0]',
    'int(order.shippingService) + 1 > 0 || double(order.total) > 1.0 || bool(order.city)',
    'lines.exists(l, int(l.attributes.grade) / l.quantity == 1)',
  ]
  const rules = conditions.map((condition, i) =>
    rule({ id: `r${i}`, condition, actions: [{ type: 'tag', tag: `t${i}` }] }),
  )

  it('has rules that may be put', () => {
    for (const one of rules) expect(checkRule(one)).toEqual([])
  })

  it('never throws, and gives the same decision again, in this book and in another', () => {
    const book = new RuleBook()
    for (const one of rules) book.put(one)
    fc.assert(
      fc.property(anyFacts, (about) => {
        const decision = book.evaluate(() => about, NOW_MS)
        expect(decision.trace).toHaveLength(rules.length)
        expect(book.evaluate(() => about, NOW_MS)).toEqual(decision)
        expect(decide(rules.toReversed(), structuredClone(about))).toEqual(decision)
      }),
    )
  })

  it('never throws for any text as a condition', () => {
    const pieces = fc.constantFrom(
      ...[
        'order',
        'lines',
        '.sku',
        '.total',
        '.exists(',
        'l',
        ', ',
        ')',
        '(',
        ' + ',
        ' == ',
        '"a"',
        '1',
        '1.5',
        '[',
        ']',
      ],
      ...[
        '.attributes',
        ' in ',
        '!',
        '-',
        ' ? ',
        ' : ',
        ' && ',
        ' || ',
        'has(',
        '.map(',
        '{',
        '}',
        'true',
        'null',
        '.x',
      ],
    )
    const condition = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(condition, anyFacts, (words, about) => {
        const refused = faultsOf(words).length > 0
        const { trace } = decide([rule({ condition: words })], about)
        if (refused) expect(trace[0]?.fault).toBeTypeOf('string')
        else expect(trace[0]?.fault ?? '').not.toContain('is wrong')
      }),
      { numRuns: 300 },
    )
  })
})

describe('the time', () => {
  it('is what the calendar says', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (ms) => {
        const date = new Date(ms)
        expect(timeFacts(ms)).toEqual({
          ms,
          hour: date.getUTCHours(),
          weekday: date.getUTCDay() === 0 ? 7 : date.getUTCDay(),
          date: date.toISOString().slice(0, 10),
        })
      }),
    )
  })

  it.each(['2000-02-29', '2100-02-28', '2100-03-01', '1970-01-01', '1969-12-31', '2026-12-31', '2400-02-29'])(
    '%s',
    (day) => {
      for (const clock of ['00:00:00.000', '23:59:59.999'])
        expect(timeFacts(Date.parse(`${day}T${clock}Z`)).date).toBe(day)
    },
  )
})
