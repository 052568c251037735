import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { StockServer } from '../client/stock-server.contract.js'
import { bodyOf, detectKind, readColumns, readItem } from '../import/import-kinds.js'
import { demoLocations } from './demo-network.js'
import { type ImportOptions, type ImportReport, importFile } from './import.js'

describe('what a file holds', () => {
  it.each([
    [['SKU', 'Location', 'On Hand', 'safety_stock'], 'stock'],
    [['sku', 'name', 'price'], 'products'],
    [['id', 'name', 'type', 'city'], 'locations'],
    [['id', 'lines'], 'orders'],
    [['channel', 'externalId', 'sku'], 'orders'],
  ])('is told by its fields: %s', (fields, kind) => {
    expect(detectKind(fields)).toBe(kind)
  })

  it('is not guessed', () => {
    expect(() => detectKind(['a', 'b'])).toThrow('cannot tell what the fields a, b are; say --kind')
  })
})

describe('a record of CSV', () => {
  it('becomes a product, with its price, attributes and kit', () => {
    const columns = readColumns(
      ['sku', 'name', 'price', 'currency', 'weight_grams', 'attributes.colour', 'kit', 'shelf'],
      'products',
    )
    expect(columns.ignored).toEqual(['shelf'])
    const body = bodyOf(['TEE-RED', ' Red tee ', '12.50', 'GBP', '180', 'red', 'TEE:1; BOX:2', 'A7'], columns)
    expect(body).toEqual({
      sku: 'TEE-RED',
      name: 'Red tee',
      price: { amount: '12.50', currency: 'GBP' },
      weightGrams: 180,
      attributes: { colour: 'red' },
      kit: [
        { sku: 'TEE', quantity: 1 },
        { sku: 'BOX', quantity: 2 },
      ],
    })
    expect(readItem('products', body)).toEqual({ item: body })
  })

  it('becomes a location, with short names for the parts of its address', () => {
    const columns = readColumns(
      ['id', 'type', 'city', 'Post Code', 'handling cost', 'currency', 'active', 'priority'],
      'locations',
    )
    expect(bodyOf(['L1', 'store', 'Leeds', 'LS1 6AS', '1.95', 'GBP', 'no', '3'], columns)).toEqual({
      id: 'L1',
      type: 'store',
      address: { city: 'Leeds', postalCode: 'LS1 6AS' },
      handlingCost: { amount: '1.95', currency: 'GBP' },
      active: false,
      priority: 3,
    })
  })

  it('is bad, with the field and the reason, when a number is none', () => {
    const columns = readColumns(['sku', 'location', 'onHand'], 'stock')
    const read = readItem('stock', bodyOf(['TEE', 'L1', 'many'], columns))
    expect(read).toMatchObject({ reason: expect.stringContaining('onHand: ') })
    expect(readItem('stock', bodyOf(['TEE', '', '5'], columns))).toEqual({ reason: 'location is missing' })
  })
})

