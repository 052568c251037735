/** Tills as a store sees them: what left the store is in the books, once, whatever was sent how often. */
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { stockUp } from './support/catalogue.js'
import { expectProblem, Shop } from './support/shop.js'
import { TestServer } from './support/test-server.js'

const shop = Shop.open()
const pounds = (amount: string) => ({ amount, currency: 'GBP' })

interface Result {
  id: string
  outcome: string
  code?: string
  order?: string
  return?: string
  final?: boolean
  notes?: string[]
  adjustments?: { sku: string; delta: number; reason: string }[]
  storeCredit?: { id: string; amount: string }
  refund?: { amount: string }
  errors?: { path: string }[]
}
interface TransactionDocument {
  transaction: { at: string; customer?: { name: string } } | null
  receivedAt: string
  result: Result
}
interface OrderDocument {
  id: string
  status: string
  channel: string
  externalId: string
  lines: { status: string; units: Record<string, number> }[]
  fulfillments: { id: string; location: string; kind: string; status: string }[]
  returns: { id: string; status: string; refunds: { by: string; amount: { amount: string } }[] }[]
  payment: { status: string; captured?: { amount: string } }
}

let made = 0
/** A till of a test's own. */
const newTill = () => `T${made++}`
const sale = (id: string, sku: string, quantity = 1, fields: object = {}) => ({
  id,
  type: 'sale',
  at: '1999-12-31T23:59:59Z',
  lines: [{ sku, quantity, unitPrice: pounds('10.00') }],
  ...fields,
})

function send(till: string, transactions: unknown[], { server = shop.server, location = 'S1' } = {}) {
  return server.call<{ results: Result[] }>('POST', '/v1/channels/pos/high-street/transactions', {
    location,
    currency: 'GBP',
    till,
    transactions,
  })
}
async function take(till: string, transactions: unknown[], options = {}): Promise<Result[]> {
  const { status, body } = await send(till, transactions, options)
  expect(status).toBe(200)
  return body.results
}
const orderOf = async (id: string) => (await shop.call<OrderDocument>('GET', `/v1/orders/${id}`)).body
const rowOf = async (sku: string, location = 'S1', server = shop.server) =>
  (await server.stock(sku)).locations.find((one) => one.location === location)

async function placedOnline(sku: string, fields: object, quantity = 1): Promise<OrderDocument> {
  const { status, body } = await shop.call<OrderDocument>('POST', '/v1/orders', {
    channel: 'web',
    externalId: randomUUID(),
    currency: 'GBP',
    customer: { name: 'Ada Byron', email: 'ada@example.com' },
    shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
    lines: [{ sku, quantity, unitPrice: pounds('10.00') }],
    ...fields,
  })
  expect(status).toBe(201)
  return body
}

