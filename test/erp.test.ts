/** The ledger as accountants see it: whatever orders go through, and whenever the server is killed, it balances. */
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { stockUp } from './support/catalogue.js'
import { built } from './support/command-line.js'
import { Random } from './support/random.js'
import { TestServer, temporaryDirectory, whenDone } from './support/test-server.js'

const pounds = (amount: string) => ({ amount, currency: 'GBP' })
const pence = ({ amount }: { amount: string }): number => Math.round(Number(amount) * 100)

interface TrialBalance {
  isBalanced: boolean
  accounts: { account: string; balance: { amount: string; currency: string } }[]
  units: { account: string; balance: number }[]
  pending: number
}
interface Entry {
  id: string
  type: string
  at: string
  order?: string
  reason?: string
  lines: { account: string; debit?: { amount: string }; credit?: { amount: string } }[]
  units: { account: string; sku: string; in?: number; out?: number }[]
}
interface Invoice {
  number: string
  type: string
  reference: string
  total: { amount: string }
  goods: { amount: string }
  discount: { amount: string }
  tax: { amount: string }
  shipping: { amount: string }
}
interface OrderDocument {
  id: string
  status: string
  fulfillments: { id: string; status: string; lines: { sku: string; quantity: number; picked: number }[] }[]
  returns: { id: string; status: string }[]
  totals: { total: { amount: string } }
  payment: { captured?: { amount: string }; refunded?: { amount: string } }
}

const LONG_MS = 120_000
const places = ['W1', 'S1', 'S2']

async function newServer(skus: string[], onHand: number): Promise<TestServer> {
  const server = await TestServer.start({ args: ['--allow-http', '--allow-address', '127.0.0.1'] })
  await stockUp(server.url, skus, onHand, places)
  return server
}

const posted = (server: TestServer): Promise<TrialBalance> =>
  vi.waitFor(
    async () => {
      const { body } = await server.call<TrialBalance>('GET', '/v1/erp/trial-balance')
      expect(body.pending).toBe(0)
      return body
    },
    { timeout: 30_000, interval: 100 },
  )

const orderOf = async (server: TestServer, id: string): Promise<OrderDocument> =>
  (await server.call<OrderDocument>('GET', `/v1/orders/${id}`)).body

async function place(server: TestServer, fields: Record<string, unknown>): Promise<OrderDocument> {
  const { status, body } = await server.call<OrderDocument>('POST', '/v1/orders', {
    channel: 'web',
    currency: 'GBP',
    customer: { name: 'Ada Byron', email: 'ada@example.com' },
    shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
    ...fields,
  })
  expect(status, JSON.stringify(body)).toBe(201)
  // With several partitions it is sourced after it is taken.
  return vi.waitFor(async () => {
    const order = await orderOf(server, body.id)
    expect(order.fulfillments.length).toBeGreaterThan(0)
    return order
  }, 10_000)
}

const act = (server: TestServer, fulfillment: string, action: string, body: object = {}) =>
  server.call(
    'POST',
    `/v1/fulfillments/${fulfillment}/${action}`,
    action === 'ship' ? { carrier: 'post', ...body } : body,
  )

async function send(server: TestServer, id: string, upTo = 'deliver'): Promise<void> {
  for (const fulfillment of (await orderOf(server, id)).fulfillments) {
    for (const action of ['accept', 'pick', 'pack', 'ship', 'deliver']) {
      const { status, body } = await act(server, fulfillment.id, action)
      expect(status, `${action}: ${JSON.stringify(body)}`).toBe(200)
      if (action === upTo) break
    }
  }
}

async function journal(server: TestServer, query = ''): Promise<Entry[]> {
  const items: Entry[] = []
  for (let cursor = ''; ; ) {
    const { status, body } = await server.call<{ items: Entry[]; nextCursor: string | null }>(
      'GET',
      `/v1/erp/journal?limit=200${query}${cursor === '' ? '' : `&cursor=${cursor}`}`,
    )
    expect(status).toBe(200)
    items.push(...body.items)
    if (body.nextCursor === null) return items
    cursor = body.nextCursor
  }
}