describe('importing a file', () => {
  const server = new StockServer()
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'doorbuster-import-'))
    await server.listening()
  })
  afterAll(async () => {
    await server.stop()
    await rm(directory, { recursive: true })
  })
  afterEach(() => {
    server.interceptControl = undefined
    server.control.length = 0
    vi.restoreAllMocks()
  })

  async function run(name: string, content: string | Buffer, options: Partial<ImportOptions> = {}) {
    const file = join(directory, name)
    await writeFile(file, content)
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const code = await importFile({ file, url: server.url, json: true, ...options })
    const output = written.mock.calls.map(([text]) => String(text)).join('')
    written.mockRestore()
    return { code, report: JSON.parse(output) as ImportReport }
  }

  /** Answers commands as the server does; `answer` gives the reply's status and body. */
  function answering(
    answer: (name: string, body: Record<string, unknown[]>) => { status: number; body: unknown },
  ): void {
    server.interceptControl = ({ op, ref, name, body }, socket) => {
      if (op !== 'command') return false
      server.send(socket, { op: 'reply', ref, ...answer(String(name), body as Record<string, unknown[]>) })
      return true
    }
  }

  it('takes products in commands of at most 500 and reports bad lines by their number', async () => {
    answering((_name, body) => ({ status: 200, body: { indices: body.products?.map((_, i) => i) } }))
    const lines = ['sku,name,price,currency']
    for (let i = 0; i < 1_200; i++) lines.push(`SKU-${i},"Article ${i}, ""new""",9.99,GBP`)
    lines[101] = 'SKU-100,,9.99,GBP'
    lines[301] = 'SKU-300,too,many,fields,here'
    const { code, report } = await run('catalogue.csv.gz', gzipSync(lines.join('\n')))
    expect(code).toBe(0)
    expect(report).toMatchObject({ kind: 'products', lines: 1_200, imported: 1_198, bad: 2 })
    expect(report.badLines.map(({ line }) => line)).toEqual([102, 302])
    expect(server.control.map(({ body }) => (body as { products: unknown[] }).products.length)).toEqual([500, 500, 198])
  })

  it('takes stock as JSON lines and names what the server refuses of it', async () => {
    answering((_name, body) => ({
      status: 200,
      body: {
        results: body.items?.map((_, i) =>
          i === 1 ? { status: 404, code: 'unknown_sku', detail: 'no such SKU' } : { status: 200 },
        ),
      },
    }))
    const content = '{"sku":"A","location":"L1","onHand":5}\n{"sku":"B","location":"L1","onHand":5}\n\nnot json\n[1]\n'
    const { code, report } = await run('stock.jsonl', content)
    expect(code).toBe(0)
    expect(report).toMatchObject({ kind: 'stock', lines: 4, imported: 1, bad: 3 })
    expect(report.badLines.map(({ line }) => line)).toEqual([2, 4, 5])
    expect(report.badLines[0]?.reason).toBe('unknown_sku: no such SKU')
    expect((await run('stock.jsonl', content, { strict: true })).code).toBe(1)
  })

  it('takes the locations of the demonstration, all 25', async () => {
    answering(() => ({ status: 200, body: {} }))
    const { report } = await run('places.ndjson', demoLocations.map((place) => JSON.stringify(place)).join('\r\n'))
    expect(report).toMatchObject({ kind: 'locations', imported: 25, bad: 0 })
    expect(server.control.every(({ name }) => name === 'location.put')).toBe(true)
  })

  it('takes orders, of which a row of CSV is a line', async () => {
    answering((_name, body) => ({
      status: 200,
      body: { results: (body as { orders: { externalId: string }[] }).orders.map(() => ({ status: 201 })) },
    }))
    const head = 'channel,externalId,currency,customer,line1,city,postcode,country,sku,quantity,price'
    const row = (externalId: string, sku: string, quantity: string) =>
      `edi,${externalId},GBP,A Buyer,2 High Street,York,YO1 7HH,GB,${sku},${quantity},9.99`
    const content = [head, row('1', 'A', '2'), row('1', 'B', '1'), row('2', 'A', '0'), row('3', 'A', '1')].join('\n')
    const { report } = await run('orders.csv', content)
    expect(report).toMatchObject({ kind: 'orders', lines: 3, imported: 2, bad: 1 })
    expect(report.badLines[0]).toMatchObject({ line: 4 })
    const { orders } = server.control[0]!.body as { orders: { externalId: string; lines: object[] }[] }
    const unitPrice = { amount: '9.99', currency: 'GBP' }
    expect(orders.map(({ externalId, lines }) => [externalId, lines])).toEqual([
      [
        '1',
        [
          { sku: 'A', quantity: 2, unitPrice },
          { sku: 'B', quantity: 1, unitPrice },
        ],
      ],
      ['3', [{ sku: 'A', quantity: 1, unitPrice }]],
    ])
    const free = content.replaceAll(',9.99', ',')
    expect((await run('free.csv', free)).report.badLines[0]).toMatchObject({ reason: 'lines.0.unitPrice is missing' })
  })

  it('puts rows of one order together wherever they stand, and leaves out an order of which a row is bad', async () => {
    answering((_name, body) => ({
      status: 200,
      body: { results: (body as { orders: unknown[] }).orders.map(() => ({ status: 201 })) },
    }))
    const head = 'channel,externalId,currency,customer,line1,city,postcode,country,sku,quantity,price'
    const row = (externalId: string, sku: string, street = '2 High Street') =>
      `edi,${externalId},GBP,A Buyer,${street},York,YO1 7HH,GB,${sku},1,9.99`
    const rows = [row('1', 'A'), row('2', 'A'), row('1', 'B'), row('3', 'A'), row('2', 'B', 'Elsewhere'), row('1', 'C')]
    rows.push(`${row('3', 'B')},too much`)
    const { report } = await run('apart.csv', [head, ...rows].join('\n'))
    expect(report).toMatchObject({ imported: 1, bad: 4 })
    expect(report.badLines).toEqual([
      { line: 3, reason: 'left out: line 6 of its order is bad' },
      { line: 5, reason: 'left out: line 8 of its order is bad' },
      { line: 6, reason: 'shipTo: not as in the first row of the order' },
      { line: 8, reason: '12 fields where the header has 11' },
    ])
    const { orders } = server.control[0]!.body as { orders: { externalId: string; lines: { sku: string }[] }[] }
    expect(orders.map(({ externalId, lines }) => [externalId, lines.map(({ sku }) => sku)])).toEqual([
      ['1', ['A', 'B', 'C']],
    ])
  })

  it('sends the rest again when a whole command is refused for one item', async () => {
    answering((_name, body) =>
      body.products?.some((product) => (product as { sku: string }).sku === 'B')
        ? { status: 400, body: { code: 'invalid', errors: [{ path: 'products.1.name', message: 'is taken' }] } }
        : { status: 200, body: { indices: [] } },
    )
    const { report } = await run('catalogue.csv', 'sku,name\nA,a\nB,b\nC,c\n')
    expect(report).toMatchObject({ imported: 2, bad: 1, badLines: [{ line: 3, reason: 'products.1.name: is taken' }] })
  })

  it('tries again what the server is too busy for', async () => {
    let calls = 0
    answering(() =>
      ++calls === 1 ? { status: 503, body: { code: 'overloaded' } } : { status: 200, body: { indices: [0] } },
    )
    const { code, report } = await run('catalogue.csv', 'sku,name\nA,a\n')
    expect([code, report.imported, calls]).toEqual([0, 1, 2])
  })

  it('ends with 1 when nothing could be imported, and with a sentence when the file is of no use', async () => {
    expect((await run('bad.csv', 'sku,name\nA,\n')).code).toBe(1)
    await expect(run('empty.csv', '')).rejects.toThrow('has no lines to import')
    await expect(run('catalogue.xlsx', 'x')).rejects.toThrow('.csv, .jsonl, .ndjson or .json')
    await expect(run('broken.csv.gz', 'not gzip')).rejects.toThrow('not gzip or is damaged')
  })
})
