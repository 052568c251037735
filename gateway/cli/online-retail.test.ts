import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type ParsePiece, readHistory } from './history-file.js'
import { classify, customerNumber, dateReader, isGoods, parsePiece, readLayout } from './online-retail.js'

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'
const layout = readLayout(HEADER.split(','))
const readDate = dateReader()
const record = (invoice: string, code: string, quantity: string, date = '2010-12-01 08:26:00') =>
  classify([invoice, code, 'LANTERN', quantity, date, '3.39', '17850.0', 'United Kingdom'], layout, readDate)

const parseHere: ParsePiece = async ({ bytes, layout, isFirst }) => parsePiece(Buffer.from(bytes), layout, isFirst)

describe('a line of the Online Retail layout', () => {
  it('is a sale when its code is of goods and its quantity positive', () => {
    expect(record('536365', '85123A', '6')).toEqual({
      kind: 'sale',
      sku: '85123A',
      quantity: 6,
      atMs: Date.UTC(2010, 11, 1, 8, 26),
    })
    expect(record('536365', 'DCGS0076', '1')).toMatchObject({ kind: 'sale' })
  })

  it('is a cancellation when its invoice begins with C, with the quantity that comes back', () => {
    expect(record('C536379', '85123A', '-2')).toMatchObject({ kind: 'cancellation', quantity: 2 })
    expect(record('C536379', '85123A', '2')).toMatchObject({
      kind: 'bad',
      reason: 'cancellation with a positive Quantity',
    })
  })

  it('is a write-off when stock goes without an invoice of cancellation', () => {
    expect(record('536589', '21777', '-10')).toMatchObject({ kind: 'writeOff' })
  })

  it.each(['POST', 'D', 'M', 'm', 'DOT', 'BANK CHARGES', 'AMAZONFEE', 'CRUK', 'PADS', 'S', 'C2', 'B', 'gift_0001_40'])(
    'is a charge when its code is %s',
    (code) => {
      expect(isGoods(code)).toBe(false)
      expect(record('536370', code, '3')).toEqual({ kind: 'charge', code })
      expect(record('C536370', code, '-1')).toEqual({ kind: 'charge', code })
    },
  )

  it.each([
    [record('', '85123A', '1'), 'no InvoiceNo'],
    [record('1', '', '1'), 'no StockCode'],
    [record('1', '85123A', ''), 'no Quantity'],
    [record('1', '85123A', '0'), 'Quantity is not an integer other than 0'],
    [record('1', '85123A', '1.5'), 'Quantity is not an integer other than 0'],
    [record('1', '85123A', '99999999999'), 'Quantity is not an integer other than 0'],
    [record('1', '85123A', '1', ''), 'no InvoiceDate'],
    [record('1', '85123A', '1', '2010-13-01'), 'InvoiceDate is not a date'],
    [classify(['1', '85123A'], layout, readDate), 'wrong number of fields'],
  ])('is bad, with a reason, when it makes no sense', (meaning, reason) => {
    expect(meaning).toEqual({ kind: 'bad', reason })
  })

  it('may write its date as the first edition did', () => {
    expect(record('1', '85123A', '1', '12/1/2010 8:26')).toMatchObject({ atMs: Date.UTC(2010, 11, 1, 8, 26) })
  })

  it('names its customer by a number, with or without a decimal point, by text, or not at all', () => {
    expect([customerNumber('17850.0'), customerNumber('17850'), customerNumber('')]).toEqual([17850, 17850, 0])
    expect(customerNumber('ACME')).toBeGreaterThan(2 ** 32)
  })
})

describe('a file of history', () => {
  it('may order its columns as it likes, and says which are missing', () => {
    expect(readLayout(['Quantity', 'stockcode', 'Invoice', 'InvoiceDate'])).toMatchObject({
      invoice: 2,
      sku: 1,
      customer: -1,
    })
    expect(() => readLayout(['sku', 'Quantity'])).toThrow('no column InvoiceNo, StockCode, InvoiceDate')
  })

  it('is read with the number of each line, articles named by their priced lines, and all else counted', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'doorbuster-history-'))
    const path = join(directory, 'history.csv.gz')
    const lines = [
      HEADER,
      '1,22752,damaged,3,2010-12-01 08:26:00,0.0,,United Kingdom',
      '1,22752,"NESTING BOXES, 7""",4,2010-12-01 08:26:00,7.65,17850.0,United Kingdom',
      '2,22752,"two\nlines",x,2010-12-01 08:27:00,7.65,17850.0,United Kingdom',
      'C3,22752,NESTING BOXES,-4,2010-12-02 08:26:00,7.65,17850.0,United Kingdom',
      '4,POST,POSTAGE,1,2010-12-02 08:26:00,18.0,17850.0,France',
      '5,22752,,-9,2010-12-02 08:26:00,0.0,,United Kingdom',
      '6,22752,short',
      '7,22752,"an open quote,1,2010-12-02 08:26:00,1.0,,',
    ]
    await writeFile(path, gzipSync(lines.join('\r\n')))
    try {
      const history = await readHistory(path, parseHere)
      expect(history).toMatchObject({ lines: 8, length: 3, sales: 2, writeOffs: 1 })
      expect(history.articles).toEqual([{ sku: '22752', name: 'NESTING BOXES, 7"', price: '7.65' }])
      expect([...history.demand]).toEqual([7])
      expect([...history.lineNumbers]).toEqual([2, 3, 6])
      expect([...history.charges]).toEqual([['POST', 1]])
      expect(history.badExamples).toEqual([
        { line: 5, reason: 'Quantity is not an integer other than 0' },
        { line: 9, reason: 'wrong number of fields' },
        { line: 10, reason: 'a quote is left open' },
      ])
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  const real = fileURLToPath(new URL('../../../shared/data/online-retail-2010-12-to-2011-09.csv.gz', import.meta.url))
  it.skipIf(!existsSync(real))('of a real retailer has every line accounted for', async () => {
    const history = await readHistory(real, parseHere)
    const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0)
    expect(history.lines).toBe(370_931)
    expect(history.length + sum(history.charges) + sum(history.badLines) + history.writeOffs).toBe(history.lines)
    expect(history.badLines.size).toBe(0)
    expect(history.sales).toBeGreaterThan(360_000)
    expect([...history.charges.keys()]).not.toContain('DCGS0076')
  })
})