/** On hand of every SKU at every place, as the inventory and as the journal have it. */
async function expectStockAsInJournal(server: TestServer, skus: string[]): Promise<void> {
  const booked = new Map<string, number>()
  for (const { units } of await journal(server)) {
    for (const { account, sku, in: came = 0, out: left = 0 } of units) {
      const key = `${account}/${sku}`
      booked.set(key, (booked.get(key) ?? 0) + came - left)
    }
  }
  for (const sku of skus) {
    for (const { location, onHand } of (await server.stock(sku)).locations) {
      expect(booked.get(`stock:${location}/${sku}`) ?? 0, `${sku} at ${location}`).toBe(onHand)
    }
  }
}

const invoicesOf = async (server: TestServer, order: string): Promise<Invoice[]> =>
  (await server.call<{ items: Invoice[] }>('GET', `/v1/erp/invoices?order=${order}`)).body.items

test('the invoices of an order that is sent in parts add up to its total, to the penny', async () => {
  const server = await newServer(['PART'], 100)
  const order = await place(server, {
    lines: [{ sku: 'PART', quantity: 7, unitPrice: pounds('3.33') }],
    totals: { tax: pounds('2.71'), discount: pounds('1.37') },
    shipping: pounds('4.99'),
    payment: { status: 'pending', amount: pounds('29.64'), provider: 'builtin' },
  })
  // Two units short: what is not found at one place is sent from another one.
  const [first] = order.fulfillments
  await act(server, first!.id, 'accept')
  await act(server, first!.id, 'pick', { lines: [{ sku: 'PART', quantity: 3 }] })
  await act(server, first!.id, 'pack')
  await act(server, first!.id, 'ship')
  const others = (await orderOf(server, order.id)).fulfillments.filter(({ status }) => status === 'pending')
  expect(others.length).toBeGreaterThan(0)
  for (const { id } of others) for (const step of ['accept', 'pick', 'pack', 'ship']) await act(server, id, step)
  await vi.waitFor(async () => {
    const { payment, totals } = await orderOf(server, order.id)
    expect(payment.captured).toEqual(totals.total)
  }, 10_000)
  const balance = await posted(server)
  const invoices = await invoicesOf(server, order.id)
  expect(invoices.length).toBe(1 + others.length)
  const { totals } = await orderOf(server, order.id)
  expect(invoices.reduce((sum, { total }) => sum + pence(total), 0)).toBe(pence(totals.total))
  for (const { goods, discount, shipping, tax, total } of invoices) {
    expect(pence(goods) - pence(discount) + pence(shipping) + pence(tax)).toBe(pence(total))
  }
  expect(balance.isBalanced).toBe(true)
  const of = (account: string) => balance.accounts.find((one) => one.account === account)!.balance.amount
  expect([of('receivable'), of('cash'), of('tax'), of('shipping_income')]).toEqual(['0.00', '29.64', '-2.71', '-4.99'])
  expect(balance.units.find(({ account }) => account === 'shrinkage')!.balance).toBe(4)
  await expectStockAsInJournal(server, ['PART'])
})

