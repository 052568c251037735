/** Files of orders, sent or put into a folder: every line is an order's or is named, and no order is placed twice. */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { WatchedFolder } from '../gateway/channels/files/watched-folder.js'
import { DoorbusterClient } from '../gateway/client/index.js'
import { stockUp } from './support/catalogue.js'
import { expectProblem, Shop } from './support/shop.js'
import { TestServer, temporaryDirectory, whenDone } from './support/test-server.js'

const shop = Shop.open()

interface Report {
  id: string
  lines: number
  orders: number
  imported: number
  repeated: number
  bad: number
  badLines: { line: number; order?: string; reason: string }[]
  badLinesLeftOut: number
  ignoredColumns: string[]
}
interface OrderDocument {
  id: string
  status: string
  externalId: string
  lines: { sku: string; quantity: number }[]
  shipTo: { line1: string }
}

const HEAD = 'order number,currency,customer,email,line1,city,postcode,country,sku,quantity,price'
const row = (number: string, sku: string, quantity: number | string = 1, line1 = '12 St James Sq') =>
  `${number},GBP,Ada Byron,ada@example.com,${line1},London,SW1Y 4LB,GB,${sku},${quantity},10.00`

let made = 0
/** A connection of a test's own. */
const newConnection = () => `partner-${made++}`

const send = (connection: string, content: string, fields: object = {}) =>
  shop.call<Report>('POST', `/v1/channels/files/${connection}/files`, { name: 'orders.csv', content, ...fields })
async function take(connection: string, content: string, fields: object = {}): Promise<Report> {
  const { status, body } = await send(connection, content, fields)
  expect(status).toBe(201)
  return body
}
async function ordersOf(connection: string, server = shop.server): Promise<OrderDocument[]> {
  const { body } = await server.call<{ items: OrderDocument[] }>('GET', `/v1/orders?channel=${connection}&limit=500`)
  return body.items.sort((a, b) => (a.externalId < b.externalId ? -1 : 1))
}

