import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reservation } from '../schemas.js'
import { RESERVATION } from './intake-lanes.js'
import { keysOf } from './intake-order.js'
import { plainReservation } from './plain-reservation.js'

const text = fc.oneof(
  fc.constantFrom('S', 'TEE RED', ' S', 'S ', '', 'x'.repeat(128), 'x'.repeat(129), 'é', '\u0007', '\ud800', '~', '!'),
  fc.string({ maxLength: 6 }),
)
const number = fc.oneof(
  fc.constantFrom(0, 1, 900, 604_800, 604_801, 0x7fff_ffff, 0x8000_0000, -1, 1.5, Number.NaN),
  fc.nat(),
)
const anything = fc.oneof(text, number, fc.constantFrom(null, undefined, true), fc.array(text))
const most = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: usual, weight: 6 }, { arbitrary: anything, weight: 1 })

const usual = {
  id: most(
    fc.oneof(
      fc.uuid(),
      fc.uuid().map((id) => id.toUpperCase()),
    ),
  ),
  sku: most(text),
  quantity: most(number),
  ttlSeconds: most(number),
  location: most(text),
}
const requiredKeys: ['id', 'sku', 'quantity'] = ['id', 'sku', 'quantity']
const body = fc.record(usual, { requiredKeys })
const odd = fc.record({ ...usual, buyer: anything, lines: fc.array(fc.record({ sku: text })) }, { requiredKeys })

test('what is plain passes its schema unchanged and concerns no more than it seems to', () => {
  let plain = 0
  fc.assert(
    fc.property(fc.oneof(body, body, odd, fc.anything()), (sent) => {
      const request = plainReservation(sent)
      if (!request) return
      plain++
      expect(reservation.safeParse(sent)).toEqual({ success: true, data: request })
      expect(keysOf(RESERVATION, sent)).toEqual({
        kind: RESERVATION,
        alone: [request.id],
        shared: [`sku/${request.sku}`],
      })
    }),
    { numRuns: 2_000 },
  )
  expect(plain).toBeGreaterThan(50)
})

test.each([
  [{ id: '7a0f3a56-0d5c-4b5e-8a53-0c5f6d0c9b11', sku: 'TEE-RED-M', quantity: 1 }, true],
  [{ id: '7a0f3a56-0d5c-4b5e-8a53-0c5f6d0c9b11', sku: 'TEE-RED-M', quantity: 1, buyer: 7 }, false],
  [{ id: '7a0f3a56-0d5c-4b5e-8a53-0c5f6d0c9b1', sku: 'TEE-RED-M', quantity: 1 }, false],
  [null, false],
])('%j is plain: %s', (sent, isPlain) => {
  expect(plainReservation(sent) !== undefined).toBe(isPlain)
})