test('returns, store credit, an exchange, a credit and a lost parcel are credited, and customers owe nothing', async () => {
  const server = await newServer(['BACK', 'OTHER'], 100)
  const paid = (total: string) => ({ payment: { status: 'captured', amount: pounds(total), reference: 'paid' } })
  const lines = [{ sku: 'BACK', quantity: 2, unitPrice: pounds('10.00') }]
  const counter = (order: string, disposition: string, fields: object = {}) =>
    server.call<{ id: string }>('POST', '/v1/returns/at-the-counter', {
      order,
      location: 'S1',
      lines: [{ sku: 'BACK', quantity: 1, disposition }],
      ...fields,
    })

  // Settled by the channel: what comes back is the channel's to give back.
  const channel = await place(server, { lines })
  await send(server, channel.id)
  expect((await counter(channel.id, 'scrap')).status).toBe(201)

  const credit = await place(server, { lines, ...paid('20.00') })
  await send(server, credit.id)
  expect((await counter(credit.id, 'refurbish', { resolution: 'store_credit' })).status).toBe(201)

  // Lost, then sent again: invoiced once in all.
  const lost = await place(server, { lines, ...paid('20.00') })
  await send(server, lost.id, 'ship')
  await act(server, lost.fulfillments[0]!.id, 'fail', { reason: 'lost' })
  const again = (await orderOf(server, lost.id)).fulfillments.at(-1)!
  for (const step of ['accept', 'pick', 'pack', 'ship', 'deliver']) await act(server, again.id, step)

  const appeased = await place(server, { lines })
  await send(server, appeased.id)
  await server.call('POST', `/v1/orders/${appeased.id}/credits`, { amount: pounds('3.00'), reason: 'late' })

  const exchanged = await place(server, { lines, ...paid('20.00') })
  await send(server, exchanged.id)
  const asked = await server.call<{ id: string }>('POST', '/v1/returns', {
    order: exchanged.id,
    lines: [{ sku: 'BACK', quantity: 1, reason: 'too small' }],
    resolution: 'exchange',
    exchange: [{ sku: 'OTHER', quantity: 1, unitPrice: pounds('8.00') }],
  })
  const { id } = asked.body
  await server.call('POST', `/v1/returns/${id}/authorize`, { label: false })
  await server.call('POST', `/v1/returns/${id}/receive`, {
    location: 'S1',
    lines: [{ sku: 'BACK', quantity: 1, disposition: 'restock' }],
  })
  const sent = await vi.waitFor(async () => {
    const { body } = await server.call<{ exchange: { order: string | null } }>('GET', `/v1/returns/${id}`)
    expect(body.exchange.order).toBeTypeOf('string')
    return body.exchange.order!
  }, 10_000)
  await vi.waitFor(async () => expect((await orderOf(server, sent)).status).toBe('allocated'), 10_000)
  await send(server, sent)
  await server.call('POST', `/v1/returns/${id}/inspect`, {})
  await server.call('POST', `/v1/returns/${id}/close`, {})
  // The two pounds that the exchange left are paid back by whoever took the money.
  await server.call('POST', `/v1/orders/${exchanged.id}/payment`, {
    event: 'refunded',
    amount: pounds('2.00'),
    reference: 'given back',
  })

  const { isBalanced, accounts, units } = await posted(server)
  expect(isBalanced).toBe(true)
  const money = Object.fromEntries(accounts.map(({ account, balance }) => [account, balance.amount]))
  expect(money).toMatchObject({
    receivable: '0.00',
    cash: '58.00',
    // 20 and 20 for two orders, 10 given back for what came back, 3 as a credit.
    channel_clearing: '27.00',
    store_credit: '-10.00',
    revenue: '-108.00',
    refunds: '33.00',
  })
  const held = Object.fromEntries(units.map(({ account, balance }) => [account, balance]))
  expect(held).toMatchObject({ scrap: 1, refurbish: 1, shrinkage: 2, in_transit_to_customer: 0, customer: 8 })
  const lostInvoices = await invoicesOf(server, lost.id)
  expect(lostInvoices.map(({ type, total }) => [type, total.amount])).toEqual([
    ['invoice', '20.00'],
    ['credit_note', '20.00'],
    ['invoice', '20.00'],
  ])
  await expectStockAsInJournal(server, ['BACK', 'OTHER'])
})

