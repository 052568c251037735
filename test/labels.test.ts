/** Labels as warehouses and customers see them: bought once, read by a scanner, on one manifest, followed until they arrive. */
import { randomUUID } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { picturesOf, scan, textsOf } from '../gateway/carriers/labels/scanning.contract.js'
import { isS10, numberedS10 } from '../gateway/carriers/s10.js'
import { serialOf } from '../gateway/carriers/serial.js'
import { SIMULATED } from '../gateway/carriers/simulated/tariff.js'
import { numberedSscc } from '../gateway/carriers/sscc.js'
import { stockUp } from './support/catalogue.js'
import { verify } from './support/command-line.js'
import { expectProblem, Shop } from './support/shop.js'
import { TestServer, temporaryDirectory } from './support/test-server.js'

interface FulfillmentDocument {
  id: string
  status: string
  location: string
  carrier?: string
  trackingNumber?: string
  packages: { weightGrams: number; trackingNumber?: string }[]
}
interface OrderDocument {
  id: string
  status: string
  fulfillments: FulfillmentDocument[]
  timeline: { type: string; detail?: string }[]
}
interface LabelDocument {
  trackingNumber: string
  carrier: string
  service: string
  status: string
  package?: number
  manifest?: string
  cost: { amount: string }
}
interface LabelsDocument {
  fulfillment: string
  status: number
  code?: string
  labels: LabelDocument[]
}
interface TrackingDocument extends LabelDocument {
  events: { id: string; type: string; at: string }[]
}
interface ManifestDocument {
  id: string
  parcels: number
  trackingNumbers: string[]
}
type Server = Pick<TestServer, 'call' | 'url'>

