/** What a channel sees of stock while buyers rush: every change soon, however many there are, in few calls. */
import { randomUUID } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { DoorbusterClient } from '../gateway/client/index.js'
import { stockUp } from './support/catalogue.js'
import { BigCommerceFront } from './support/channels/bigcommerce-front.js'
import { TestServer, whenDone } from './support/test-server.js'

const SKUS = 40
const ON_HAND = 10_000_000
const FRAME = 256
const PROBES = 12
const PATIENCE = { timeout: 20_000, interval: 5 }

test('under load a shop is told of each change soon, of many in few calls, and of the truth in the end', async () => {
  const server = await TestServer.start({ args: ['--allow-http', '--allow-address', '127.0.0.1'] })
  const rushed = Array.from({ length: SKUS }, (_, at) => `RUSH-${at}`)
  const { skus } = await stockUp(server.url, [...rushed, 'PROBE'], ON_HAND)
  const front = new BigCommerceFront()
  await front.connect(server)
  whenDone(() => front.stop())
  await vi.waitFor(() => expect(front.stock.size).toBe(SKUS + 1), PATIENCE)
  const callsBefore = front.stockCalls

  const client = await DoorbusterClient.connect(server.url, { deadlineMs: 30_000 })
  const probing = await DoorbusterClient.connect(server.url, { deadlineMs: 30_000 })
  let isOver = false
  let sold = 0
  const rush = (async () => {
    for (let at = 0; !isOver; ) {
      const frame = Array.from({ length: FRAME }, () => {
        const sku = skus.get(rushed[at++ % SKUS]!)!
        return { id: randomUUID(), sku, quantity: 1 }
      })
      sold += (await client.reserve(frame)).filter(({ status }) => status === 'done').length
    }
  })()
  const seconds: number[] = []
  for (let probe = 1; probe <= PROBES; probe++) {
    const [reply] = await probing.reserve([{ id: randomUUID(), sku: skus.get('PROBE')!, quantity: 1 }])
    expect(reply!.status).toBe('done')
    const startedMs = performance.now()
    await vi.waitFor(() => expect(front.stock.get('PROBE')).toBe(ON_HAND - probe), PATIENCE)
    seconds.push((performance.now() - startedMs) / 1_000)
  }
  isOver = true
  await rush
  client.close()
  probing.close()

  const calls = front.stockCalls - callsBefore
  seconds.sort((a, b) => a - b)
  const [median, most] = [seconds[PROBES / 2]!, seconds.at(-1)!].map((value) => value.toFixed(3))
  process.stdout.write(
    `  ${sold} reservations in ${calls} calls; a change was told after ${median} s, at most ${most}\n`,
  )
  expect(sold).toBeGreaterThan(10 * FRAME)
  // A call has ten SKUs; each look has at most one call for each ten.
  expect(calls).toBeLessThan(sold / 100)
  await vi.waitFor(async () => {
    for (const sku of rushed) expect(front.stock.get(sku)).toBe((await server.stock(sku)).atp)
  }, PATIENCE)
})
