/** The life of one order over all neighbours, run as the README's readers run it. */
import { expect, test } from 'vitest'
import { run } from './support/command-line.js'
import { Shop } from './support/shop.js'

const shop = Shop.open()

test('an order from Shopify is split, picked short, sourced again, shipped, told of, returned in part, and balances', async () => {
  const { code, stdout, stderr } = await run(['story', '--url', shop.server.url])
  expect({ code, stderr, stdout }).toMatchObject({ code: 0, stderr: '' })
  expect(stdout).toContain('the other store sends it')
  expect(stdout).toContain('of three pieces the customer has two, by the journal')
  expect(stdout).toContain('All went as it should.')
})