test('supply, transfers, counts and adjustments are booked from where units came', async () => {
  const server = await newServer(['MOVE'], 10)
  const supply = { id: 'PO-1', sku: 'MOVE', location: 'W1', quantity: 6, expectedAt: new Date().toISOString() }
  await server.call('POST', '/v1/inventory/supply', supply)
  await server.call('POST', '/v1/inventory/supply/PO-1/receive', { quantity: 4, id: 'first' })
  await server.call('POST', '/v1/inventory/supply/PO-1/receive', { quantity: 4, id: 'first' })
  await server.call('POST', '/v1/transfers', { id: 'T-1', sku: 'MOVE', from: 'W1', to: 'S1', quantity: 5 })
  await server.call('POST', '/v1/transfers/T-1/ship', {})
  await server.call('POST', '/v1/transfers/T-1/receive', { quantity: 3 })
  for (const reason of ['damaged', 'found']) {
    const adjustment = { id: randomUUID(), sku: 'MOVE', location: 'S2', delta: reason === 'found' ? 3 : -2, reason }
    expect((await server.call('POST', '/v1/inventory/adjustments', adjustment)).status).toBe(201)
  }
  const { units, isBalanced } = await posted(server)
  expect(isBalanced).toBe(true)
  expect(Object.fromEntries(units.map(({ account, balance }) => [account, balance]))).toEqual({
    'stock:W1': 9,
    'stock:S1': 13,
    'stock:S2': 11,
    supplier: -4,
    transfer_in_transit: 2,
    scrap: 2,
    adjustment: -33,
  })
  const received = (await journal(server, '&account=supplier')).map(({ reason, units: moved }) => ({ reason, moved }))
  expect(received).toEqual([
    {
      reason: 'received',
      moved: [
        { account: 'stock:W1', sku: 'MOVE', in: 4 },
        { account: 'supplier', sku: 'MOVE', out: 4 },
      ],
    },
  ])
})

/** One of the things that may happen to an order next; whether it was possible does not matter. */
async function live(server: TestServer, random: Random, ids: string[], skus: string[]): Promise<void> {
  if (ids.length < 3 || random.chance(0.2)) {
    const quantity = random.between(1, 5)
    const payments = [
      {},
      { payment: { status: 'pending', amount: pounds('1.00'), provider: 'builtin' } },
      { payment: { status: 'authorized', amount: pounds('10.00'), reference: 'a' } },
    ]
    const { status, body } = await server.call<OrderDocument>('POST', '/v1/orders', {
      id: randomUUID(),
      channel: 'web',
      currency: 'GBP',
      customer: { name: 'Ada Byron' },
      shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
      lines: skus
        .filter(() => random.chance(0.6))
        .map((sku) => ({ sku, quantity, unitPrice: pounds(`${random.between(1, 20)}.${random.between(10, 99)}`) }))
        .concat([{ sku: skus[0]!, quantity: 1, unitPrice: pounds('0.99') }]),
      shipping: pounds(random.chance(0.5) ? '3.95' : '0.00'),
      allowBackorder: random.chance(0.5),
      ...random.pick(payments),
    })
    if (status === 201) ids.push(body.id)
    return
  }
  const id = random.pick(ids)
  const order = await orderOf(server, id)
  const dice = random.next()
  const fulfillment = order.fulfillments?.length > 0 ? random.pick(order.fulfillments) : undefined
  if (dice < 0.55 && fulfillment) {
    const next: Record<string, string> = {
      pending: 'accept',
      accepted: 'pick',
      picking: 'pack',
      packed: 'ship',
      shipped: 'deliver',
    }
    let action = next[fulfillment.status]
    if (!action) return
    let body: object = {}
    if (random.chance(0.12)) {
      action = fulfillment.status === 'pending' || fulfillment.status === 'accepted' ? 'reject' : 'fail'
      body = { reason: random.pick(['damaged', 'too busy', 'lost']) }
    } else if (action === 'pick' && random.chance(0.3)) {
      body = { lines: fulfillment.lines.map(({ sku, quantity }) => ({ sku, quantity: random.between(0, quantity) })) }
    }
    await act(server, fulfillment.id, action, body)
  } else if (dice < 0.62) await server.call('POST', `/v1/orders/${id}/cancel`, { reason: 'changed' })
  else if (dice < 0.67) {
    const lines = [{ line: 1, quantity: 1 }]
    await server.call('POST', `/v1/orders/${id}/cancel`, { reason: 'one less', lines })
  } else if (dice < 0.72) {
    const event = random.pick(['captured', 'refunded'])
    await server.call('POST', `/v1/orders/${id}/payment`, { event, amount: pounds('1.25'), reference: 'r' })
  } else if (dice < 0.75) {
    await server.call('POST', `/v1/orders/${id}/credits`, { amount: pounds('0.50'), reason: 'sorry' })
  } else if (dice < 0.9 && fulfillment) {
    const disposition = random.pick(['restock', 'scrap', 'refurbish', 'back_to_vendor'])
    const resolution = random.pick(['refund', 'store_credit', 'none'])
    const lines = fulfillment.lines.map(({ sku }) => ({ sku, quantity: 1, disposition }))
    if (lines.length > 0) {
      await server.call('POST', '/v1/returns/at-the-counter', {
        order: id,
        location: random.pick(places),
        lines,
        resolution,
      })
    }
  } else {
    const adjustment = {
      id: randomUUID(),
      sku: random.pick(skus),
      location: random.pick(places),
      delta: 3,
      reason: 'found',
    }
    await server.call('POST', '/v1/inventory/adjustments', adjustment)
  }
}