const ADA = { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' }

/** An order of one SKU that is sourced: its fulfillment. */
async function ordered(
  server: Server,
  fields: Record<string, unknown> = {},
  sku = 'TEE',
): Promise<FulfillmentDocument> {
  const { status, body } = await server.call<OrderDocument>('POST', '/v1/orders', {
    channel: 'web',
    externalId: randomUUID(),
    currency: 'GBP',
    customer: { name: 'Ada Byron', email: 'ada@example.com' },
    shipTo: ADA,
    lines: [{ sku, quantity: 1, unitPrice: { amount: '10.00', currency: 'GBP' } }],
    ...fields,
  })
  expect({ status, body }).toMatchObject({ status: 201 })
  return vi.waitFor(async () => {
    const { fulfillments } = (await server.call<OrderDocument>('GET', `/v1/orders/${body.id}`)).body
    expect(fulfillments).toHaveLength(1)
    return fulfillments[0]!
  }, 10_000)
}

const buy = (server: Server, id: string, body: object = {}) =>
  server.call<LabelsDocument>('POST', `/v1/fulfillments/${id}/labels`, body)

async function advance(server: Server, id: string, actions: readonly string[]): Promise<FulfillmentDocument> {
  let last: FulfillmentDocument | undefined
  for (const action of actions) {
    const { status, body } = await server.call<FulfillmentDocument>('POST', `/v1/fulfillments/${id}/${action}`, {})
    expect({ action, status, body }).toMatchObject({ status: 200 })
    last = body
  }
  return last!
}

async function bytes(server: Server, path: string, type: string): Promise<Uint8Array> {
  const response = await fetch(server.url + path)
  const body = new Uint8Array(await response.arrayBuffer())
  expect({ status: response.status, type: response.headers.get('content-type') }).toEqual({ status: 200, type })
  return body
}
const pdf = (server: Server, path: string) => bytes(server, path, 'application/pdf')

/** What a scanner reads on each page. */
const scanned = async (document: Uint8Array) =>
  (await Promise.all((await picturesOf(document)).map(scan))).map((page) => page.map(({ text }) => text))

const orderOf = (fulfillment: string): string => fulfillment.replace(/-\d+$/, '')

describe('A label', () => {
  const shop = Shop.open()

  test('is bought once, however often and by how many it is asked for', async () => {
    const { id } = await ordered(shop.server)
    const answers = await Promise.all(Array.from({ length: 8 }, () => buy(shop.server, id)))
    expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThan(0)
    const again = await buy(shop.server, id, { service: 'express' })
    expect(again.status).toBe(200)
    const numbers = [...answers, again].map(({ body }) => body.labels.map(({ trackingNumber }) => trackingNumber))
    expect(new Set(numbers.flat()).size).toBe(1)
    const tracking = await shop.call<TrackingDocument>('GET', `/v1/tracking/${numbers[0]![0]}`)
    expect(tracking).toMatchObject({ status: 200, body: { status: 'bought', fulfillment: id, package: 1, events: [] } })
  })

  test('is read back by a scanner, and its text tells who gets the parcel', async () => {
    const { id } = await ordered(shop.server)
    const { body } = await buy(shop.server, id, {
      service: 'parcel',
      packages: [{ weightGrams: 900 }, { weightGrams: 700 }],
    })
    const numbers = body.labels.map(({ trackingNumber }) => trackingNumber)
    expect(new Set(numbers).size).toBe(2)
    const document = await pdf(shop.server, `/v1/fulfillments/${id}/label.pdf`)
    expect(await scanned(document)).toEqual(numbers.map((number) => ['420SW1Y4LB', `00${number}`]))
    for (const page of await textsOf(document)) {
      expect(page).toEqual(expect.arrayContaining(['Ada Byron', '12 St James Sq']))
    }
    const zpl = new TextDecoder().decode(
      await bytes(shop.server, `/v1/fulfillments/${id}/label.zpl`, 'application/zpl'),
    )
    expect(zpl.match(/\^XA/g)).toHaveLength(2)
    expect(zpl).toContain('Ada Byron')
  })

  test('of many fulfillments is in one PDF, and one that has none is named instead', async () => {
    const [first, second, without] = await Promise.all([1, 2, 3].map(() => ordered(shop.server)))
    const ids = [first!.id, second!.id]
    const bulk = await shop.call<{ results: LabelsDocument[] }>('POST', '/v1/bulk/labels', {
      fulfillments: [...ids, 'nothing-1'],
      service: 'post',
    })
    expect(bulk.body.results.map(({ fulfillment, status, code }) => [fulfillment, status, code])).toEqual([
      [ids[0], 201, undefined],
      [ids[1], 201, undefined],
      ['nothing-1', 404, 'unknown_fulfillment'],
    ])
    const numbers = bulk.body.results.slice(0, 2).map(({ labels }) => labels[0]!.trackingNumber)
    const document = await pdf(shop.server, `/v1/labels.pdf?fulfillments=${ids.join(',')}`)
    expect(await scanned(document)).toEqual(numbers.map((number) => [number]))
    expectProblem(
      await shop.call('GET', `/v1/labels.pdf?fulfillments=${ids.join(',')},${without!.id}`),
      404,
      'no_label',
    )
    expectProblem(await shop.call('GET', '/v1/labels.pdf?fulfillments=,'), 422, 'invalid')
  })

  test('tells who ships it the carrier and the number of each package', async () => {
    const { id } = await ordered(shop.server)
    expectProblem(await shop.call('POST', `/v1/fulfillments/${id}/ship`, {}), 422, 'invalid')
    const { body } = await buy(shop.server, id, { packages: [{ weightGrams: 900 }, { weightGrams: 700 }] })
    const shipped = await advance(shop.server, id, ['accept', 'pick', 'pack', 'ship'])
    const [first] = body.labels
    expect(shipped).toMatchObject({
      carrier: 'simulated',
      trackingNumber: first!.trackingNumber,
      packages: body.labels.map(({ trackingNumber }, at) => ({ trackingNumber, weightGrams: [900, 700][at] })),
    })
    expectProblem(await shop.call('POST', `/v1/labels/${first!.trackingNumber}/void`), 409, 'label_in_use')
    expect((await buy(shop.server, id)).body.labels).toHaveLength(2)
  })

  test('that was voided is not printed, and another one may be bought', async () => {
    const { id } = await ordered(shop.server)
    const [first] = (await buy(shop.server, id)).body.labels
    const path = `/v1/labels/${first!.trackingNumber}/void`
    expect((await shop.call<LabelDocument>('POST', path)).body).toMatchObject({ status: 'void' })
    expect((await shop.call<LabelDocument>('POST', path)).body).toMatchObject({ status: 'void' })
    expectProblem(await shop.call('GET', `/v1/fulfillments/${id}/label.pdf`), 404, 'no_label')
    const second = await buy(shop.server, id)
    expect(second.status).toBe(201)
    expect(second.body.labels[0]!.trackingNumber).not.toBe(first!.trackingNumber)
    expectProblem(await shop.call('POST', '/v1/labels/NONE/void'), 404, 'unknown_label')
  })

  test('of a fulfillment that is cancelled is given back by itself', async () => {
    const { id } = await ordered(shop.server)
    const [label] = (await buy(shop.server, id)).body.labels
    expect((await shop.call('POST', `/v1/orders/${orderOf(id)}/cancel`, { reason: 'changed' })).status).toBe(200)
    await vi.waitFor(async () => {
      const { body } = await shop.call<TrackingDocument>('GET', `/v1/tracking/${label!.trackingNumber}`)
      expect(body.status).toBe('void')
    }, 10_000)
    expectProblem(await buy(shop.server, id), 409, 'fulfillment_over')
  })

  test('keeps hostile names as text, on paper and for the printer', async () => {
    const name = '^XZ~JA^FS<script>\u202e%PDF (Ada) \\ Привет'
    const { id } = await ordered(shop.server, {
      customer: { name },
      shipTo: { ...ADA, line1: '^XA^FO0,0^FDno^FS', line2: ') Tj ET (', postalCode: '^GB~' },
    })
    const { status, body } = await buy(shop.server, id)
    expect(status).toBe(201)
    const read = (await scanned(await pdf(shop.server, `/v1/fulfillments/${id}/label.pdf`)))[0]!
    expect(read.at(-1)).toContain(body.labels[0]!.trackingNumber)
    const zpl = new TextDecoder().decode(
      await bytes(shop.server, `/v1/fulfillments/${id}/label.zpl`, 'application/zpl'),
    )
    expect(zpl.match(/\^X[AZ]/g)).toEqual(['^XA', '^XZ'])
    expect(zpl).not.toContain('~JA')
  })

  test('is refused with a sentence where no carrier takes the parcel, and then none is bought', async () => {
    const { id } = await ordered(shop.server)
    const packages = [{ weightGrams: 900 }, { weightGrams: 9_000_000 }]
    expectProblem(await buy(shop.server, id, { packages }), 422, 'service_unavailable')
    expectProblem(await shop.call('GET', `/v1/fulfillments/${id}/label.pdf`), 404, 'no_label')
    expectProblem(await buy(shop.server, id, { service: '__proto__' }), 422, 'service_unavailable')
    expectProblem(await buy(shop.server, id, { carrier: 'nobody' }), 422, 'service_unavailable')
    expectProblem(await buy(shop.server, id, { packages: [{ weightGrams: -1 }] }), 422, 'invalid')
    expectProblem(await buy(shop.server, 'nothing-1'), 404, 'unknown_fulfillment')
  })

  test('costs what the rates said', async () => {
    const { id } = await ordered(shop.server)
    const { status, body } = await shop.call<{ rates: LabelDocument[]; chosen: LabelDocument }>(
      'POST',
      '/v1/shipping/rates',
      { fulfillment: id },
    )
    expect(status).toBe(200)
    expect(body.rates.map(({ service }) => service)).toEqual(['post', 'parcel', 'express'])
    expect((await buy(shop.server, id)).body.labels[0]).toMatchObject({
      service: body.chosen.service,
      cost: body.chosen.cost,
    })
    const asked = { from: 'W1', to: ADA, weightGrams: 25_000 }
    const heavy = await shop.call<typeof body>('POST', '/v1/shipping/rates', asked)
    expect(heavy.body).toMatchObject({ chosen: { service: 'parcel' }, failures: [] })
    const none = await shop.call('POST', '/v1/shipping/rates', { ...asked, weightGrams: 9_000_000 })
    expect(none).toMatchObject({ status: 200, body: { rates: [], chosen: null } })
    expectProblem(await shop.call('POST', '/v1/shipping/rates', { from: 'W1', weightGrams: 1 }), 422, 'invalid')
    expectProblem(await shop.call('POST', '/v1/shipping/rates', { ...asked, from: 'NO' }), 404, 'unknown_location')
  })
})

describe('A manifest', () => {
  const shop = Shop.open()
  const close = (location = 'W1') =>
    shop.call<ManifestDocument>('POST', '/v1/manifests', { carrier: 'simulated', location })

  test('lists each label of its day and location once, none that is void, and no label afterwards', async () => {
    const sku = await shop.newSku(100)
    const at = async () => {
      const { id, location } = await ordered(shop.server, {}, sku)
      return { number: (await buy(shop.server, id)).body.labels[0]!.trackingNumber, location }
    }
    const labels = await Promise.all(Array.from({ length: 4 }, at))
    const [void_, ...kept] = labels
    const { location } = void_!
    await shop.call('POST', `/v1/labels/${void_!.number}/void`)
    const [first, second] = await Promise.all([close(location), close(location)])
    const [made, refused] = first.status === 201 ? [first, second] : [second, first]
    expect(made.body.trackingNumbers).toEqual(kept.map(({ number }) => number).sort())
    expectProblem(refused, 409, 'bad_manifest')
    expectProblem(await shop.call('POST', `/v1/labels/${kept[0]!.number}/void`), 409, 'label_in_use')
    const { body } = await shop.call<TrackingDocument>('GET', `/v1/tracking/${kept[0]!.number}`)
    expect(body.manifest).toBe(made.body.id)
    const next = await at()
    const later = await close(location)
    expect(later.body.trackingNumbers).toEqual([next.number])
    const listed = await shop.call<{ items: ManifestDocument[] }>('GET', '/v1/manifests')
    expect(listed.body.items.map(({ id, parcels }) => [id, parcels])).toEqual([
      [later.body.id, 1],
      [made.body.id, 3],
    ])
    expect((await shop.call('GET', `/v1/manifests/${made.body.id}`)).body).toEqual(made.body)
    expectProblem(await close('NO'), 404, 'unknown_location')
    const nobody = { carrier: 'nobody', location: 'W1' }
    expectProblem(await shop.call('POST', '/v1/manifests', nobody), 422, 'service_unavailable')
  })
})

describe('A return', () => {
  const shop = Shop.open()

  async function returned(fields: Record<string, unknown> = {}): Promise<string> {
    const { id } = await ordered(shop.server, fields)
    await buy(shop.server, id)
    await advance(shop.server, id, ['accept', 'pick', 'pack', 'ship', 'deliver'])
    const asked = await shop.call<{ id: string }>('POST', '/v1/returns', {
      order: orderOf(id),
      lines: [{ sku: 'TEE', quantity: 1, reason: 'too small' }],
    })
    expect(asked.status).toBe(201)
    return asked.body.id
  }
  interface ReturnDocument {
    id: string
    status: string
    location: string | null
    label: LabelDocument | null
    labelFault?: string
  }
  const authorize = (id: string, body: object = {}) =>
    shop.call<ReturnDocument>('POST', `/v1/returns/${id}/authorize`, body)

  test('is authorized with a label from the customer to where the goods came from', async () => {
    const id = await returned()
    const { body, status } = await authorize(id, { id: 'once' })
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { status: 'authorized', label: { service: 'parcel' } },
    })
    expect((await authorize(id, { id: 'once' })).body).toEqual(body)
    expect(['W1', 'S1']).toContain(body.location)
    const number = body.label!.trackingNumber
    const document = await pdf(shop.server, `/v1/returns/${id}/label.pdf`)
    expect(await scanned(document)).toEqual([['420LS11AA', `00${number}`]])
    expect((await textsOf(document))[0]).toEqual(
      expect.arrayContaining(['RETURN', 'Ada Byron', `Place ${body.location}`]),
    )
    const zpl = new TextDecoder().decode(await bytes(shop.server, `/v1/returns/${id}/label.zpl`, 'application/zpl'))
    expect(zpl).toContain('RETURN')
    const tracking = await shop.call('GET', `/v1/tracking/${number}`)
    expect(tracking.body).toMatchObject({ return: id, status: 'bought' })
    expect((await shop.call('POST', `/v1/labels/${number}/void`)).status).toBe(200)
    expectProblem(await shop.call('GET', `/v1/returns/${id}/label.pdf`), 404, 'no_label')
  })

  test('without a label is brought in, and says so where one is asked for', async () => {
    const id = await returned()
    expect((await authorize(id, { label: false })).body).toMatchObject({ status: 'authorized', label: null })
    expectProblem(await shop.call('GET', `/v1/returns/${id}/label.pdf`), 404, 'no_label')
    expectProblem(await shop.call('GET', `/v1/returns/${id}/label.zpl`), 404, 'no_label')
    expectProblem(await shop.call('GET', '/v1/returns/nothing-R1/label.pdf'), 404, 'unknown_return')
    expectProblem(await authorize(id), 409, 'invalid_transition')
  })

  test('that no carrier takes is authorized all the same, and says why it has no label', async () => {
    const sku = await shop.newSku(5, 'W1', { weightGrams: 90_000 })
    const { id } = await ordered(shop.server, {}, sku)
    await shop.call('POST', `/v1/fulfillments/${id}/accept`, {})
    for (const action of ['pick', 'pack']) await shop.call('POST', `/v1/fulfillments/${id}/${action}`, {})
    await shop.call('POST', `/v1/fulfillments/${id}/ship`, { carrier: 'lorry' })
    const lines = [{ sku, quantity: 1, reason: 'too small' }]
    const asked = await shop.call<ReturnDocument>('POST', '/v1/returns', { order: orderOf(id), lines })
    const { body } = await authorize(asked.body.id)
    expect(body).toMatchObject({ status: 'authorized', label: null })
    expect(body.labelFault).toMatch(/no carrier takes this parcel of 90000 g/i)
  })
})