describe('a file of orders', () => {
  test('gives an order for each number, whose rows may stand apart, and names each bad line', async () => {
    const connection = newConnection()
    const rows = [
      HEAD,
      row('1', 'TEE', 2),
      row('2', 'TEE'),
      row('1', 'TEE', 3),
      row('3', 'NOPE'),
      row('4', 'TEE', 'two'),
    ]
    const report = await take(connection, rows.join('\n'))
    expect(report).toMatchObject({ lines: 5, orders: 4, imported: 2, bad: 2 })
    expect(report.badLines).toMatchObject([
      { line: 5, order: '3', reason: expect.stringContaining('unknown SKU NOPE') },
      { line: 6, order: '4', reason: expect.stringContaining('quantity') },
    ])
    const [first, second, ...others] = await ordersOf(connection)
    expect(others).toEqual([])
    expect(first).toMatchObject({ externalId: '1', lines: [{ quantity: 2 }, { quantity: 3 }] })
    expect(second!.externalId).toBe('2')
  })

  test('sent twice, or many times at once, gives each order once', async () => {
    const connection = newConnection()
    const content = [HEAD, row('1', 'TEE'), row('2', 'TEE')].join('\n')
    const reports = await Promise.all(Array.from({ length: 6 }, () => take(connection, content)))
    expect(reports.reduce((sum, { imported }) => sum + imported, 0)).toBe(2)
    expect(await take(connection, content)).toMatchObject({ imported: 0, repeated: 2, bad: 0 })
    expect(await ordersOf(connection)).toHaveLength(2)
  })

  test('may have a byte order mark, carriage returns, line breaks in quotes, and columns that mean nothing', async () => {
    const connection = newConnection()
    const content = [
      `\uFEFF${HEAD},colour of the van`,
      `${row('1', 'TEE', 1, '"Flat 2\r\n12 ""St James"" Sq, rear"')},red`,
      '',
      `${row('2', 'TEE', 0)},blue`,
    ].join('\r\n')
    const report = await take(connection, content)
    expect(report).toMatchObject({ imported: 1, bad: 1, ignoredColumns: ['colour of the van'] })
    expect(report.badLines[0]!.line).toBe(5)
    expect((await ordersOf(connection))[0]!.shipTo.line1).toBe('Flat 2\r\n12 "St James" Sq, rear')
  })

  test('of which an order has one bad line leaves the whole order out, and no other', async () => {
    const connection = newConnection()
    const rows = [HEAD, row('1', 'TEE'), `${row('1', 'TEE')},too much`, row('2', 'TEE'), row('3', 'TEE')]
    rows.push(row('3', 'TEE', 1, 'Elsewhere'))
    const report = await take(connection, rows.join('\n'))
    expect(report).toMatchObject({ imported: 1, bad: 4 })
    expect(report.badLines).toMatchObject([
      { line: 2, reason: 'left out: line 3 of its order is bad' },
      { line: 3, reason: '12 fields where the header has 11' },
      { line: 5 },
      { line: 6, reason: 'shipTo: not as in the first row of the order' },
    ])
  })

  test('as JSON lines has an order in each', async () => {
    const connection = newConnection()
    const order = (externalId: unknown) => ({
      channel: 'somebody-else',
      id: 'of-their-own',
      externalId,
      customer: { name: 'Ada Byron' },
      shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
      lines: [{ sku: 'TEE', quantity: 1, unitPrice: { amount: '10.00', currency: 'GBP' } }],
    })
    const lines = [`\uFEFF${JSON.stringify(order('1'))}`, '{"a":', '[]', JSON.stringify(order(2)), '{"b":1}']
    lines.push(JSON.stringify({ ...order('3'), lines: 'none' }), `${'['.repeat(20_000)}`)
    const report = await take(connection, lines.join('\r\n'), { name: 'orders.jsonl', currency: 'GBP' })
    expect(report).toMatchObject({ imported: 2, bad: 5 })
    expect(report.badLines.map(({ line }) => line)).toEqual([2, 3, 5, 6, 7])
    expect((await ordersOf(connection)).map(({ externalId }) => externalId)).toEqual(['1', '2'])
  })

  test('that cannot be read as a whole is refused with the reason, and nothing of it is done', async () => {
    const connection = newConnection()
    const missing = await send(connection, `sku,customer\nTEE,Ada`)
    expectProblem(missing, 422, 'bad_file')
    expect(JSON.stringify(missing.body)).toContain('no column externalId, line.quantity')
    expectProblem(await send(connection, HEAD), 422, 'bad_file')
    expectProblem(await send(connection, '\uFEFF\r\n\r\n'), 422, 'bad_file')
    expectProblem(await send(connection, ''), 422, 'invalid')
    expectProblem(await send(connection, 'x', { name: 'orders.xlsx' }), 422, 'invalid')
    expectProblem(await send(connection, 'x'.repeat(1_048_576)), 413, 'body_too_large')
    expect(await ordersOf(connection)).toEqual([])
  })

  test('of hostile size or shape is answered soon, with a report that stays small', async () => {
    const connection = newConnection()
    const many = await take(connection, 'x\n'.repeat(200_000), { name: 'orders.jsonl' })
    expect(many).toMatchObject({ imported: 0, bad: 200_000, badLinesLeftOut: 199_000 })
    expect(many.badLines).toHaveLength(1_000)
    expectProblem(await send(connection, `${HEAD}\n${'x\n'.repeat(200_000)}`), 422, 'bad_file')
    expectProblem(await send(connection, `${HEAD}\n${'"x'.repeat(200_000)}`), 422, 'bad_file')
    const open = await take(connection, `${HEAD}\n${row('1', 'TEE')}\n"${'x'.repeat(900_000)}`)
    expect(open).toMatchObject({ imported: 1, bad: 1 })
    const wide = await send(connection, `${'a,'.repeat(300_000)}\n`)
    expect(wide.status).toBe(422)
  }, 60_000)

  test('has a report that no spreadsheet takes for a formula', async () => {
    const connection = newConnection()
    const rows = [HEAD, row('=cmd|calc', 'TEE', 0), row('@SUM(1)', '+evil'), row('-1', 'TEE', 'x')]
    const { id } = await take(connection, rows.join('\n'))
    const csv = await shop.call<string>('GET', `/v1/channels/files/${connection}/files/${id}/report.csv`)
    expect(csv.status).toBe(200)
    expect(csv.headers.get('content-type')).toContain('text/csv')
    expect(csv.body).toContain("2,'=cmd|calc,")
    expect(csv.body).toContain("3,'@SUM(1),")
    expect(csv.body).toContain("4,'-1,")
    for (const line of String(csv.body).split('\n'))
      for (const cell of line.split(',')) expect(cell).not.toMatch(/^[=+@-]/)
    const kept = await shop.call<Report>('GET', `/v1/channels/files/${connection}/files/${id}`)
    expect(kept.body).toMatchObject({ id, bad: 3 })
    const listed = await shop.call<{ items: { id: string }[] }>('GET', `/v1/channels/files/${connection}/files`)
    expect(listed.body.items.map((one) => one.id)).toEqual([id])
    expectProblem(await shop.call('GET', `/v1/channels/files/other/files/${id}`), 404, 'unknown_file')
  })
})