test('whatever orders go through, and although the server is killed in between, each thing is booked once and all balances', {
  timeout: 3 * LONG_MS,
}, async () => {
  const skus = ['R1', 'R2', 'R3']
  let server = await newServer(skus, 40)
  const random = new Random(20_261)
  const ids: string[] = []
  for (let round = 0; round < 4; round++) {
    const [current, killed] = [server, round < 3]
    let isGone = false
    const work = Array.from({ length: 8 }, async () => {
      // The server goes while some are still asking.
      try {
        for (let i = 0; i < 40; i++) await live(current, random, ids, skus)
      } catch (error) {
        if (!isGone) throw error
      }
    })
    if (killed) {
      await setTimeout(500 + random.between(0, 1_500))
      isGone = true
      await server.kill()
      await Promise.all(work)
      server = await TestServer.start({ dataDir: server.dataDir })
    } else await Promise.all(work)
  }
  const balance = await posted(server)
  expect(balance.isBalanced).toBe(true)
  await expectStockAsInJournal(server, skus)
  const entries = await journal(server)
  expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length)
  expect(entries.length).toBeGreaterThan(50)
  const check = await server.call<{ isSound: boolean; checked: number }>('GET', '/v1/erp/check')
  expect(check.body).toMatchObject({ isSound: true, checked: entries.length })
  for (const id of ids) {
    const { fulfillments, totals, status } = await orderOf(server, id)
    const invoices = await invoicesOf(server, id)
    const total = invoices
      .filter(({ type, reference }) => type === 'invoice' || fulfillments.some((one) => one.id === reference))
      .reduce((sum, one) => sum + (one.type === 'invoice' ? 1 : -1) * pence(one.total), 0)
    expect(total, `invoices of ${id}`).toBeLessThanOrEqual(pence(totals.total))
    if (status === 'delivered' && !fulfillments.some((one) => one.status === 'cancelled')) {
      expect(total, `invoices of ${id}`).toBeGreaterThan(0)
    }
  }
})

