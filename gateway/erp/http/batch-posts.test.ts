import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { OutwardClient } from '../../outward/outward-http.js'
import type { EntryView } from '../entry.js'
import { type ErpHome, erpLinkContract } from '../erp-link.contract.js'
import { BatchPosts } from './batch-posts.js'

interface HttpHome extends ErpHome {
  tokens: (string | undefined)[]
}

async function home(): Promise<HttpHome> {
  const batches = new Map<string, EntryView[]>()
  const tokens: (string | undefined)[] = []
  let isDown = false
  let belief: unknown
  const server = createServer((request, response) => {
    tokens.push(request.headers.authorization)
    void text(request).then((body) => {
      if (isDown) return response.writeHead(503).end()
      if (request.method === 'GET') return response.writeHead(200).end(JSON.stringify(belief))
      // As an ERP that takes a key once.
      const key = String(request.headers['idempotency-key'])
      if (!batches.has(key)) batches.set(key, (JSON.parse(body) as { entries: EntryView[] }).entries)
      return response.writeHead(200).end()
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const client = new OutwardClient({ policy: { allowHttp: true, allowed: ['127.0.0.1'] } })
  return {
    link: new BatchPosts(client, { url, snapshotUrl: `${url}stock`, token: 'secret' }),
    tokens,
    async received() {
      return [...batches.values()].flat().flatMap(({ id, lines, units }) => [
        ...lines.map(({ account, debit, credit }) => ({
          entry: id,
          account,
          amount: debit ? debit.amount : `-${credit!.amount}`,
        })),
        ...units.map((line) => ({ entry: id, account: line.account, units: line.in ?? -line.out! })),
      ])
    },
    async believe(rows) {
      belief = { at: '2026-03-01T10:00:00Z', snapshot: rows === 'nonsense' ? [{ sku: 'TEE', onHand: 'many' }] : rows }
    },
    async breakDown() {
      isDown = true
    },
    async mend() {
      isDown = false
    },
    async close() {
      await client.close()
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

erpLinkContract('HTTP', home)

test('the token goes along with each call', async () => {
  const { link, tokens, believe, close } = await home()
  await link.deliver({ id: '0-1--0-1', entries: [] })
  await believe([])
  await link.snapshot()
  await close()
  expect(tokens).toEqual(['Bearer secret', 'Bearer secret'])
})