describe('A return that is authorized at once', () => {
  const shop = Shop.open()
  interface ReturnDocument {
    id: string
    status: string
    location: string | null
    label: LabelDocument | null
    labelFault?: string
  }
  const setPolicy = (autoAuthorize: boolean) => shop.call('PUT', '/v1/settings/orders', { returns: { autoAuthorize } })

  async function sent(weightGrams: number, fields: Record<string, unknown> = {}) {
    expect((await setPolicy(true)).status).toBe(200)
    const sku = await shop.newSku(5, 'W1', { weightGrams })
    const { id } = await ordered(shop.server, fields, sku)
    for (const action of ['accept', 'pick', 'pack']) await shop.call('POST', `/v1/fulfillments/${id}/${action}`, {})
    await shop.call('POST', `/v1/fulfillments/${id}/ship`, { carrier: 'lorry' })
    return { order: orderOf(id), lines: [{ sku, quantity: 1, reason: 'too small' }] }
  }
  const ask = (body: object, headers?: Record<string, string>) =>
    shop.call<ReturnDocument>('POST', '/v1/returns', body, headers)

  test('has its label in the answer: by post with an S10, which a scanner reads on the PDF and the ZPL names', async () => {
    const { status, body } = await ask(await sent(200))
    expect({ status, body }).toMatchObject({ status: 201, body: { status: 'authorized', label: { service: 'post' } } })
    const number = body.label!.trackingNumber
    expect(isS10(number)).toBe(true)
    const document = await pdf(shop.server, `/v1/returns/${body.id}/label.pdf`)
    expect(await scanned(document)).toEqual([[number]])
    expect((await textsOf(document))[0]).toEqual(expect.arrayContaining(['RETURN', 'Ada Byron', 'Place W1']))
    const zpl = new TextDecoder().decode(
      await bytes(shop.server, `/v1/returns/${body.id}/label.zpl`, 'application/zpl'),
    )
    // Without the switches between the subsets of Code 128.
    expect(/\^BC[^^]*\^FD([^^]*)\^FS/.exec(zpl)?.[1]?.replaceAll(/>./g, '')).toBe(number)
    expect((await shop.call('GET', `/v1/tracking/${number}`)).body).toMatchObject({ return: body.id, status: 'bought' })
  })

  test('by a carrier’s parcel where it is heavy, with an SSCC', async () => {
    const { body } = await ask(await sent(4_000))
    expect(body).toMatchObject({ status: 'authorized', label: { service: 'parcel' } })
    const document = await pdf(shop.server, `/v1/returns/${body.id}/label.pdf`)
    expect((await scanned(document))[0]).toContain(`00${body.label!.trackingNumber}`)
  })

  test('has one label, however often it is asked for', async () => {
    const request = { ...(await sent(200)), id: `rma-${randomUUID().slice(0, 8)}` }
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(request)))
    const last = await ask(request)
    expect(last.body).toMatchObject({ status: 'authorized', label: {} })
    for (const { status } of answers) expect([200, 201]).toContain(status)
    const numbers = [...answers, last].flatMap(({ body }) => (body.label ? [body.label.trackingNumber] : []))
    expect(new Set(numbers).size).toBe(1)
  })

  test('says why it has no label, and has none where the customer brings it', async () => {
    const { body } = await ask(await sent(90_000))
    expect(body).toMatchObject({ status: 'authorized', label: null })
    expect(body.labelFault).toMatch(/no carrier takes this parcel/i)
    const brought = await ask({ ...(await sent(200)), label: false })
    expect(brought.body).toMatchObject({ status: 'authorized', label: null })
    expectProblem(await shop.call('GET', `/v1/returns/${brought.body.id}/label.pdf`), 404, 'no_label')
    const request = await sent(200)
    expect((await setPolicy(false)).status).toBe(200)
    expect((await ask(request)).body).toMatchObject({ status: 'requested', label: null })
  })
})