test('the journal is found by date, order and account, and written as CSV and JSON lines', async () => {
  const server = await newServer(['TEXT'], 10)
  const order = await place(server, { lines: [{ sku: 'TEXT', quantity: 1, unitPrice: pounds('5.00') }] })
  await send(server, order.id)
  await posted(server)
  const own = await journal(server, `&order=${order.id}`)
  expect(own.map(({ type }) => type).sort()).toEqual(['delivery', 'invoice', 'stock'])
  const pages: Entry[] = []
  for (let cursor = ''; ; ) {
    const path = `/v1/erp/journal?limit=1&order=${order.id}${cursor === '' ? '' : `&cursor=${cursor}`}`
    const { body } = await server.call<{ items: Entry[]; nextCursor: string | null }>('GET', path)
    pages.push(...body.items)
    if (body.nextCursor === null) break
    cursor = body.nextCursor
  }
  expect(pages).toEqual(own)
  const later = await journal(server, `&from=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`)
  expect(later).toEqual([])
  expect(await journal(server, `&to=${encodeURIComponent(own[0]!.at)}&order=${order.id}`)).toEqual([])
  expect((await journal(server, '&account=revenue')).map(({ type }) => type)).toEqual(['invoice'])
  const csv = await (await fetch(`${server.url}/v1/erp/journal.csv?order=${order.id}`)).text()
  expect(csv.split('\r\n')[0]).toMatch(/^entry,at,type,order,/)
  expect(csv).toContain('revenue,,5.00,GBP')
  const lines = await (await fetch(`${server.url}/v1/erp/journal.jsonl?order=${order.id}`)).text()
  expect(
    lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(own)
  expect((await server.call('GET', '/v1/erp/journal?cursor=nonsense')).status).toBe(422)
})

test('an ERP that reads files gets every entry once in whole files, and one that is called gets each batch under its key', async () => {
  const server = await newServer(['LINK'], 10)
  const order = await place(server, { lines: [{ sku: 'LINK', quantity: 1, unitPrice: pounds('5.00') }] })
  await send(server, order.id)
  await posted(server)
  const ids = (await journal(server)).map(({ id }) => id).sort()
  expect((await server.call('PUT', '/v1/erp/link', { type: 'files' })).status).toBe(200)
  const outbox = join(server.dataDir, 'erp', 'outbox')
  const inFiles = (): string[] =>
    readdirSync(outbox)
      .filter((name) => name.endsWith('.csv'))
      .flatMap((name) => readFileSync(join(outbox, name), 'utf8').trim().split('\r\n').slice(1))
      .map((row) => row.split(',')[0]!)
  await vi.waitFor(() => expect([...new Set(inFiles())].sort()).toEqual(ids), 15_000)
  expect(readdirSync(outbox).filter((name) => !name.endsWith('.csv'))).toEqual([])

  const heard: { key: string | undefined; token: string | undefined; entries: Entry[] }[] = []
  let refusals = 2
  const erp = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { entries } = JSON.parse(Buffer.concat(parts).toString()) as { entries: Entry[] }
      heard.push({
        key: request.headers['idempotency-key'] as string | undefined,
        token: request.headers.authorization,
        entries,
      })
      response.writeHead(refusals-- > 0 ? 503 : 200).end()
    })
  })
  await new Promise<void>((done) => erp.listen(0, '127.0.0.1', done))
  whenDone(() => erp.close())
  const { port } = erp.address() as AddressInfo
  const settings = { type: 'http', url: `http://127.0.0.1:${port}/journal`, token: 'very secret' }
  const put = await server.call('PUT', '/v1/erp/link', settings)
  expect(JSON.stringify(put.body)).not.toContain('very secret')
  const later = await place(server, { lines: [{ sku: 'LINK', quantity: 1, unitPrice: pounds('6.00') }] })
  await send(server, later.id)
  await posted(server)
  const all = (await journal(server)).map(({ id }) => id)
  const fresh = all.filter((id) => !ids.includes(id)).sort()
  await vi.waitFor(
    () => {
      const byKey = new Map(heard.map(({ key, entries }) => [key, entries]))
      expect([...byKey.values()].flatMap((entries) => entries.map(({ id }) => id)).sort()).toEqual(fresh)
      expect(heard.length).toBeGreaterThan(2)
    },
    { timeout: 30_000, interval: 200 },
  )
  for (const { key, entries, token } of heard) {
    expect(token).toBe('Bearer very secret')
    expect(heard.filter((other) => other.key === key).every((other) => other.entries.length === entries.length)).toBe(
      true,
    )
  }
})

interface ReconciliationDocument {
  id: string
  different: number
  unknown: number
  differences: {
    sku: string
    location: string
    difference: number
    unexplained: number
    applied?: number
    explained: { type: string; units: number }[]
  }[]
}

