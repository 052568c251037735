import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KeyOrder, keysOf, Step, type StepKeys } from './intake-order.js'

const someKeys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 })
const keys: fc.Arbitrary<StepKeys> = fc
  .record({ alone: someKeys, shared: someKeys, kind: fc.constantFrom('x', 'y') })
  .map(({ alone, shared, kind }) => ({ alone, shared: shared.filter((key) => !alone.includes(key)), kind }))

const conflict = (a: StepKeys, b: StepKeys): boolean =>
  a.alone.some((key) => b.alone.includes(key) || b.shared.includes(key)) ||
  a.shared.some((key) => b.alone.includes(key) || (a.kind !== b.kind && b.shared.includes(key)))

describe('commands that concern the same thing', () => {
  test('end in their order, whoever is slow; all end, and none waits without a reason', () => {
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 40 }), fc.array(fc.nat()), (wanted, choices) => {
        const order = new KeyOrder<Step>()
        const steps = wanted.map((own) => new Step(own))
        const running: Step[] = []
        const ended = new Set<Step>()
        let at = 0
        for (let turn = 0; ended.size < steps.length; turn++) {
          const choice = choices[turn % Math.max(1, choices.length)] ?? 0
          if (at < steps.length && (running.length === 0 || choice % 2 === 0)) {
            const step = steps[at++]!
            if (order.enter(step)) running.push(step)
          } else {
            const [step] = running.splice(choice % running.length, 1)
            ended.add(step!)
            running.push(...order.leave(step!))
          }
          for (const [i, step] of steps.slice(0, at).entries()) {
            if (ended.has(step)) continue
            const isBehind = steps.slice(0, i).some((before) => !ended.has(before) && conflict(before.keys, step.keys))
            expect(running.includes(step)).toBe(!isBehind)
          }
        }
      }),
    )
  })
})

test('those that share a key wait behind one that is tried again, and go on beside one another after it', () => {
  const order = new KeyOrder<Step>()
  const [before, again, behind, beside, last] = [0, 1, 2, 3, 4].map((i) => {
    return new Step(
      i === 4 ? { alone: ['a'], shared: [], kind: '' } : { alone: [], shared: [i === 3 ? 'b' : 'a'], kind: '' },
    )
  }) as [Step, Step, Step, Step, Step]
  expect([order.enter(before), order.enter(again)]).toEqual([true, true])
  order.holdBack(again)
  expect([order.enter(behind), order.enter(beside), order.enter(last)]).toEqual([false, true, false])
  expect(order.leave(before)).toEqual([])
  expect(order.leave(again)).toEqual([behind])
  expect(order.leave(behind)).toEqual([last])
})

describe('what a command concerns', () => {
  test.each([
    ['reservation.create', { id: 'R', sku: 'S' }, ['R'], ['sku/S']],
    ['reservation.confirm', { id: 'R' }, ['R'], []],
    ['inventory.adjust', { id: 'A', sku: 'S' }, ['sku/S'], []],
    ['inventory.put', { sku: 'S', location: 'L' }, ['sku/S'], []],
    ['inventory.putMany', { items: [{ sku: 'S' }, { sku: 'T' }] }, ['sku/S', 'sku/T'], []],
    ['order.cancel', { id: 'O' }, ['order/O'], []],
    ['order.create', { channel: 'web', externalId: 'X', lines: [{ sku: 'S' }] }, ['external/web/X'], ['sku/S']],
    ['settings.put', { a: 1 }, ['all/settings'], []],
    ['sale.put', null, ['all/sale'], []],
  ])('%s of %j', (name, body, alone, shared) => {
    expect(keysOf(name, body)).toEqual({ alone, shared, kind: name })
  })

  test('is found in any body', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (name, body) => {
        const { alone, shared } = keysOf(name, body)
        expect(alone.length + shared.length).toBeGreaterThan(0)
      }),
    )
  })
})
