import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { returnMachine } from '../return/return-machine.js'
import { fulfillmentMachine } from './fulfillment-machine.js'
import { stateDiagram } from './machine-picture.js'
import { orderMachine } from './order-machine.js'
import { unitMachine } from './unit-machine.js'

describe('the pictures in ARCHITECTURE.md', () => {
  it.each([
    ['order', orderMachine],
    ['fulfillment', fulfillmentMachine],
    ['unit', unitMachine],
    ['return', returnMachine],
  ])('show the %s machine as it is', (_name, machine) => {
    const text = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8')
    expect(text).toContain(`\`\`\`mermaid\n${stateDiagram(machine)}\n\`\`\``)
  })
})