/** A folder that is watched for a server, by its own calls. */
async function watched(connection: string, folder: string, server = shop.server): Promise<Record<string, string>> {
  const client = await DoorbusterClient.connect(server.url, { deadlineMs: 5_000 })
  const moved: Record<string, string> = {}
  const said = { info() {}, warn() {}, error() {} }
  const watch = await WatchedFolder.start({
    folder,
    connection,
    settings: { currency: 'GBP' },
    call: (name, input) => client.command(name, input, { repeatable: true }),
    logger: said,
    stableMs: 200,
    onMoved: (name, to) => {
      moved[name] = to
    },
  })
  whenDone(async () => {
    client.close()
    await watch.stop()
  })
  return moved
}
const inFolder = (folder: string) => readdirSync(folder).sort()
const reportIn = (path: string): Report => JSON.parse(readFileSync(`${path}.report.json`, 'utf8'))

describe('a watched folder', () => {
  test('takes what is there and what comes, and moves each file with its report', async () => {
    const [folder, connection] = [temporaryDirectory(), newConnection()]
    writeFileSync(join(folder, 'there.csv'), [HEAD, row('1', 'TEE')].join('\n'))
    const moved = await watched(connection, folder)
    await vi.waitFor(() => expect(moved).toEqual({ 'there.csv': 'done' }), 10_000)
    writeFileSync(join(folder, '.half.csv'), [HEAD, row('2', 'TEE'), row('3', 'TEE', 0)].join('\n'))
    renameSync(join(folder, '.half.csv'), join(folder, 'comes.csv'))
    writeFileSync(join(folder, 'bad.csv'), 'sku\nTEE\n')
    writeFileSync(join(folder, 'bytes.csv'), Buffer.from([0x61, 0xff, 0xfe, 0x0a]))
    writeFileSync(join(folder, 'notes.txt'), 'nothing of ours')
    await vi.waitFor(
      () =>
        expect(moved).toEqual({ 'there.csv': 'done', 'comes.csv': 'done', 'bad.csv': 'failed', 'bytes.csv': 'failed' }),
      10_000,
    )
    expect(inFolder(folder)).toEqual(['done', 'failed', 'notes.txt'])
    expect(inFolder(join(folder, 'done'))).toEqual([
      'comes.csv',
      'comes.csv.report.csv',
      'comes.csv.report.json',
      'there.csv',
      'there.csv.report.csv',
      'there.csv.report.json',
    ])
    expect(reportIn(join(folder, 'done', 'comes.csv'))).toMatchObject({ imported: 1, badLines: [{ line: 3 }] })
    expect(reportIn(join(folder, 'failed', 'bad.csv')).badLines[0]!.reason).toContain('no column externalId')
    expect(reportIn(join(folder, 'failed', 'bytes.csv')).badLines[0]!.reason).toContain('UTF-8')
    expect((await ordersOf(connection)).map(({ externalId }) => externalId)).toEqual(['1', '2'])
  })

  test('waits for a file that is still being written', async () => {
    const [folder, connection] = [temporaryDirectory(), newConnection()]
    const moved = await watched(connection, folder)
    const path = join(folder, 'slow.csv')
    writeFileSync(path, `${HEAD}\n`)
    for (let number = 0; number < 20; number++) {
      writeFileSync(path, `${row(`${number}`, 'TEE')}\n`, { flag: 'a' })
      await new Promise((done) => setTimeout(done, 50))
    }
    await vi.waitFor(() => expect(moved).toEqual({ 'slow.csv': 'done' }), 10_000)
    expect(reportIn(join(folder, 'done', 'slow.csv'))).toMatchObject({ lines: 20, imported: 20 })
  })

  test('refuses what leads out of it, and keeps two files of one name', async () => {
    const [folder, outside, connection] = [temporaryDirectory(), temporaryDirectory(), newConnection()]
    writeFileSync(join(outside, 'secret.csv'), [HEAD, row('1', 'TEE')].join('\n'))
    symlinkSync(join(outside, 'secret.csv'), join(folder, 'link.csv'))
    const moved = await watched(connection, folder)
    await vi.waitFor(() => expect(moved).toEqual({ 'link.csv': 'failed' }), 10_000)
    expect(reportIn(join(folder, 'failed', 'link.csv')).badLines[0]!.reason).toContain('symbolic link')
    expect(inFolder(outside)).toEqual(['secret.csv'])
    expect(await ordersOf(connection)).toEqual([])
    for (const number of ['1', '2']) {
      writeFileSync(join(folder, 'daily.csv'), [HEAD, row(number, 'TEE')].join('\n'))
      await vi.waitFor(() => expect(inFolder(folder)).toEqual(['done', 'failed']), 10_000)
    }
    expect(inFolder(join(folder, 'done')).filter((name) => name.endsWith('.csv') && !name.includes('report'))).toEqual([
      'daily.2.csv',
      'daily.csv',
    ])
    const trap = temporaryDirectory()
    symlinkSync(outside, join(trap, 'done'))
    await expect(watched(newConnection(), trap)).rejects.toThrow('done')
  })

  test('takes a file up again that a crash cut off, and does no line twice', async () => {
    const [folder, connection] = [temporaryDirectory(), newConnection()]
    const server = await TestServer.start()
    await stockUp(server.url, ['TEE'], 100_000)
    const rows = Array.from({ length: 3_000 }, (_, i) => row(`${10_000 + i}`, 'TEE'))
    const before = await watched(connection, folder, server)
    mkdirSync(join(folder, 'done'), { recursive: true })
    writeFileSync(join(folder, 'big.csv'), [HEAD, ...rows].join('\n'))
    const count = async (one: TestServer) => (await ordersOf(connection, one)).length
    await vi.waitFor(async () => expect(await count(server)).toBeGreaterThan(100), 20_000)
    await server.kill()
    expect(before).toEqual({})
    expect(inFolder(folder)).toContain('big.csv')
    const again = await TestServer.start({ dataDir: server.dataDir })
    const placedBefore = await again.call<Record<string, number>>('GET', '/v1/order-counts')
    const early = Object.values(placedBefore.body).reduce((sum, one) => sum + one, 0)
    const moved = await watched(connection, folder, again)
    await vi.waitFor(() => expect(moved).toEqual({ 'big.csv': 'done' }), 60_000)
    const report = reportIn(join(folder, 'done', 'big.csv'))
    expect(report).toMatchObject({ imported: 3_000 - early, repeated: early, bad: 0 })
    const counts = await again.call<Record<string, number>>('GET', '/v1/order-counts')
    expect(Object.values(counts.body).reduce((sum, one) => sum + one, 0)).toBe(3_000)
  }, 120_000)
})

test('an order that the file of one day and that of the next both have is placed once', async () => {
  const connection = newConnection()
  const number = randomUUID()
  await take(connection, [HEAD, row(number, 'TEE')].join('\n'), { name: 'monday.csv' })
  const report = await take(connection, [HEAD, row(number, 'TEE', 9)].join('\n'), { name: 'tuesday.csv' })
  expect(report).toMatchObject({ imported: 0, repeated: 1 })
  expect((await ordersOf(connection)).map(({ lines }) => lines[0]!.quantity)).toEqual([1])
})
