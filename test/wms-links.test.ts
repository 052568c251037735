/** One table of cases for every way to a warehouse: it is told of orders and changes, and what it says it sent is sent once. */
import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { place as placeFields } from './support/catalogue.js'
import { natsServerPath } from './support/nats-server.js'
import { byEdi, byNats, byWebhooks, toldOnce, type Warehouse, type Way } from './support/warehouses.js'

const WAIT = { timeout: 20_000, interval: 50 }

interface OrderDocument {
  id: string
  lines: { units: Record<string, number> }[]
  fulfillments: { status: string; carrier?: string; packages: object[] }[]
}

const WAYS: [name: string, open: () => Promise<Way>, isThere: boolean][] = [
  ['webhooks and REST', byWebhooks, true],
  ['NATS (nats-server 2.12 or newer; test/setup.sh installs it)', byNats, natsServerPath !== undefined],
  ['940 and 945', byEdi, true],
]

for (const [name, open, isThere] of WAYS) {
  describe.skipIf(!isThere)(`a warehouse by ${name}`, () => {
    let way: Way
    let warehouse: Warehouse
    let sku: string
    let location: string
    beforeAll(async () => {
      way = await open()
      ;({ warehouse, sku, location } = await place())
    })

    const call = <Body = object>(method: string, path: string, body?: object) =>
      way.server.call<Body>(method, path, body)

    /** A place of its own with a SKU that is nowhere else, and the warehouse that runs it. */
    async function place() {
      const location = `L${randomUUID().slice(0, 6)}`
      const sku = `SKU-${location}`
      expect((await call('PUT', `/v1/locations/${location}`, placeFields(location))).status).toBe(200)
      expect((await call('PUT', `/v1/products/${sku}`, { name: 'Own' })).status).toBe(200)
      expect((await call('PUT', `/v1/inventory/${sku}/${location}`, { onHand: 100 })).status).toBe(200)
      return { location, sku, warehouse: await way.open(location) }
    }

    async function order(quantity: number): Promise<string> {
      const { status, body } = await call<{ id: string }>('POST', '/v1/orders', {
        channel: 'web',
        currency: 'GBP',
        customer: { name: 'Ada Byron' },
        shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
        lines: [{ sku, quantity, unitPrice: { amount: '5.00', currency: 'GBP' } }],
        allowBackorder: true,
      })
      expect(status).toBe(201)
      return body.id
    }
    const read = async (id: string) => (await call<OrderDocument>('GET', `/v1/orders/${id}`)).body
    const onHand = async () => (await way.server.stock(sku)).locations.find((one) => one.location === location)!.onHand
    const shipped = (id: string) =>
      vi.waitFor(async () => {
        const now = await read(id)
        expect(now.fulfillments[0]!.status).toBe('shipped')
        return now
      }, WAIT)

    test('is told what to send, how much of it, and where to', async () => {
      const id = await order(3)
      await toldOnce(warehouse, id, { isCancelled: false, line1: '12 St James Sq', lines: [{ sku, quantity: 3 }] })
    })

    test('is told of what changes, and that it is off', async () => {
      const id = await order(3)
      await toldOnce(warehouse, id, { lines: [{ sku, quantity: 3 }] })
      const less = { reason: 'one less', lines: [{ line: 1, quantity: 1 }] }
      expect((await call('POST', `/v1/orders/${id}/cancel`, less)).status).toBe(200)
      await toldOnce(warehouse, id, { isCancelled: false, lines: [{ sku, quantity: 2 }] })
      expect((await call('POST', `/v1/orders/${id}/cancel`, { reason: 'changed my mind' })).status).toBe(200)
      await toldOnce(warehouse, id, { isCancelled: true })
    })

    test('says what it has sent, with weight and tracking, and however often it says so it is sent once', async () => {
      const id = await order(4)
      await toldOnce(warehouse, id, { lines: [{ sku, quantity: 4 }] })
      const before = await onHand()
      const shipment = { sku, quantity: 4, weightGrams: 1_500, trackingNumber: '1Z77' }
      await warehouse.ship(id, shipment)
      await warehouse.ship(id, shipment, true)
      const { fulfillments, lines } = await shipped(id)
      await warehouse.ship(id, shipment, true)
      expect(fulfillments).toMatchObject([
        { carrier: 'UPSN', packages: [{ weightGrams: 1_500, trackingNumber: '1Z77' }] },
      ])
      expect(lines[0]!.units).toEqual({ shipped: 4 })
      expect(await onHand()).toBe(before - 4)
    })

    test('says that it has found less, and what is missing is neither sent nor on hand', async () => {
      const id = await order(5)
      await toldOnce(warehouse, id, { lines: [{ sku, quantity: 5 }] })
      const before = await onHand()
      await warehouse.ship(id, { sku, quantity: 2, weightGrams: 700, trackingNumber: '1Z78' })
      const { lines } = await shipped(id)
      expect(lines[0]!.units.shipped).toBe(2)
      expect(await onHand()).toBe(before - 5)
    })

    test('knows nothing of what is another one’s to send', async () => {
      const other = await place()
      const id = await order(1)
      await toldOnce(warehouse, id, { lines: [{ sku, quantity: 1 }] })
      expect(await other.warehouse.told(id)).toBeUndefined()
    })
  })
}
