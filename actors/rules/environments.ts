/** What CEL knows of: the facts and their types, and, for a condition that was written anew, the meter. */
import { Environment } from '@marcbachmann/cel-js'
import { CelCustomer, CelLine, CelOrder, CelStock, CelTime } from './facts.js'
import { CONDITION_DEPTH_MAX, CONDITION_LIST_MAX, CONDITION_NODES_MAX } from './limits.js'
import { type Meter, meterFunctions } from './meter.js'

/** `read` is for what an author writes, `run` for what the walk makes of it. */
export function makeEnvironments(meter: Meter): { read: Environment; run: Environment } {
  const limits = {
    maxAstNodes: CONDITION_NODES_MAX,
    maxDepth: CONDITION_DEPTH_MAX,
    maxListElements: CONDITION_LIST_MAX,
    maxMapEntries: CONDITION_LIST_MAX,
    maxCallArguments: 4,
  }
  const read = new Environment({ limits })
    .registerType('Order', {
      ctor: CelOrder,
      fields: {
        id: 'string',
        channel: 'string',
        currency: 'string',
        total: 'double',
        itemCount: 'int',
        lineCount: 'int',
        shippingService: 'string',
        allowSplit: 'bool',
        allowBackorder: 'bool',
        priority: 'int',
        country: 'string',
        postalCode: 'string',
        region: 'string',
        city: 'string',
        paymentStatus: 'string',
        tags: 'list<string>',
        score: 'int',
      },
    })
    .registerType('Customer', {
      ctor: CelCustomer,
      fields: { id: 'string', emailDomain: 'string' },
    })
    .registerType('Line', {
      ctor: CelLine,
      fields: {
        sku: 'string',
        quantity: 'int',
        unitPrice: 'double',
        total: 'double',
        weightGrams: 'int',
        attributes: 'map<string, dyn>',
        atp: 'int',
      },
    })
    .registerType('Stock', { ctor: CelStock, fields: { sku: 'string', atp: 'int' } })
    .registerType('Time', { ctor: CelTime, fields: { ms: 'int', hour: 'int', weekday: 'int', date: 'string' } })
    .registerVariable('order', 'Order')
    .registerVariable('customer', 'Customer')
    .registerVariable('lines', 'list<Line>')
    .registerVariable('stock', 'list<Stock>')
    .registerVariable('time', 'Time')
  // What is written anew has more nodes and brackets than what was read, by a constant factor.
  const run = read.clone({
    limits: { ...limits, maxAstNodes: CONDITION_NODES_MAX * 8, maxDepth: CONDITION_DEPTH_MAX * 4 },
  })
  for (const [signature, handler] of meterFunctions(meter)) {
    run.registerFunction(signature, { handler, async: false })
  }
  return { read, run }
}