test('stock is reconciled by itself once a day, by the clocks of the retailer', async () => {
  const server = await newServer(['NIGHT'], 20)
  await posted(server)
  let asked = 0
  const erp = createServer((_request, response) => {
    asked++
    const snapshot = places.map((location) => ({ sku: 'NIGHT', location, onHand: location === 'W1' ? 19 : 20 }))
    const body = JSON.stringify({ at: new Date().toISOString(), snapshot })
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  })
  await new Promise<void>((done) => erp.listen(0, '127.0.0.1', done))
  whenDone(() => erp.close())
  const url = `http://127.0.0.1:${(erp.address() as AddressInfo).port}`
  const dayIn = (timeZone: string) => new Date().toLocaleDateString('sv-SE', { timeZone })
  const nightly = async () => {
    const { body } = await server.call<{ items: { id: string; different: number }[] }>('GET', '/v1/erp/reconciliations')
    return body.items.map(({ id, different }) => ({ id, different }))
  }
  // Two places whose clocks never show the same date.
  const zones = ['Pacific/Kiritimati', 'Etc/GMT+12']
  const expected: { id: string; different: number }[] = []
  for (const timeZone of zones) {
    const link = { type: 'http', url, snapshotUrl: url, reconcileAt: '00:00', timeZone }
    expect((await server.call('PUT', '/v1/erp/link', link)).status).toBe(200)
    expected.push({ id: `nightly-${dayIn(timeZone)}`, different: 1 })
    await vi.waitFor(async () => expect(await nightly()).toEqual(expected), 15_000)
  }
  // The batches of the journal and two snapshots: after that nothing is asked for until the next day.
  const before = asked
  await setTimeout(2_500)
  expect(asked).toBe(before)
  const wrong = await server.call('PUT', '/v1/erp/link', { type: 'files', reconcileAt: '02:00', timeZone: 'Mars/Base' })
  expect(wrong.status).toBe(422)
})

test('what the journal has missed of stock is opened, once however often it is asked for, also while stock moves', async () => {
  const { Server }: typeof import('../gateway/server.js') = await import(built('gateway/server.ts'))
  const { default: pino } = await import('pino')
  const own = { host: '127.0.0.1', port: 0, dataDir: temporaryDirectory(), partitions: 2, version: '0' }
  const none = { warmReservations: 0, outward: {}, messaging: {} }
  const server = await Server.start({ ...own, ...none, logger: pino({ enabled: false }) })
  whenDone(() => server.stop())
  const skus = ['LOST-A', 'LOST-B', 'KEPT']
  // Counted in two, since what is counted together is one entry.
  await stockUp(server.url, skus.slice(0, 2), 20, ['W1', 'S1'])
  await stockUp(server.url, skus.slice(2), 20, ['W1', 'S1'])
  const call = async <Body>(name: string, body: object = {}): Promise<Body> => {
    const outcome = await server.context.call(name, body)
    expect(outcome.status, JSON.stringify(outcome.body)).toBeLessThan(300)
    return outcome.body as Body
  }
  const balanced = () =>
    vi.waitFor(async () => {
      const balance = await call<TrialBalance>('erp.trialBalance')
      expect(balance.pending).toBe(0)
      return balance
    }, 30_000)
  await balanced()
  // As after events that were not kept any more: entries of two SKUs are not there.
  const { records } = server.context
  const entries = await records.all<{ units?: number[] }>('erp-entry')
  const lost = skus.slice(0, 2).map((sku) => server.context.directory.find('skus', sku))
  for (const { id, value } of entries) {
    if (value.units?.some((sku, at) => at % 3 === 1 && lost.includes(sku))) await records.delete('erp-entry', id)
  }
  const units = async () => {
    const { items } = await call<{ items: Entry[] }>('erp.journal', { limit: 200 })
    const sums = new Map<string, number>()
    for (const entry of items) {
      for (const { account, sku, in: came = 0, out: left = 0 } of entry.units) {
        sums.set(`${account}/${sku}`, (sums.get(`${account}/${sku}`) ?? 0) + came - left)
      }
    }
    return { sums, openings: items.filter(({ type }) => type === 'opening') }
  }
  expect((await units()).sums.get('stock:W1/LOST-A')).toBeUndefined()
  const adjust = (sku: string) =>
    call('inventory.adjust', { id: randomUUID(), sku, location: 'W1', delta: 1, reason: 'found' })
  const opened = (): Promise<{ different: number; skus: string[] }> => call('erp.open')
  const [first] = await Promise.all([opened(), opened()])
  expect(first.skus).toEqual(expect.arrayContaining(skus.slice(0, 2)))
  // What moves behind the telling, and is read with it, is not counted twice.
  const { directory, dispatch } = server.context
  const restate = (sku: number) => dispatch.command(directory.partitionOfSku(sku), 'inventory.restate', { skus: [sku] })
  await Promise.all([restate(lost[0]!), ...Array.from({ length: 10 }, () => adjust('LOST-A'))])
  expect((await balanced()).isBalanced).toBe(true)
  const { sums, openings } = await units()
  for (const sku of skus) {
    for (const location of ['W1', 'S1']) {
      const expected = sku === 'LOST-A' && location === 'W1' ? 30 : 20
      expect(sums.get(`stock:${location}/${sku}`), `${sku} at ${location}`).toBe(expected)
    }
  }
  const opening = openings.flatMap((entry) => entry.units.filter(({ account }) => account === 'stock:S1'))
  expect(opening.map(({ sku, in: came }) => ({ sku, came }))).toEqual(
    expect.arrayContaining(skus.slice(0, 2).map((sku) => ({ sku, came: 20 }))),
  )
  expect(opening).toHaveLength(2)
  expect(await opened()).toEqual({ different: 0, skus: [] })

  // An ERP that does not know of it yet is told why its stock is less.
  const snapshot = [{ sku: 'LOST-B', location: 'S1', onHand: 0 }]
  const at = new Date(Date.parse(openings[0]!.at) - 1).toISOString()
  const found = await call<ReconciliationDocument>('erp.reconcile', { id: 'after', snapshot, at })
  expect(found.differences).toMatchObject([
    { difference: -20, unexplained: 0, explained: [{ reason: 'opening', units: -20 }] },
  ])
})

