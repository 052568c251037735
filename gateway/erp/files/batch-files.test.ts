import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import { expect, test } from 'vitest'
import { type ErpHome, erpLinkContract } from '../erp-link.contract.js'
import { BatchFiles } from './batch-files.js'

async function home(): Promise<ErpHome> {
  const dataDir = await mkdtemp(join(tmpdir(), 'erp-'))
  const outbox = join(dataDir, 'erp', 'outbox')
  const inbox = join(dataDir, 'erp', 'inbox')
  return {
    link: new BatchFiles(dataDir),
    async received() {
      const names = (await readdir(outbox)).sort()
      expect(names.filter((name) => !name.endsWith('.csv'))).toEqual([])
      const files = await Promise.all(names.map((name) => readFile(join(outbox, name), 'utf8')))
      return files.flatMap((text) =>
        (parse(text, { columns: true }) as Record<string, string>[]).map((row) => {
          const { entry = '', account = '', debit, credit, unitsIn, unitsOut } = row
          if (debit || credit) return { entry, account, amount: debit || `-${credit}` }
          return { entry, account, units: unitsIn ? Number(unitsIn) : -Number(unitsOut) }
        }),
      )
    },
    async believe(rows) {
      await mkdir(inbox, { recursive: true })
      const text = rows === 'nonsense' ? 'sku,location,onHand\nTEE,W1,many\n' : stringify([...rows], { header: true })
      const file = join(inbox, 'stock.csv')
      await writeFile(file, text)
      // Written a while ago: what is still being written is no snapshot.
      await utimes(file, new Date(), new Date(Date.now() - 60_000))
    },
    async breakDown() {
      await mkdir(join(outbox, '..'), { recursive: true })
      // Where the folder should be there is a file.
      await writeFile(outbox, '')
    },
    mend: () => rm(outbox),
    close: () => rm(dataDir, { recursive: true }),
  }
}

erpLinkContract('files', home)

test('what is still being written is no snapshot, and the newest file is the one that counts', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'erp-'))
  try {
    const link = new BatchFiles(dataDir)
    expect(await link.snapshot()).toBeUndefined()
    const inbox = join(dataDir, 'erp', 'inbox')
    const put = async (name: string, seconds: number) => {
      await writeFile(join(inbox, name), 'sku,location,onHand\nTEE,W1,1\n')
      await utimes(join(inbox, name), new Date(), new Date(Date.now() - seconds * 1_000))
    }
    await put('fresh.csv', 0)
    expect(await link.snapshot()).toBeUndefined()
    await put('yesterday.csv', 86_400)
    await put('today.csv', 60)
    expect((await link.snapshot())?.id).toMatch(/^today\.csv@/)
  } finally {
    await rm(dataDir, { recursive: true })
  }
})
