/** The checkout example, run as its readers run it. */
import { expect, test } from 'vitest'
import { run } from './support/command-line.js'
import { Shop } from './support/shop.js'

const shop = Shop.open()

test('the checkout example runs through, step by step, and says that all went as it should', async () => {
  const { code, stdout, stderr } = await run(['checkout-example', '--url', shop.server.url])
  expect(stderr).toBe('')
  expect(stdout).toContain('All went as it should.')
  expect(stdout).toContain('the hold has expired by itself')
  expect(code).toBe(0)
})

test('the checkout example without a server says what to do, and ends with 1', async () => {
  const { code, stderr } = await run(['checkout-example', '--url', 'http://127.0.0.1:1'])
  expect(code).toBe(1)
  expect(stderr).toContain('doorbuster:')
})