test('a reconciliation finds what is planted, explains what moved later, and applies the rest once', async () => {
  const skus = ['RA', 'RB', 'RC', 'RD']
  const server = await newServer(skus, 20)
  await posted(server)
  await setTimeout(20)
  const at = new Date().toISOString()
  await setTimeout(20)
  const order = await place(server, { lines: [{ sku: 'RB', quantity: 3, unitPrice: pounds('5.00') }] })
  await send(server, order.id)
  const adjusted = { id: randomUUID(), sku: 'RC', location: 'S2', delta: 4, reason: 'found' }
  await server.call('POST', '/v1/inventory/adjustments', adjusted)
  await posted(server)
  const snapshot = skus.flatMap((sku) => places.map((location) => ({ sku, location, onHand: 20 })))
  // Planted: two of RA are missing there; RC moved later and has one more besides.
  snapshot.find(({ sku, location }) => sku === 'RA' && location === 'W1')!.onHand = 18
  snapshot.find(({ sku, location }) => sku === 'RC' && location === 'S2')!.onHand = 21
  snapshot.push({ sku: 'NOBODY', location: 'W1', onHand: 1 })
  const body = { id: 'night', snapshot, at }
  const { status, body: found } = await server.call<ReconciliationDocument>('POST', '/v1/erp/reconciliations', body)
  expect(status, JSON.stringify(found)).toBe(201)
  expect(found).toMatchObject({ different: 3, unknown: 1 })
  const of = (sku: string) => found.differences.find((one) => one.sku === sku)!
  expect(of('RA')).toMatchObject({ location: 'W1', difference: -2, unexplained: -2, explained: [] })
  expect(of('RB')).toMatchObject({ difference: 3, unexplained: 0, explained: [{ type: 'later_movement', units: 3 }] })
  expect(of('RC')).toMatchObject({ difference: -3, unexplained: 1, explained: [{ type: 'later_movement', units: -4 }] })
  for (let times = 0; times < 2; times++) {
    const applied = await server.call<ReconciliationDocument>('POST', '/v1/erp/reconciliations/night/apply', {
      reason: 'as the WMS says',
    })
    expect(applied.status).toBe(200)
    expect(applied.body.differences.map((one) => one.applied ?? 0).sort()).toEqual([-2, 0, 1])
  }
  const onHand = async (sku: string, place_: string) =>
    (await server.stock(sku)).locations.find(({ location }) => location === place_)!.onHand
  expect([await onHand('RA', 'W1'), await onHand('RC', 'S2')]).toEqual([18, 25])
  await posted(server)
  await expectStockAsInJournal(server, skus)
  const double = { snapshot: [snapshot[0], snapshot[0]] }
  expect((await server.call('POST', '/v1/erp/reconciliations', double)).status).toBe(422)
})