describe('A parcel that is followed', () => {
  const shop = Shop.open(['--simulated-carrier-speed', '2000000', '--partitions', '2', '--threads', '1'])
  const orderNow = async (id: string) => (await shop.call<OrderDocument>('GET', `/v1/orders/${id}`)).body

  test('brings its order to delivered by itself, once all of its packages are there', async () => {
    const { id } = await ordered(shop.server)
    const { body } = await buy(shop.server, id, { packages: [{ weightGrams: 900 }, { weightGrams: 800 }] })
    await advance(shop.server, id, ['accept', 'pick', 'pack', 'ship'])
    const order = await vi.waitFor(async () => {
      const now = await orderNow(orderOf(id))
      expect(now.status).toBe('delivered')
      return now
    }, 60_000)
    const noted = order.timeline.filter(({ type }) => type === 'tracking.out_for_delivery')
    expect(new Set(noted.map(({ detail }) => detail)).size).toBe(noted.length)
    expect(noted.length).toBeGreaterThanOrEqual(1)
    expect(order.timeline.filter(({ type }) => type === 'fulfillment.delivered')).toHaveLength(1)
    const tracking = await shop.call<TrackingDocument>('GET', `/v1/tracking/${body.labels[0]!.trackingNumber}`)
    expect(tracking.body.events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['accepted', 'in_transit', 'out_for_delivery', 'delivered']),
    )
    const text = JSON.stringify(order.timeline)
    expect(text).not.toContain('Ada')
  })

  test('that nobody has a label of ours for is delivered by nobody', async () => {
    const { id } = await ordered(shop.server)
    await advance(shop.server, id, ['accept', 'pick', 'pack'])
    await shop.call('POST', `/v1/fulfillments/${id}/ship`, { carrier: 'other', trackingNumber: 'X-1' })
    const followed = await ordered(shop.server)
    await buy(shop.server, followed.id)
    await advance(shop.server, followed.id, ['accept', 'pick', 'pack', 'ship'])
    await vi.waitFor(async () => expect((await orderNow(orderOf(followed.id))).status).toBe('delivered'), 20_000)
    expect((await orderNow(orderOf(id))).status).toBe('shipped')
  })

  test('back from the customer puts its return in transit', async () => {
    const { id } = await ordered(shop.server)
    await advance(shop.server, id, ['accept', 'pick', 'pack'])
    await shop.call('POST', `/v1/fulfillments/${id}/ship`, { carrier: 'other' })
    await advance(shop.server, id, ['deliver'])
    const lines = [{ sku: 'TEE', quantity: 1, reason: 'too small' }]
    const asked = await shop.call<{ id: string }>('POST', '/v1/returns', { order: orderOf(id), lines })
    expect((await shop.call('POST', `/v1/returns/${asked.body.id}/authorize`, {})).status).toBe(200)
    await vi.waitFor(async () => {
      expect((await shop.call('GET', `/v1/returns/${asked.body.id}`)).body).toMatchObject({ status: 'in_transit' })
    }, 60_000)
  })

  /** Numbers are counted, and what a parcel meets is drawn from its number: so it is known which one is lost. */
  const isLost = (number: string): boolean => {
    const { attempted, delayed, lost } = SIMULATED.mishapsPerThousand
    const drawn = serialOf(`${number} mishap`, 1_000)
    return drawn >= attempted + delayed && drawn < attempted + delayed + lost
  }
  const numbersOf = (serial: number) => ({
    parcel: numberedSscc(SIMULATED.gs1CompanyPrefix, serial),
    post: numberedS10('L', serial, 'GB'),
  })

  test('is sent again where it is lost', async () => {
    let taken = 0
    const buyMore = async (id: string, count: number, service: string) => {
      const packages = Array.from({ length: count }, () => ({ weightGrams: 100 }))
      const { status, body } = await buy(shop.server, id, { service, packages })
      expect(status).toBe(201)
      return body.labels.map(({ trackingNumber }) => trackingNumber)
    }
    const probe = await ordered(shop.server)
    const [number] = await buyMore(probe.id, 1, 'post')
    while (numbersOf(taken).post !== number) taken++
    taken++
    let serial = taken
    while (!isLost(numbersOf(serial).post) && !isLost(numbersOf(serial).parcel)) serial++
    const service = isLost(numbersOf(serial).post) ? 'post' : 'parcel'
    while (taken < serial) {
      const count = Math.min(100, serial - taken)
      await buyMore((await ordered(shop.server)).id, count, 'post')
      taken += count
    }
    const { id } = await ordered(shop.server)
    const [lost] = await buyMore(id, 1, service)
    expect(isLost(lost!)).toBe(true)
    await advance(shop.server, id, ['accept', 'pick', 'pack', 'ship'])
    await vi.waitFor(async () => {
      const { fulfillments, timeline } = await orderNow(orderOf(id))
      expect(fulfillments[0]).toMatchObject({ status: 'failed', reason: 'lost' })
      expect(fulfillments).toHaveLength(2)
      expect(timeline.map(({ type }) => type)).toContain('tracking.exception')
    }, 60_000)
  }, 240_000)
})