describe('a sale over the counter', () => {
  test('takes stock out of the store at once, and is an order that was paid for and handed over', async () => {
    const sku = await shop.newSku(5, 'S1')
    const [result] = await take(newTill(), [sale('1', sku, 2)])
    expect(result).toMatchObject({ outcome: 'done' })
    expect(result!.adjustments).toBeUndefined()
    const order = await orderOf(result!.order!)
    expect(order).toMatchObject({ status: 'delivered', channel: 'high-street', payment: { status: 'captured' } })
    expect(order.payment.captured).toEqual(pounds('20.00'))
    expect(await rowOf(sku)).toMatchObject({ onHand: 3, reserved: 0, allocated: 0, atp: 3 })
  })

  test('of more than the books have puts the books right first, and says so', async () => {
    const sku = await shop.newSku(1, 'S1')
    const [result] = await take(newTill(), [sale('1', sku, 3)])
    expect(result).toMatchObject({
      outcome: 'done',
      adjustments: [{ sku, delta: 2, reason: 'found_at_till' }],
    })
    expect(result!.notes!.join()).toContain('the books had less')
    expect((await orderOf(result!.order!)).status).toBe('delivered')
    expect(await rowOf(sku)).toMatchObject({ onHand: 0, reserved: 0, allocated: 0 })
  })

  test('of a SKU that the store never had is booked all the same', async () => {
    const sku = await shop.newSku(1, 'W1')
    const [result] = await take(newTill(), [sale('1', sku)])
    expect(result).toMatchObject({ outcome: 'done', adjustments: [{ sku, delta: 1, reason: 'found_at_till' }] })
    expect(await rowOf(sku)).toMatchObject({ onHand: 0 })
    expect(await rowOf(sku, 'W1')).toMatchObject({ onHand: 1, atp: 1 })
  })

  test('takes from the safety stock without finding anything', async () => {
    const sku = await shop.newSku(1, 'S1')
    await shop.call('PUT', `/v1/inventory/${sku}/S1`, { onHand: 2, safetyStock: 2 })
    const [result] = await take(newTill(), [sale('1', sku)])
    expect(result!.outcome).toBe('done')
    expect(result!.adjustments!.some(({ reason }) => reason === 'found_at_till')).toBe(false)
    expect(result!.adjustments!.reduce((sum, { delta }) => sum + delta, 0)).toBe(0)
    expect(await rowOf(sku)).toMatchObject({ onHand: 1, safetyStock: 2, atp: 0 })
  })

  test('leaves what is promised to others promised', async () => {
    const sku = await shop.newSku(1, 'S1')
    const { body: held } = await shop.reserve({ sku, location: 'S1' })
    const [result] = await take(newTill(), [sale('1', sku)])
    expect(result).toMatchObject({ outcome: 'done', adjustments: [{ delta: 1, reason: 'found_at_till' }] })
    expect((await shop.settle(held.id, 'confirm')).body.status).toBe('confirmed')
    expect(await rowOf(sku)).toMatchObject({ onHand: 1, allocated: 1, shortage: 0 })
  })

  test('goes before orders that wait for the same goods', async () => {
    const sku = await shop.newSku(1, 'S1', { backorder: true })
    await shop.call('PUT', `/v1/inventory/${sku}/S1`, { onHand: 0 })
    const waiting = await placedOnline(sku, { allowBackorder: true, priority: 5 })
    expect(waiting.status).toBe('backordered')
    const [result] = await take(newTill(), [sale('1', sku)])
    expect(result).toMatchObject({ outcome: 'done', adjustments: [{ delta: 1, reason: 'found_at_till' }] })
    expect((await orderOf(waiting.id)).status).toBe('backordered')
  })

  test('is sold out of a flash sale that has nothing left, and the books say so', async () => {
    const sku = await shop.newSku(10, 'S1')
    await shop.sale(`FLASH-${sku}`, [{ sku, quantity: 1 }])
    expect((await shop.reserve({ sku })).status).toBe(201)
    const [result] = await take(newTill(), [sale('1', sku, 2)])
    expect(result!.outcome).toBe('done')
    expect(result!.notes!.join()).toContain('stock was put right without it')
    expect(await rowOf(sku)).toMatchObject({ onHand: 8, reserved: 1, shortage: 0 })
    const [back] = await take(newTill(), [sale('9', sku, 1)])
    expect(back!.outcome).toBe('done')
    expect(await rowOf(sku)).toMatchObject({ onHand: 7, reserved: 1 })
  })

  test('of a large sum is handed over although such orders are held for review', async () => {
    const sku = await shop.newSku(1, 'S1')
    const lines = [{ sku, quantity: 1, unitPrice: pounds('6000.00') }]
    const [result] = await take(newTill(), [{ id: '1', type: 'sale', lines }])
    expect(result!.notes!.join()).toContain('held for review')
    expect((await orderOf(result!.order!)).status).toBe('delivered')
  })

  test('of a kit takes its components', async () => {
    const [cup, plate] = [await shop.newSku(5, 'S1'), await shop.newSku(0, 'S1')]
    const kit = `KIT-${cup}`
    const parts = [
      { sku: cup, quantity: 2 },
      { sku: plate, quantity: 1 },
    ]
    expect((await shop.call('PUT', `/v1/products/${kit}`, { name: 'Kit', kit: parts })).status).toBe(200)
    const till = newTill()
    const [result, back] = await take(till, [
      sale('1', kit),
      { id: '2', type: 'return', receipt: { till, id: '1' }, lines: [{ sku: kit, quantity: 1 }] },
    ])
    expect(result).toMatchObject({ outcome: 'done', adjustments: [{ sku: plate, delta: 1, reason: 'found_at_till' }] })
    expect(back).toMatchObject({ outcome: 'done' })
    expect(await rowOf(cup)).toMatchObject({ onHand: 5 })
    expect(await rowOf(plate)).toMatchObject({ onHand: 1 })
  })
})

