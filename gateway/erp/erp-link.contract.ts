/** The cases that each link to an ERP must pass. A new one says how it is made, what the ERP got, and how it breaks. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EntryView } from './entry.js'
import type { ErpLink, SnapshotRow } from './link.js'

/** A line of an entry as the ERP has it: where, and how much or how many. */
export interface ReceivedLine {
  entry: string
  account: string
  amount?: string
  units?: number
}

export interface ErpHome {
  link: ErpLink
  /** What an ERP has that takes each batch once, by what it is known by. */
  received(): Promise<ReceivedLine[]>
  /** From now on the ERP believes in this stock, or says something that is none. */
  believe(rows: readonly SnapshotRow[] | 'nonsense'): Promise<void>
  /** Nothing gets through until it is mended. */
  breakDown(): Promise<void>
  mend(): Promise<void>
  close(): Promise<void>
}

const pounds = (amount: string) => ({ amount, currency: 'GBP' })

const entry = (number: number, reference = 'F-1'): EntryView => ({
  id: `0-${number}`,
  type: 'invoice',
  at: '2026-03-01T10:00:00.000Z',
  order: 'O-1',
  reference,
  lines: [
    { account: 'receivable', debit: pounds(`${number}.50`) },
    { account: 'revenue', credit: pounds(`${number}.50`) },
  ],
  units: [
    { account: 'customer', sku: 'TEE', in: number },
    { account: 'stock:W1', sku: 'TEE', out: number },
  ],
})

const linesOf = (...numbers: number[]): ReceivedLine[] =>
  numbers.flatMap((number) => [
    { entry: `0-${number}`, account: 'receivable', amount: `${number}.50` },
    { entry: `0-${number}`, account: 'revenue', amount: `-${number}.50` },
    { entry: `0-${number}`, account: 'customer', units: number },
    { entry: `0-${number}`, account: 'stock:W1', units: -number },
  ])

const all = async (rows: AsyncIterable<SnapshotRow> | Iterable<SnapshotRow>): Promise<SnapshotRow[]> => {
  const found: SnapshotRow[] = []
  for await (const row of rows) found.push(row)
  return found
}

export function erpLinkContract(name: string, open: () => Promise<ErpHome>): void {
  describe(`${name}, as every link to an ERP`, () => {
    let home: ErpHome
    beforeEach(async () => {
      home = await open()
    })
    afterEach(() => home.close())

    test('brings every line of every entry, in the order of the journal', async () => {
      await home.link.deliver({ id: '0-1--0-2', entries: [entry(1), entry(2)] })
      await home.link.deliver({ id: '0-3--0-3', entries: [entry(3)] })
      expect(await home.received()).toEqual(linesOf(1, 2, 3))
    })

    test('brings the same batch again as the same, so that it counts once', async () => {
      const batch = { id: '0-1--0-2', entries: [entry(1), entry(2)] }
      for (let times = 0; times < 3; times++) await home.link.deliver(batch)
      await Promise.all([home.link.deliver(batch), home.link.deliver({ id: '0-3--0-3', entries: [entry(3)] })])
      expect(await home.received()).toEqual(linesOf(1, 2, 3))
    })

    test('brings text as it was written, whatever its characters', async () => {
      const reference = 'Größe 5 €, "quoted"; new\nline, 東京'
      await home.link.deliver({ id: '0-1--0-1', entries: [entry(1, reference)] })
      expect(await home.received()).toEqual(linesOf(1))
    })

    test('rejects what did not get through, and brings it when it is tried again', async () => {
      const batch = { id: '0-1--0-1', entries: [entry(1)] }
      await home.breakDown()
      await expect(home.link.deliver(batch)).rejects.toThrow()
      await home.mend()
      await home.link.deliver(batch)
      expect(await home.received()).toEqual(linesOf(1))
    })

    test('gives the stock that the ERP believes in, once it has said so', async () => {
      const rows = [
        { sku: 'TEE', location: 'W1', onHand: 12 },
        { sku: 'a, "b"', location: 'S1', onHand: 0 },
      ]
      await home.believe(rows)
      const snapshot = await home.link.snapshot()
      expect(snapshot?.id).toBeTruthy()
      expect(Number.isFinite(Date.parse(snapshot!.at))).toBe(true)
      expect(await all(snapshot!.rows)).toEqual(rows)
    })

    test('says so where what the ERP says cannot be read', async () => {
      await home.believe('nonsense')
      await expect(home.link.snapshot().then((snapshot) => all(snapshot!.rows))).rejects.toThrow(/snapshot/)
    })
  })
}
