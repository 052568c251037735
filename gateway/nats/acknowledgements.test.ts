import { expect, test } from 'vitest'
import { deliveryOf } from './acknowledgements.js'

test.each([
  ['$JS.ACK.DOORBUSTER_INTAKE.doorbuster.1.4711.12.1700000000000000000.0', 4711, false],
  ['$JS.ACK.DOORBUSTER_INTAKE.doorbuster.3.9007199254740991.12.1700000000000000000.0', 9_007_199_254_740_991, true],
  ['$JS.ACK.hub.ACC0UNT.DOORBUSTER_INTAKE.doorbuster.1.5.12.1700000000000000000.0', 5, false],
  ['$JS.ACK._.ACC0UNT.DOORBUSTER_INTAKE.doorbuster.12.6.12.1700000000000000000.0.r4nd0m', 6, true],
])('%s tells which message comes, and whether again', (reply, sequence, isAgain) => {
  expect(deliveryOf(reply)).toEqual({ sequence, isAgain })
})