describe('a queue', () => {
  test('that is sent fifty times in parallel, in parts and overlapping, has one effect', async () => {
    const sku = await shop.newSku(50, 'S1')
    const till = newTill()
    const queue = Array.from({ length: 8 }, (_, i) => sale(`${i}`, sku))
    const parts = Array.from({ length: 50 }, (_, i) => (i % 3 === 0 ? queue : queue.slice(i % 5, (i % 5) + 4)))
    const answers = await Promise.all(parts.map((part) => take(till, part)))
    for (const results of answers) for (const { outcome } of results) expect(outcome).toBe('done')
    expect(new Set(answers.flat().map(({ order }) => order)).size).toBe(8)
    expect(await rowOf(sku)).toMatchObject({ onHand: 42, atp: 42 })
  }, 60_000)

  test('keeps its order: a return and an exchange of sales of the same queue', async () => {
    const [sku, other] = [await shop.newSku(5, 'S1'), await shop.newSku(5, 'S1')]
    const till = newTill()
    const lines = [{ sku, quantity: 1 }]
    const results = await take(till, [
      sale('1', sku, 2),
      { id: '2', type: 'return', receipt: { till, id: '1' }, lines },
      {
        id: '3',
        type: 'exchange',
        receipt: { till, id: '1' },
        back: lines,
        lines: [{ sku: other, quantity: 1, unitPrice: pounds('12.00') }],
      },
    ])
    expect(results.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done'])
    expect(await rowOf(sku)).toMatchObject({ onHand: 5 })
    expect(await rowOf(other)).toMatchObject({ onHand: 4 })
    expect((await orderOf(results[0]!.order!)).lines[0]!.units).toEqual({ returned: 2 })
  })

  test('is answered one by one: a bad transaction is named and the others are carried out', async () => {
    const sku = await shop.newSku(5, 'S1')
    const results = await take(newTill(), [
      sale('1', sku),
      { id: '2', type: 'sale', lines: [] },
      { id: '3', type: 'no_sale' },
      { id: '4', type: 'cash' },
      { id: '5', type: 'dance' },
      sale('6', 'NOPE'),
      sale('7', sku, 1, { total: pounds('9.00') }),
      sale('8', sku),
      sale('8', sku, 2),
    ])
    expect(results.map(({ outcome, code }) => code ?? outcome)).toEqual([
      'done',
      'invalid',
      'ignored',
      'ignored',
      'invalid',
      'unknown_sku',
      'invalid',
      'done',
      'conflict',
    ])
    expect(results[1]!.errors).toMatchObject([{ path: 'lines' }])
    expect(await rowOf(sku)).toMatchObject({ onHand: 3 })
  })

  test('with what was refused is tried again when it is sent again', async () => {
    const sku = `LATE-${randomUUID().slice(0, 8)}`
    const till = newTill()
    const queue = [
      sale('1', sku),
      { id: '2', type: 'return', receipt: { till, id: '1' }, lines: [{ sku, quantity: 1 }] },
    ]
    expect((await take(till, queue)).map(({ code }) => code)).toEqual(['unknown_sku', 'unknown_receipt'])
    await shop.call('PUT', `/v1/products/${sku}`, { name: 'Late' })
    await shop.call('PUT', `/v1/inventory/${sku}/S1`, { onHand: 1 })
    expect((await take(till, queue)).map(({ outcome }) => outcome)).toEqual(['done', 'done'])
    expect(await rowOf(sku)).toMatchObject({ onHand: 1 })
  })

  test('of no till, of an unknown store, or too long, is refused as a whole', async () => {
    expectProblem(await send('no/till', [sale('1', 'TEE')]), 422, 'invalid')
    expectProblem(await send('T', [sale('1', 'TEE')], { location: 'NOWHERE' }), 404, 'unknown_location')
    expectProblem(await send('T', []), 422, 'invalid')
    expectProblem(await send('T', new Array(501).fill({ id: '1', type: 'cash' })), 422, 'invalid')
  })

  test('keeps the till’s time as data, and can be read afterwards', async () => {
    const sku = await shop.newSku(5, 'S1')
    const till = newTill()
    const [result] = await take(till, [sale('1', sku)])
    const { body } = await shop.call<TransactionDocument>('GET', `/v1/channels/pos/high-street/transactions/${till}/1`)
    expect(body.transaction!.at).toBe('1999-12-31T23:59:59Z')
    expect(Date.parse(body.receivedAt)).toBeGreaterThan(Date.parse('2020-01-01'))
    expect(body.result).toEqual(result)
    const listed = await shop.call<{ items: unknown[] }>('GET', '/v1/channels/pos/high-street/transactions?limit=500')
    expect(listed.body.items).toContainEqual(body)
    expectProblem(
      await shop.call('GET', `/v1/channels/pos/high-street/transactions/${till}/2`),
      404,
      'unknown_transaction',
    )
  })

  test('is kept with its customers’ data sealed: the log has neither their names nor a hash of them', async () => {
    const server = await TestServer.start()
    await stockUp(server.url, ['A'], 20, ['S1'])
    const customer = { id: 'C-77', name: 'Zebedee Quillfeather', email: 'zebedee@quillfeather.example' }
    const queue = [sale('1', 'A', 1, { customer, loyalty: 'card of Quillfeather' }), { id: '2', type: 'cash' }]
    const [result] = await take('T1', queue, { server })
    expect(result!.outcome).toBe('done')
    const path = '/v1/channels/pos/high-street/transactions/T1/1'
    expect((await server.call<TransactionDocument>('GET', path)).body.transaction).toEqual(queue[0])
    type Exported = { records: { kind: string; value: { payload: unknown } }[] }
    const exported = await server.call<Exported>('GET', '/v1/customers/export?customer=C-77')
    const ofTills = exported.body.records.filter(({ kind }) => kind === 'pos-transaction')
    expect(ofTills.map(({ value }) => value.payload)).toEqual([queue[0]])
    const erased = await server.call('POST', '/v1/customers/erase', {
      customer: 'C-77',
      reason: 'asked for it',
      by: 'staff',
      force: true,
    })
    expect(erased.status, JSON.stringify(erased.body)).toBe(200)
    expect((await server.call<TransactionDocument>('GET', path)).body.transaction).toBeNull()
    await server.stop()
    for (const name of readdirSync(server.dataDir, { recursive: true, encoding: 'utf8' })) {
      const file = join(server.dataDir, name)
      if (!statSync(file).isFile() || name.startsWith('outbox')) continue
      expect(readFileSync(file).includes('Quillfeather'), name).toBe(false)
    }
  }, 60_000)

  test('that SIGKILL cut off in the middle is finished by sending it again, and nothing is done twice', async () => {
    const server = await TestServer.start()
    await stockUp(server.url, ['A', 'B'], 20, ['S1'])
    const queue: unknown[] = Array.from({ length: 30 }, (_, i) => sale(`s${i}`, i % 2 === 0 ? 'A' : 'B', 1 + (i % 3)))
    queue.push({ id: 'r0', type: 'return', receipt: { till: 'T1', id: 's0' }, lines: [{ sku: 'A', quantity: 1 }] })
    queue.push({ id: 'v1', type: 'void', of: 's1' })
    let { dataDir } = server
    let running = server
    // Each time a little further into the queue.
    for (const sold of [1, 5, 12, 20]) {
      const cutOff = send('T1', queue, { server: running }).catch(() => undefined)
      await vi.waitFor(async () => {
        const found = await running.call<{ items: unknown[] }>('GET', '/v1/orders?channel=high-street&limit=100')
        expect(found.body.items.length).toBeGreaterThanOrEqual(sold)
      }, 20_000)
      await running.kill()
      await cutOff
      running = await TestServer.start({ dataDir })
      dataDir = running.dataDir
    }
    const results = await take('T1', queue, { server: running })
    expect(results.filter(({ outcome }) => outcome !== 'done')).toEqual([])
    expect(await take('T1', queue, { server: running })).toEqual(results)
    const found = await running.call<{ items: OrderDocument[] }>('GET', '/v1/orders?channel=high-street&limit=100')
    expect(found.body.items).toHaveLength(30)
    expect(found.body.items.every(({ status }) => ['delivered', 'completed'].includes(status))).toBe(true)
    for (const sku of ['A', 'B']) {
      const sold = 30
      const row = await rowOf(sku, 'S1', running)
      const found = results.flatMap(({ adjustments }) => adjustments ?? []).filter((one) => one.sku === sku)
      const added = found.reduce((sum, { delta }) => sum + delta, 0)
      const back = sku === 'A' ? 1 : 2
      expect(row).toMatchObject({ onHand: 20 + added - sold + back, reserved: 0, allocated: 0 })
    }
  }, 120_000)
})

describe('what comes back', () => {
  test('to another store than it was bought in is for sale there', async () => {
    const sku = await shop.newSku(5, 'S1')
    const till = newTill()
    await take(till, [sale('1', sku)])
    const lines = [{ sku, quantity: 1 }]
    const [result] = await take(newTill(), [{ id: '1', type: 'return', receipt: { till, id: '1' }, lines }], {
      location: 'W1',
    })
    expect(result).toMatchObject({ outcome: 'done' })
    expect(await rowOf(sku, 'W1')).toMatchObject({ onHand: 1 })
    const [again] = await take(newTill(), [{ id: '2', type: 'return', receipt: { till, id: '1' }, lines }])
    expect(again).toMatchObject({ outcome: 'refused', code: 'not_returnable' })
  })

  test('of a sale that no order could have is taken by its receipt in any store, and no more than was sold', async () => {
    const sku = await shop.newSku(10, 'S1')
    await shop.sale(`FLASH-${sku}`, [{ sku, quantity: 1 }])
    expect((await shop.reserve({ sku })).status).toBe(201)
    const till = newTill()
    const [sold] = await take(till, [sale('1', sku, 3, { total: pounds('30.00') })])
    expect(sold!.adjustments!.some(({ reason }) => reason === 'sold_at_till')).toBe(true)
    expect((await orderOf(sold!.order!)).status).toBe('cancelled')
    expect(await rowOf(sku)).toMatchObject({ onHand: 7 })
    const back = (id: string, quantity: number, fields: object = {}) => ({
      id,
      type: 'return',
      receipt: { till, id: '1' },
      lines: [{ sku, quantity }],
      ...fields,
    })
    const elsewhere = { location: 'W1' }
    const [other, mine] = [newTill(), newTill()]
    const first = await take(other, [back('1', 1), back('2', 3)], elsewhere)
    expect(first).toMatchObject([{ outcome: 'done', refund: pounds('10.00') }, { code: 'not_returnable' }])
    expect(await take(other, [back('1', 1)], elsewhere)).toEqual([first[0]])
    expect(await rowOf(sku, 'W1')).toMatchObject({ onHand: 1, atp: 1 })
    // By the order's number as well, and as an exchange; what is left is put back by a void.
    const byOrder = back('1', 1, { receipt: undefined, order: sold!.order!, resolution: 'store_credit' })
    expect((await take(mine, [byOrder]))[0]).toMatchObject({ outcome: 'done', storeCredit: { amount: '10.00' } })
    expect((await take(till, [{ id: '2', type: 'void', of: '1' }]))[0]!.outcome).toBe('done')
    expect(await rowOf(sku)).toMatchObject({ onHand: 9 })
    expect((await take(mine, [back('2', 1)]))[0]!.code).toBe('not_returnable')
  })

  test('that was bought online is taken by the order’s number', async () => {
    const sku = await shop.newSku(5)
    const order = await placedOnline(sku, {})
    const [fulfillment] = (await orderOf(order.id)).fulfillments
    for (const action of ['accept', 'pick', 'pack', 'ship', 'deliver']) {
      const body = action === 'ship' ? { carrier: 'post' } : {}
      expect((await shop.call('POST', `/v1/fulfillments/${fulfillment!.id}/${action}`, body)).status).toBe(200)
    }
    const lines = [{ sku, quantity: 1 }]
    const [result] = await take(newTill(), [
      { id: '1', type: 'return', order: order.id, lines, resolution: 'store_credit' },
    ])
    expect(result).toMatchObject({ outcome: 'done', order: order.id })
    expect((await orderOf(order.id)).returns[0]!.refunds).toMatchObject([
      { by: 'store_credit', amount: pounds('10.00') },
    ])
    expect(await rowOf(sku)).toMatchObject({ onHand: 1 })
  })

  test('without a receipt is taken in with a store credit, never for money', async () => {
    const sku = await shop.newSku(5, 'S1')
    const lines = [
      { sku, quantity: 2 },
      { sku, quantity: 1, disposition: 'scrap' },
    ]
    const till = newTill()
    const queue = [
      { id: '1', type: 'return', lines },
      { id: '2', type: 'return', lines, resolution: 'store_credit', credit: pounds('15.00') },
      { id: '3', type: 'return', lines, resolution: 'none' },
    ]
    const results = await take(till, queue)
    expect(results.map(({ code, outcome }) => code ?? outcome)).toEqual(['no_receipt', 'done', 'done'])
    expect(results[1]!.storeCredit).toMatchObject({ amount: '15.00' })
    expect(await take(till, queue)).toEqual(results)
    expect(await rowOf(sku)).toMatchObject({ onHand: 9 })
  })

  test('by a void is as if it had not been sold, once', async () => {
    const sku = await shop.newSku(5, 'S1')
    const till = newTill()
    const results = await take(till, [
      sale('1', sku, 2),
      { id: '2', type: 'void', of: '1' },
      { id: '3', type: 'void', of: '1' },
      { id: '4', type: 'void', of: '2' },
      { id: '5', type: 'void', of: '99' },
    ])
    expect(results.map(({ code, outcome }) => code ?? outcome)).toEqual([
      'done',
      'done',
      'already_voided',
      'not_a_sale',
      'unknown_transaction',
    ])
    expect(await rowOf(sku)).toMatchObject({ onHand: 5, atp: 5 })
    const [other] = await take(newTill(), [{ id: '1', type: 'void', of: '1' }])
    expect(other!.code).toBe('unknown_transaction')
  })
})

describe('an order at the till', () => {
  test('for goods that another place has is sent home or to the store, and may be voided', async () => {
    const sku = await shop.newSku(3, 'W1')
    const till = newTill()
    const customer = { name: 'Ada Byron', email: 'ada@example.com' }
    const lines = [{ sku, quantity: 1, unitPrice: pounds('10.00') }]
    const shipTo = { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' }
    const results = await take(till, [
      { id: '1', type: 'save_the_sale', customer, lines, shipTo, from: 'W1' },
      { id: '2', type: 'save_the_sale', customer, lines },
      { id: '3', type: 'save_the_sale', customer, lines, from: 'S1' },
      { id: '4', type: 'save_the_sale', customer, lines: [{ ...lines[0]!, quantity: 9 }] },
      { id: '5', type: 'void', of: '1' },
    ])
    expect(results.map(({ code, outcome }) => code ?? outcome)).toEqual([
      'done',
      'done',
      'insufficient_stock',
      'no_stock',
      'done',
    ])
    expect((await orderOf(results[0]!.order!)).status).toBe('cancelled')
    expect(await orderOf(results[1]!.order!)).toMatchObject({ fulfillments: [{ location: 'W1' }] })
    await vi.waitFor(async () => expect((await shop.server.stock(sku)).atp).toBe(2))
  })

  test('that waits is handed over to its customer, in its store and once', async () => {
    const sku = await shop.newSku(5, 'S1')
    const order = await placedOnline(sku, { delivery: { method: 'pickup', location: 'S1' } })
    const shipped = await placedOnline(await shop.newSku(5), {})
    const till = newTill()
    const pickup = { id: '1', type: 'pickup', order: order.id }
    expect((await take(newTill(), [pickup], { location: 'W1' }))[0]!.code).toBe('wrong_location')
    const results = await take(till, [
      pickup,
      { ...pickup, id: '2' },
      { ...pickup, id: '3', order: shipped.id },
      { ...pickup, id: '4', order: 'nowhere' },
    ])
    expect(results.map(({ code, outcome }) => code ?? outcome)).toEqual([
      'done',
      'already_collected',
      'not_to_collect',
      'unknown_order',
    ])
    expect((await orderOf(order.id)).status).toBe('delivered')
    expect(await rowOf(sku)).toMatchObject({ onHand: 4, allocated: 0 })
  })

  test('that is sent to the store waits for its parcel', async () => {
    const sku = await shop.newSku(5)
    const order = await placedOnline(sku, { delivery: { method: 'ship_to_store', location: 'S1' } })
    const pickup = { id: '1', type: 'pickup', order: order.id }
    const till = newTill()
    expect((await take(till, [pickup]))[0]!.code).toBe('not_here_yet')
    const [fulfillment] = (await orderOf(order.id)).fulfillments
    for (const action of ['accept', 'pick', 'pack', 'ship']) {
      await shop.call('POST', `/v1/fulfillments/${fulfillment!.id}/${action}`, { carrier: 'post' })
    }
    expect((await take(till, [pickup]))[0]!.outcome).toBe('done')
    expect((await orderOf(order.id)).status).toBe('delivered')
  })
})

test('tills and a flash sale of the same SKU together sell what there is, and what is more is an adjustment', async () => {
  const sku = await shop.newSku(40, 'S1')
  await shop.sale(`RUSH-${sku}`, [sku])
  const tills = Array.from({ length: 5 }, () => newTill())
  const online = Array.from({ length: 60 }, () => shop.reserve({ sku }))
  const sold = await Promise.all(
    tills.map((till) =>
      take(
        till,
        Array.from({ length: 6 }, (_, i) => sale(`${i}`, sku)),
      ),
    ),
  )
  const held = (await Promise.all(online)).filter(({ status }) => status === 201).length
  const results = sold.flat()
  expect(results.every(({ outcome }) => outcome === 'done')).toBe(true)
  const added = results.flatMap(({ adjustments }) => adjustments ?? []).reduce((sum, { delta }) => sum + delta, 0)
  const row = (await rowOf(sku))!
  // What could not be an order's left stock by an adjustment of its own.
  const orders = results.filter(({ adjustments }) => !adjustments?.some(({ reason }) => reason === 'sold_at_till'))
  expect(row.onHand).toBe(40 + added - orders.length)
  expect(row.reserved).toBe(held)
  // What was promised online is there, or its shortage is shown and was told of at the till.
  const notes = results.flatMap(({ notes }) => notes ?? []).join()
  expect(row.shortage).toBe(Math.max(0, held - row.onHand))
  if (row.shortage > 0) expect(notes).toContain('short of what was promised')
}, 60_000)

test('over several partitions a sale of many SKUs finds what the books lack, and leaves nothing behind', async () => {
  const server = await TestServer.start({ args: ['--partitions', '3', '--threads', '2'] })
  const skus = Array.from({ length: 6 }, (_, i) => `P${i}`)
  await stockUp(server.url, skus, 1, ['S1'])
  const lines = skus.map((sku, at) => ({ sku, quantity: 1 + (at % 2), unitPrice: pounds('1.00') }))
  const [result] = await take('T1', [{ id: '1', type: 'sale', lines }], { server })
  expect(result!.outcome).toBe('done')
  const found = result!.adjustments!.filter(({ reason }) => reason === 'found_at_till')
  expect(found.map(({ sku, delta }) => [sku, delta]).sort()).toEqual(['P1', 'P3', 'P5'].map((sku) => [sku, 1]))
  await vi.waitFor(async () => {
    for (const sku of skus)
      expect(await rowOf(sku, 'S1', server)).toMatchObject({ onHand: 0, reserved: 0, allocated: 0 })
  })
}, 60_000)
