/** Secrets that neighbours are reached with: written, used, and found in no file, answer or output afterwards. */
import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { stockUp } from './support/catalogue.js'
import { run } from './support/command-line.js'
import { advance, DELIVER, placed } from './support/customer-orders.js'
import { filesOf, found } from './support/file-search.js'
import { TestServer, temporaryDirectory, whenDone } from './support/test-server.js'

const WAIT = { timeout: 30_000, interval: 50 }

/** Answers whoever calls, and remembers by what path and with which token. */
async function neighbour(): Promise<{ url: string; heard: { path: string; token: string | undefined }[] }> {
  const heard: { path: string; token: string | undefined }[] = []
  const server = createServer((request, response) => {
    heard.push({ path: request.url!, token: request.headers.authorization })
    request.resume().once('end', () => response.writeHead(200).end())
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  whenDone(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard }
}

test('secrets of a WMS, an ERP, a channel and a webhook are sealed on disk, used after a restart, and never shown', async () => {
  const secret = (): string => `qx${randomUUID()}`
  const [wms, erp, channel] = [secret(), secret(), secret()]
  const webhook = randomBytes(24).toString('base64')
  const secrets = [wms, erp, channel, webhook]
  const { url, heard } = await neighbour()
  const args = ['--partitions', '2', '--threads', '1', '--allow-http', '--allow-address', '127.0.0.1']
  const server = await TestServer.start({ args })
  await stockUp(server.url, ['TEE'], 100)
  const shown: string[] = []
  const put = async (path: string, body: object): Promise<void> => {
    // Answers to a key are kept, too.
    const answer = await server.call('PUT', path, body, { 'idempotency-key': randomUUID() })
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    shown.push(JSON.stringify(answer.body))
  }
  await put('/v1/wms/north', { url: `${url}/wms`, secret: wms, locations: ['W1'] })
  await put('/v1/erp/link', { type: 'http', url: `${url}/erp`, token: erp })
  await put('/v1/channels/woocommerce/woo', { secret: channel })
  await put('/v1/webhooks/events', { url: `${url}/webhook`, events: ['order.*'], secret: `whsec_${webhook}` })
  // Without a secret the one that is there stays.
  await put('/v1/wms/north', { url: `${url}/wms`, locations: ['W1'] })
  for (const path of ['/v1/wms', '/v1/wms/north', '/v1/erp/link', '/v1/channels', '/v1/webhooks']) {
    const answer = await server.call('GET', path)
    expect(answer.status, path).toBe(200)
    shown.push(JSON.stringify(answer.body))
  }
  const backup = join(temporaryDirectory(), 'backup')
  expect((await run(['backup', backup, '--data-dir', server.dataDir, '--url', server.url])).code).toBe(0)
  expect((await server.stop()).code).toBe(0)

  const again = await TestServer.start({ dataDir: server.dataDir, args })
  await advance(again, await placed(again), DELIVER)
  await vi.waitFor(() => {
    const paths = new Set(heard.map(({ path }) => path))
    expect(paths).toEqual(new Set(['/wms', '/erp', '/webhook']))
  }, WAIT)
  expect(heard.find(({ path }) => path === '/erp')?.token).toBe(`Bearer ${erp}`)
  expect((await again.stop()).code).toBe(0)

  for (const directory of [server.dataDir, backup]) {
    for (const file of filesOf(directory)) expect(found(secrets, readFileSync(file)), file).toEqual([])
  }
  const output = [server, again].flatMap(({ stdout, stderr }) => [stdout, stderr])
  expect(found(secrets, Buffer.from([...shown, ...output].join('\n')))).toEqual([])
})