test('Parcels that arrive while their labels are still being bought are followed all the same', async () => {
  // Days take some twenty milliseconds, and labels that are bought at the same time more.
  const server = await TestServer.start({ args: ['--simulated-carrier-speed', '10000000'] })
  await stockUp(server.url, ['TEE'], 1_000, ['W1'])
  const ids = await Promise.all(Array.from({ length: 20 }, async () => (await ordered(server)).id))
  for (const { status } of await Promise.all(ids.map((id) => buy(server, id)))) expect(status).toBe(201)
  for (const id of ids) await advance(server, id, ['accept', 'pick', 'pack', 'ship'])
  await vi.waitFor(async () => {
    const orders = ids.map((id) => server.call<OrderDocument>('GET', `/v1/orders/${orderOf(id)}`))
    // One of them may be lost on its way, which is an end, too.
    const statuses = (await Promise.all(orders)).map(({ body }) => body.fulfillments[0]!.status)
    expect(statuses.filter((status) => status !== 'delivered' && status !== 'failed')).toEqual([])
  }, 30_000)
})

describe('SIGKILL between buying and shipping', () => {
  test('loses no label, buys none twice, and the parcel is followed by the next server', async () => {
    const dataDir = temporaryDirectory()
    const args = ['--partitions', '2', '--threads', '1', '--simulated-carrier-speed', '20000']
    let server = await TestServer.start({ dataDir, args })
    await stockUp(server.url, ['TEE'], 1_000, ['W1'])
    const ids: string[] = []
    for (let i = 0; i < 4; i++) ids.push((await ordered(server)).id)
    const known = new Map<string, string>()
    const answers = ids.map(async (id) => {
      const { status, body } = await buy(server, id)
      if (status < 300) known.set(id, body.labels[0]!.trackingNumber)
    })
    await Promise.race(answers)
    await server.kill()
    await Promise.allSettled(answers)
    expect(known.size).toBeGreaterThan(0)

    server = await TestServer.start({ dataDir, args })
    const bought = await Promise.all(ids.map((id) => buy(server, id)))
    for (const { body } of bought) {
      expect(body.labels).toHaveLength(1)
      const before = known.get(body.fulfillment)
      if (before !== undefined) expect(body.labels[0]!.trackingNumber).toBe(before)
    }
    expect(new Set(bought.map(({ body }) => body.labels[0]!.trackingNumber)).size).toBe(ids.length)
    await advance(server, ids[0]!, ['accept', 'pick', 'pack', 'ship'])
    await server.kill()

    server = await TestServer.start({ dataDir, args: [...args.slice(0, -1), '2000000'] })
    await vi.waitFor(async () => {
      const { body } = await server.call<OrderDocument>('GET', `/v1/orders/${orderOf(ids[0]!)}`)
      expect(body.status).toBe('delivered')
    }, 30_000)
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    expect(await verify(dataDir)).toMatchObject({ code: 0, faults: [] })
  })
})

test('a speed at which no parcel would move is refused at the start', async () => {
  expect((await TestServer.refused({ args: ['--simulated-carrier-speed', '0'] })).stderr).toContain('whole number')
})
