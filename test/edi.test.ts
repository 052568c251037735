/** EDI as partners see it: files in, acknowledgements and documents out, warehouses and suppliers moving orders on. */
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { X12FatInterchange, X12Parser } from 'node-x12'
import { beforeAll, expect, test, vi } from 'vitest'
import { place, stockUp } from './support/catalogue.js'
import { Shop } from './support/shop.js'
import { TestServer, temporaryDirectory } from './support/test-server.js'

const shop = Shop.open()
const OURS = { qualifier: 'ZZ', id: 'DOORBUSTER' }
const THEIRS = { qualifier: '12', id: '5551234567' }
const ENDS = { ours: OURS, theirs: THEIRS, currency: 'GBP', country: 'GB' }
const SAMPLE = resolve('../shared/data/channels/edi/850.edi')
/** Long enough for a busy machine; nothing waits for it where all is well. */
const PATIENCE = { timeout: 20_000, interval: 50 }

interface OrderDocument {
  id: string
  externalId: string
  status: string
  lines: { sku: string; quantity: number; units: Record<string, number> }[]
  fulfillments: {
    id: string
    location: string
    status: string
    carrier?: string
    trackingNumber?: string
    packages: { weightGrams: number; trackingNumber?: string }[]
  }[]
}
interface DocumentEntry {
  id: string
  type: string
  order?: string
  fulfillment?: string
}
interface DeliveryEntry {
  state: string
  did: string[]
  errors?: { path: string; message: string }[]
}

let made = 0
const control = (): string => String(++made).padStart(9, '0')

/** Segments of one set in an envelope from the partner. */
function x12(type: string, functionalId: string, segments: string[], number = control()): string {
  return [
    `ISA*00*          *00*          *12*5551234567     *ZZ*DOORBUSTER     *260309*0800*U*00401*${number}*0*P*>`,
    `GS*${functionalId}*5551234567*DOORBUSTER*20260309*0800*7*X*004010`,
    `ST*${type}*0001`,
    ...segments,
    `SE*${segments.length + 2}*0001`,
    'GE*1*7',
    `IEA*1*${number}`,
  ]
    .map((segment) => `${segment}~\n`)
    .join('')
}

const order850 = (number: string, lines: [sku: string, quantity: number][], purpose = '00'): string[] => [
  `BEG*${purpose}*SA*${number}**20260309`,
  'N1*ST*Ada Byron*92*0099',
  'N3*12 St James Square',
  'N4*London**SW1Y 4JH*GB',
  ...lines.map(([sku, quantity], at) => `PO1*${(at + 1) * 10}*${quantity}*EA*19.99*PE*SK*${sku}`),
]

async function connect(id: string, settings: Record<string, unknown> = {}, secret?: string): Promise<void> {
  const body = { settings: { ...ENDS, ...settings }, ...(secret === undefined ? {} : { secret }) }
  const put = await shop.call('PUT', `/v1/channels/edi/${id}`, body)
  expect(put.status, JSON.stringify(put.body)).toBe(200)
}

async function send(
  connection: string,
  text: string | Buffer,
  headers: Record<string, string> = {},
  url = shop.server.url,
) {
  const answer = await fetch(`${url}/v1/channels/edi/${connection}/interchanges`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain', ...headers },
    body: text,
  })
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
}

async function taken(connection: string, text: string, isAnswered = true): Promise<string> {
  const answer = await send(connection, text)
  expect(answer.status, answer.text).toBe(200)
  // A receipt is not answered with another one.
  if (!isAnswered) return answer.text
  expect(answer.text, answer.text).toMatch(/~\s*AK5\*A~/)
  return answer.text
}

async function orderOf(connection: string, number: string, url = shop.server.url): Promise<OrderDocument> {
  const query = new URLSearchParams({ channel: connection, externalId: number })
  const answer = await fetch(`${url}/v1/orders?${query}`)
  const { items } = (await answer.json()) as { items: OrderDocument[] }
  expect(items).toHaveLength(1)
  return items[0]!
}
const reread = async (id: string) => (await shop.call<OrderDocument>('GET', `/v1/orders/${id}`)).body

async function documents(connection: string, query = ''): Promise<DocumentEntry[]> {
  const answer = await shop.call<{ items: DocumentEntry[] }>(
    'GET',
    `/v1/channels/edi/${connection}/documents${query === '' ? '' : `?${query}`}`,
  )
  expect(answer.status).toBe(200)
  return answer.body.items
}
async function textOf(connection: string, { id }: DocumentEntry): Promise<string> {
  const answer = await fetch(`${shop.server.url}/v1/channels/edi/${connection}/documents/${encodeURIComponent(id)}`)
  expect(answer.status).toBe(200)
  return answer.text()
}
/** The one document of that type and order, waited for. */
async function document(connection: string, type: string, order: string): Promise<string> {
  const found = await vi.waitFor(async () => {
    const all = await documents(connection, `type=${type}&order=${order}`)
    expect(all).toHaveLength(1)
    return all[0]!
  }, PATIENCE)
  return textOf(connection, found)
}

/** Segments of the one set, read by node-x12 with all its checks. */
function segments(text: string): string[][] {
  const parser = new X12Parser(true)
  const parsed = parser.parse(text)
  expect(parser.diagnostics).toEqual([])
  if (parsed instanceof X12FatInterchange) throw new Error('several interchanges')
  const [group] = parsed.functionalGroups
  return (group?.transactions[0]?.segments ?? []).map(({ tag, elements }) => [
    tag,
    ...elements.map(({ value }) => value),
  ])
}
const segment = (text: string, tag: string): string[] | undefined => segments(text).find(([name]) => name === tag)

async function ship(fulfillment: string, body: object = { carrier: 'UPSN', trackingNumber: '1Z999' }): Promise<void> {
  for (const action of ['accept', 'pick', 'pack', 'ship']) {
    const answer = await shop.call('POST', `/v1/fulfillments/${fulfillment}/${action}`, action === 'ship' ? body : {})
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  }
}

beforeAll(async () => {
  const put = await shop.call('PUT', '/v1/locations/DROP', place('DROP', { type: 'dropship', priority: 3 }))
  expect(put.status, JSON.stringify(put.body)).toBe(200)
  expect((await shop.call('PUT', '/v1/locations/TPL', place('TPL', { type: '3pl', priority: 3 }))).status).toBe(200)
}, 60_000)

test.skipIf(!existsSync(SAMPLE))(
  'a retailer’s purchase order is answered with a 997, shipped, and told with 855, 856 and 810',
  async () => {
    const skus = ['AB3542', 'RD5322', 'XY5266', 'VX2332', 'RV0524', 'DX1875']
    for (const sku of skus) {
      expect((await shop.call('PUT', `/v1/products/${sku}`, { name: sku })).status).toBe(200)
      expect((await shop.call('PUT', `/v1/inventory/${sku}/W1`, { onHand: 1_000 })).status).toBe(200)
    }
    // Nothing is said of ends: documents go back as the file came.
    expect((await shop.call('PUT', '/v1/channels/edi/sample', { settings: { companyPrefix: '0614141' } })).status).toBe(
      200,
    )
    const answer = await send('sample', readFileSync(SAMPLE))
    expect(answer).toMatchObject({ status: 200, type: 'application/edi-x12' })
    expect(segment(answer.text, 'AK2')).toEqual(['AK2', '850', '000000010'])
    expect(['A', 'E']).toContain(segment(answer.text, 'AK5')?.[1])
    const order = await orderOf('sample', '08292233294')
    expect(order.lines.map(({ sku, quantity }) => [sku, quantity])).toEqual([
      ['AB3542', 120],
      ['RD5322', 220],
      ['XY5266', 126],
      ['VX2332', 76],
      ['RV0524', 72],
      ['DX1875', 696],
    ])
    // So much money is looked at by somebody first.
    expect(order.status).toBe('on_hold')
    expect(await documents('sample')).toEqual([])
    expect((await shop.call('POST', `/v1/orders/${order.id}/resume`, { reason: 'seen' })).status).toBe(200)
    const response = await document('sample', '855', order.id)
    expect(segment(response, 'BAK')?.slice(1, 5)).toEqual(['00', 'AD', '08292233294', '20101127'])
    expect(segments(response).filter(([tag]) => tag === 'ACK')).toHaveLength(6)
    await ship((await reread(order.id)).fulfillments[0]!.id)
    const notice = await document('sample', '856', order.id)
    expect(segment(notice, 'PRF')?.[1]).toBe('08292233294')
    expect(segment(notice, 'MAN')).toEqual(['MAN', 'GM', expect.stringMatching(/^000061414100000000\d\d$/)])
    expect(
      segments(notice)
        .filter(([tag]) => tag === 'SN1')
        .map((one) => one[2]),
    ).toEqual(['120', '220', '126', '76', '72', '696'])
    const bill = await document('sample', '810', order.id)
    expect(segment(bill, 'TDS')).toEqual(['TDS', '1304594'])
    expect(bill).toContain('*4405197800     *')
  },
  60_000,
)

test('the same interchange fifty times at once makes one order and gets one answer', async () => {
  await connect('many')
  const sku = await shop.newSku(1_000)
  const text = x12('850', 'PO', order850('PO-MANY', [[sku, 2]]))
  const answers = await Promise.all(Array.from({ length: 50 }, () => send('many', text)))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(new Set(answers.map((answer) => answer.text)).size).toBe(1)
  // Line breaks come and go on the way.
  expect((await send('many', text.replaceAll('\n', '\r\n'))).text).toBe(answers[0]!.text)
  const { fulfillments, id } = await orderOf('many', 'PO-MANY')
  expect(fulfillments).toHaveLength(1)
  await document('many', '855', id)
})

test('another file under a control number that was used is refused, and nothing of it is taken', async () => {
  await connect('reused')
  const sku = await shop.newSku(1_000)
  const number = control()
  await taken('reused', x12('850', 'PO', order850('PO-1', [[sku, 1]]), number))
  const other = await send('reused', x12('850', 'PO', order850('PO-2', [[sku, 1]]), number))
  expect(other.status).toBe(409)
  expect(other.text).toContain(number)
  const { body } = await shop.call<{ items: unknown[] }>('GET', '/v1/orders?channel=reused')
  expect(body.items).toHaveLength(1)
})

test('a file without the connection’s secret is refused and not kept', async () => {
  await connect('guarded', {}, 'a long secret')
  const sku = await shop.newSku(10)
  const text = x12('850', 'PO', order850('PO-G', [[sku, 1]]))
  for (const headers of [{}, { authorization: 'Bearer another' }, { authorization: 'Basic a long secret' }]) {
    expect((await send('guarded', text, headers as Record<string, string>)).status).toBe(401)
  }
  const { body } = await shop.call<{ items: unknown[] }>('GET', '/v1/channels/edi/guarded/deliveries')
  expect(body.items).toEqual([])
  expect((await send('guarded', text, { authorization: 'Bearer a long secret' })).status).toBe(200)
})

test('a faulty order is refused in the 997 and told among deliveries, the one beside it is placed', async () => {
  await connect('faulty')
  const sku = await shop.newSku(10)
  const bad = [
    'ST*850*0002',
    ...order850('PO-BAD', [[sku, 1]]).map((one) => one.replace('*19.99*', '*dear*')),
    'SE*7*0002',
  ]
  const text = x12('850', 'PO', order850('PO-GOOD', [[sku, 1]])).replace('GE*1*7', `${bad.join('~\n')}~\nGE*2*7`)
  const answer = await send('faulty', text)
  expect(
    segments(answer.text)
      .filter(([tag]) => tag === 'AK5')
      .map((one) => one[1]),
  ).toEqual(['A', 'R'])
  await orderOf('faulty', 'PO-GOOD')
  const { body } = await shop.call<{ items: DeliveryEntry[] }>('GET', '/v1/channels/edi/faulty/deliveries?state=failed')
  expect(body.items).toMatchObject([{ did: ['placed'], errors: [{ message: expect.stringContaining('dear') }] }])
  const noEdi = await send('faulty', 'Dear Sirs, please send us two shirts.')
  expect(noEdi.status).toBe(422)
  expect((await send('faulty', 'x'.repeat(1_100_000))).status).toBe(413)
})

test('an order is answered, and answered again when it is changed and when it is cancelled', async () => {
  await connect('changing')
  const sku = await shop.newSku(3)
  await taken('changing', x12('850', 'PO', order850('PO-C', [[sku, 2]])))
  const { id } = await orderOf('changing', 'PO-C')
  await document('changing', '855', id)
  await taken('changing', x12('850', 'PO', order850('PO-C', [[sku, 1]], '05')))
  const both = await vi.waitFor(async () => {
    const all = await documents('changing', `type=855&order=${id}`)
    expect(all).toHaveLength(2)
    return all
  }, PATIENCE)
  expect(segment(await textOf('changing', both[0]!), 'BAK')?.slice(1, 3)).toEqual(['05', 'AC'])
  await taken('changing', x12('850', 'PO', order850('PO-C', [[sku, 1]], '01')))
  const all = await vi.waitFor(async () => {
    const now = await documents('changing', `type=855&order=${id}`)
    expect(now).toHaveLength(3)
    return now
  }, PATIENCE)
  expect(segment(await textOf('changing', all[0]!), 'BAK')?.[2]).toBe('RD')
  // Newest first, a page at a time, and from a time on.
  const page = await shop.call<{ items: DocumentEntry[]; nextCursor: string }>(
    'GET',
    '/v1/channels/edi/changing/documents?limit=2',
  )
  const rest = await documents('changing', `cursor=${encodeURIComponent(page.body.nextCursor)}`)
  expect([...page.body.items, ...rest].map((one) => one.id)).toEqual(all.map((one) => one.id))
  expect(await documents('changing', `since=${new Date(Date.now() + 60_000).toISOString()}`)).toEqual([])
})

test('an order that goes in two shipments is invoiced in two parts that come to what was ordered', async () => {
  await connect('parts')
  const sku = await shop.newSku(3, 'W1')
  expect((await shop.call('PUT', `/v1/inventory/${sku}/S1`, { onHand: 4 })).status).toBe(200)
  const [head, ...rest] = order850('PO-P', [[sku, 7]])
  await taken('parts', x12('850', 'PO', [head!, 'SAC*A*C310***100', 'SAC*C*D240***495', ...rest, 'TXI*TX*10.01']))
  const order = await orderOf('parts', 'PO-P')
  expect(order.fulfillments).toHaveLength(2)
  for (const { id } of order.fulfillments) await ship(id)
  const bills = await vi.waitFor(async () => {
    const all = await documents('parts', `type=810&order=${order.id}`)
    expect(all).toHaveLength(2)
    return Promise.all(all.map((one) => textOf('parts', one)))
  }, PATIENCE)
  const totals = bills.map((bill) => Number(segment(bill, 'TDS')![1]))
  // Seven of 19.99, one pound less, carriage and tax more.
  expect(totals[0]! + totals[1]!).toBe(7 * 1_999 - 100 + 495 + 1_001)
  expect(bills.filter((bill) => bill.includes('D240'))).toHaveLength(1)
  expect(new Set(bills.map((bill) => segment(bill, 'BIG')![2])).size).toBe(2)
})

test('what stands on an order as a whole is invoiced by the worth of what is sent', async () => {
  await connect('whole')
  const sku = await shop.newSku(3, 'W1')
  expect((await shop.call('PUT', `/v1/inventory/${sku}/S1`, { onHand: 4 })).status).toBe(200)
  const pounds = (amount: string) => ({ amount, currency: 'GBP' })
  const placed = await shop.call<OrderDocument>('POST', '/v1/orders', {
    channel: 'whole',
    externalId: 'W-1',
    currency: 'GBP',
    customer: { name: 'Ada Byron' },
    shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
    lines: [{ sku, quantity: 7, unitPrice: pounds('19.99') }],
    totals: { discount: pounds('10.00'), tax: pounds('25.99') },
  })
  expect(placed.status, JSON.stringify(placed.body)).toBe(201)
  expect(placed.body.fulfillments).toHaveLength(2)
  for (const { id } of placed.body.fulfillments) await ship(id)
  const bills = await vi.waitFor(async () => {
    const all = await documents('whole', `type=810&order=${placed.body.id}`)
    expect(all).toHaveLength(2)
    return Promise.all(all.map((one) => textOf('whole', one)))
  }, PATIENCE)
  const totals = bills.map((bill) => Number(segment(bill, 'TDS')![1]))
  expect(totals[0]! + totals[1]!).toBe(7 * 1_999 - 1_000 + 2_599)
  for (const bill of bills) expect([segment(bill, 'SAC')?.[2], segment(bill, 'TXI')?.[1]]).toEqual(['C310', 'TX'])
})

test('a partner is told at once of units that staff cancel, also where the order stays as it is', async () => {
  await connect('staff')
  const sku = await shop.newSku(10)
  await taken('staff', x12('850', 'PO', order850('PO-S', [[sku, 5]])))
  const { id, status } = await orderOf('staff', 'PO-S')
  await document('staff', '855', id)
  const cancelled = { reason: 'damaged', lines: [{ sku, quantity: 2 }] }
  expect((await shop.call('POST', `/v1/orders/${id}/cancel`, cancelled)).status).toBe(200)
  const both = await vi.waitFor(async () => {
    const all = await documents('staff', `type=855&order=${id}`)
    expect(all).toHaveLength(2)
    return all
  }, PATIENCE)
  expect((await reread(id)).status).toBe(status)
  const answers = segments(await textOf('staff', both[0]!)).filter(([tag]) => tag === 'ACK')
  expect(answers.map((one) => one.slice(1, 3))).toEqual([
    ['IQ', '3'],
    ['IR', '2'],
  ])
})

test('EDIFACT comes in and is answered with CONTRL, ORDRSP, DESADV and INVOIC', async () => {
  await connect('edifact', {
    ours: { qualifier: 'ZZ', id: 'DOORBUSTER' },
    theirs: { qualifier: '14', id: '5412345000013' },
  })
  const sku = await shop.newSku(10)
  const message = [
    'UNB+UNOC:3+5412345000013:14+DOORBUSTER:ZZ+260309:0800+REF42',
    'UNH+1+ORDERS:D:96A:UN',
    'BGM+220+PO-2002+9',
    'DTM+137:20260309:102',
    "NAD+DP+++Ad\u00e9 Byron+12 St James?'s Square+London++SW1Y 4JH+GB",
    'CUX+2:EUR:9',
    'LIN+1',
    `PIA+1+${sku}:SA`,
    'QTY+21:3:PCE',
    'PRI+AAA:12.5',
    'UNS+S',
    'CNT+2:1',
    'UNT+12+1',
    'UNZ+1+REF42',
  ]
  const text = message.map((one) => `${one}'`).join('\n')
  const answer = await send('edifact', Buffer.from(text, 'latin1'))
  expect(answer, answer.text).toMatchObject({ status: 200, type: 'application/edifact' })
  expect(answer.text).toContain('UCM+1+ORDERS:D:96A:UN+7')
  const order = await orderOf('edifact', 'PO-2002')
  const response = await document('edifact', 'ORDRSP', order.id)
  expect(response).toContain('Ad\u00e9 Byron')
  expect(response).toContain('DTM+171:20260309:102')
  await ship(order.fulfillments[0]!.id)
  expect(await document('edifact', 'DESADV', order.id)).toContain('QTY+12:3')
  expect(await document('edifact', 'INVOIC', order.id)).toContain('MOA+')
})

test('a warehouse is sent a 940, and its 945 ships what it found with weights and tracking', async () => {
  const folder = mkdtempSync(join(temporaryDirectory(), 'out-'))
  await connect('warehouse', { warehouses: { TPL: 'WH7' }, outFolder: folder })
  const sku = await shop.newSku(10, 'TPL')
  const placed = await shop.call<OrderDocument>('POST', '/v1/orders', {
    channel: 'web',
    externalId: 'W-1',
    currency: 'GBP',
    customer: { name: 'Ada Byron' },
    shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
    lines: [{ sku, quantity: 5, unitPrice: { amount: '10.00', currency: 'GBP' } }],
  })
  const { id } = placed.body
  const sent = await document('warehouse', '940', id)
  const [, status, number] = segment(sent, 'W05')!
  expect(status).toBe('N')
  expect(segment(sent, 'W01')?.slice(1, 3)).toEqual(['5', 'EA'])
  expect(sent).toContain('*92*WH7~')
  await vi.waitFor(() => {
    const files = readdirSync(folder).filter((name) => !name.startsWith('.'))
    expect(files.map((name) => readFileSync(join(folder, name), 'latin1'))).toEqual([sent])
  }, PATIENCE)
  const advice = x12('945', 'SW', [
    `W06*F*${number}*20260310`,
    'W27*M*UPSN',
    'LX*1',
    'MAN*CP*1Z77',
    `W12*CP*5*3**EA**SK*${sku}`,
    'W03*3*1.5*KG',
  ])
  await taken('warehouse', advice)
  await taken('warehouse', advice)
  const order = await vi.waitFor(async () => {
    const now = await reread(id)
    expect(now.fulfillments[0]?.status).toBe('shipped')
    return now
  }, PATIENCE)
  expect(order.fulfillments[0]).toMatchObject({
    carrier: 'UPSN',
    trackingNumber: '1Z77',
    packages: [{ weightGrams: 1_500, trackingNumber: '1Z77' }],
  })
  expect(order.lines[0]!.units.shipped).toBe(3)
  // Another partner can't ship it, nor can a number that nobody was given.
  await connect('stranger', { warehouses: {} })
  await taken('stranger', x12('945', 'SW', [`W06*F*${number}*20260310`, 'LX*1', `W12*CC*5*5**EA**SK*${sku}`]))
  const { body } = await shop.call<{ items: DeliveryEntry[] }>('GET', '/v1/channels/edi/stranger/deliveries')
  expect(body.items[0]).toMatchObject({ state: 'failed', reason: expect.stringContaining('no number that we gave') })
})

test('a warehouse is told when what it was sent is off', async () => {
  const sku = await shop.newSku(10, 'TPL')
  await connect('buyer')
  await taken('buyer', x12('850', 'PO', order850('PO-OFF', [[sku, 1]])))
  const { id } = await orderOf('buyer', 'PO-OFF')
  await document('warehouse', '940', id)
  expect((await shop.call('POST', `/v1/orders/${id}/cancel`, { reason: 'changed my mind' })).status).toBe(200)
  const both = await vi.waitFor(async () => {
    const all = await documents('warehouse', `type=940&order=${id}`)
    expect(all).toHaveLength(2)
    return all
  }, PATIENCE)
  expect(segment(await textOf('warehouse', both[0]!), 'W05')?.[1]).toBe('F')
})

async function dropshipped(sku: string, quantity: number): Promise<OrderDocument> {
  const placed = await shop.call<OrderDocument>('POST', '/v1/orders', {
    channel: 'web',
    currency: 'GBP',
    customer: { name: 'Ada Byron' },
    shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
    lines: [{ sku, quantity, unitPrice: { amount: '10.00', currency: 'GBP' } }],
  })
  expect(placed.status).toBe(201)
  return placed.body
}

test('a supplier is sent an 850, takes it by 855, ships it by 856, and counts its stock by 846', async () => {
  await connect('supplier', { suppliers: { DROP: 'ACCT-9' } })
  const sku = await shop.newSku(10, 'DROP')
  const { id } = await dropshipped(sku, 2)
  const sent = await document('supplier', '850', id)
  const [, purpose, kind, number] = segment(sent, 'BEG')!
  expect([purpose, kind]).toEqual(['00', 'DS'])
  // What we sell it for is no business of the supplier's.
  expect(segment(sent, 'PO1')?.slice(1, 6)).toEqual(['1', '2', 'EA', '', ''])
  expect(sent).not.toContain('10.00')
  await taken(
    'supplier',
    x12('855', 'PR', [`BAK*00*AD*${number}*20260309`, `PO1*1*2*EA*10*PE*SK*${sku}`, 'ACK*IA*2*EA']),
  )
  await vi.waitFor(async () => expect((await reread(id)).fulfillments[0]?.status).toBe('accepted'), PATIENCE)
  const notice = x12('856', 'SH', [
    'BSN*00*SHIP1*20260310*0800*0001',
    'HL*1**S',
    'TD5**2*UPSN',
    'HL*2*1*O',
    `PRF*${number}`,
    'HL*3*2*P',
    'MAN*CP*1Z88',
    'HL*4*3*I',
    `LIN*1*SK*${sku}`,
    'SN1*1*2*EA',
  ])
  await Promise.all([taken('supplier', notice), taken('supplier', notice)])
  await vi.waitFor(async () => expect((await reread(id)).status).toBe('shipped'), PATIENCE)
  expect((await reread(id)).fulfillments[0]).toMatchObject({ carrier: 'UPSN', trackingNumber: '1Z88' })
  await taken('supplier', x12('846', 'IB', ['BIA*00*SI*I1*20260310', `LIN*1*SK*${sku}`, 'QTY*33*44*EA']))
  await vi.waitFor(async () => {
    const { locations } = await shop.server.stock(sku)
    expect(locations.find(({ location }) => location === 'DROP')?.onHand).toBe(44)
  }, PATIENCE)

  const other = await dropshipped(sku, 1)
  const again = segment(await document('supplier', '850', other.id), 'BEG')![3]
  await taken('supplier', x12('855', 'PR', [`BAK*00*RD*${again}*20260309`]))
  await vi.waitFor(async () => expect((await reread(other.id)).fulfillments[0]?.status).toBe('rejected'), PATIENCE)
  // It has said no itself. What is told after that has been told by the time that a later order is.
  await document('supplier', '850', (await dropshipped(sku, 1)).id)
  expect(await documents('supplier', `type=850&order=${other.id}`)).toHaveLength(1)
})

test('a supplier who takes a part sends that part, and its receipt is noted beside the document', async () => {
  const skus = [await shop.newSku(10, 'DROP'), await shop.newSku(10, 'DROP')]
  const placed = await shop.call<OrderDocument>('POST', '/v1/orders', {
    channel: 'web',
    currency: 'GBP',
    customer: { name: 'Ada Byron' },
    shipTo: { line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4LB', country: 'GB' },
    lines: skus.map((sku) => ({ sku, quantity: 2, unitPrice: { amount: '10.00', currency: 'GBP' } })),
  })
  const { id } = placed.body
  const sent = await document('supplier', '850', id)
  const number = segment(sent, 'BEG')![3]!
  const group = /^GS\*PO\*[^~]*\*(\d+)\*X\*/m.exec(sent)![1]!
  await taken('supplier', x12('997', 'FA', [`AK1*PO*${group}`, 'AK9*A*1*1*1']), false)
  const [entry] = await documents('supplier', `order=${id}`)
  expect(entry).toMatchObject({ receipt: 'accepted' })
  await taken(
    'supplier',
    x12('855', 'PR', [
      `BAK*00*AD*${number}*20260309`,
      `PO1*1*2*EA*10*PE*SK*${skus[0]}`,
      'ACK*IA*2*EA',
      `PO1*2*2*EA*10*PE*SK*${skus[1]}`,
      'ACK*IQ*1*EA',
      'ACK*IR*1*EA',
    ]),
  )
  // What it does not send is looked for elsewhere at once, not when the rest has gone.
  await vi.waitFor(async () => expect((await reread(id)).lines[1]!.units.picking).toBe(1), PATIENCE)
  const items = skus.flatMap((sku, at) => [`HL*${at + 3}*2*I`, `LIN*${at + 1}*SK*${sku}`, `SN1**${2 - at}*EA`])
  const head = ['BSN*00*SHIP2*20260310*0800*0001', 'HL*1**S', 'TD5**2*UPSN', 'HL*2*1*O', `PRF*${number}`]
  await taken('supplier', x12('856', 'SH', [...head, ...items]))
  await vi.waitFor(async () => expect((await reread(id)).fulfillments[0]?.status).toBe('shipped'), PATIENCE)
  expect((await reread(id)).lines.map(({ units }) => units.shipped)).toEqual([2, 1])
})

test('a partner is told our stock on request', async () => {
  await connect('reseller', { buffer: 2 })
  const sku = await shop.newSku(9)
  expect((await shop.call('PUT', '/v1/channels/edi/reseller/aliases/PAIR', { sku, quantity: 2 })).status).toBe(200)
  const made846 = await shop.call('POST', '/v1/channels/edi/reseller/inventory-advices', {})
  expect(made846.status, JSON.stringify(made846.body)).toBe(201)
  const [advice] = await documents('reseller', 'type=846')
  const text = await textOf('reseller', advice!)
  expect(segment(text, 'LIN')?.slice(2, 4)).toEqual(['SK', 'PAIR'])
  expect(segment(text, 'QTY')?.slice(1, 3)).toEqual(['33', '3'])
})

test('a partner sees its pool, and of more SKUs than one advice has all in several', async () => {
  const server = await TestServer.start()
  const skus = Array.from({ length: 5_100 }, (_, at) => `S${String(at).padStart(4, '0')}`)
  await stockUp(server.url, skus, 7)
  const call = (method: string, path: string, body?: unknown) =>
    server.call<Record<string, unknown>>(method, path, body)
  expect((await call('PUT', '/v1/channels/edi/many', { settings: { ...ENDS, buffer: 1 } })).status).toBe(200)
  // Of seven five are set apart for it: it sees those, and not the two that are everybody's.
  expect((await call('PUT', '/v1/inventory/S0000/pools/many', { quantity: 5 })).status).toBe(200)
  expect((await call('POST', '/v1/channels/edi/many/inventory-advices', {})).status).toBe(201)
  const { items } = (await call('GET', '/v1/channels/edi/many/documents?type=846')).body as { items: DocumentEntry[] }
  expect(items).toHaveLength(2)
  const told = await Promise.all(
    items.map(async ({ id }) => {
      const text = await (await fetch(`${server.url}/v1/channels/edi/many/documents/${encodeURIComponent(id)}`)).text()
      return segments(text)
    }),
  )
  const rows = told.flat()
  const names = rows.flatMap(([tag, , , sku]) => (tag === 'LIN' ? [sku!] : []))
  const quantities = rows.flatMap(([tag, , quantity]) => (tag === 'QTY' ? [Number(quantity)] : []))
  const seen = new Map(names.map((sku, at) => [sku, quantities[at]]))
  expect(names.toSorted()).toEqual(skus)
  expect(seen.get('S0000')).toBe(4)
  expect(skus.slice(1).filter((sku) => seen.get(sku) !== 6)).toEqual([])
}, 60_000)

test('a supplier without EDI confirms and ships by a signed link, one order and no other, until it expires', async () => {
  const sku = await shop.newSku(10, 'DROP')
  const { fulfillments, id } = await dropshipped(sku, 2)
  const link = async (fulfillment: string, body: object = {}) =>
    shop.call<{ path: string }>('POST', `/v1/fulfillments/${fulfillment}/supplier-link`, body)
  const { body } = await link(fulfillments[0]!.id)
  const page = (path: string, form?: Record<string, string>) =>
    fetch(`${shop.server.url}${path}`, form ? { method: 'POST', body: new URLSearchParams(form) } : {})
  const first = await page(body.path)
  expect(first.status).toBe(200)
  expect(first.headers.get('content-security-policy')).toContain("default-src 'none'")
  const shown = await first.text()
  expect(shown).toContain(sku)
  expect(shown).not.toContain('<script')
  expect((await page(body.path, { step: 'ship', carrier: '' })).status).toBe(422)
  expect(await (await page(body.path, { step: 'accept' })).text()).toContain('Confirmed')
  expect((await page(body.path, { step: 'ship', carrier: 'Royal Mail', trackingNumber: 'RM1' })).status).toBe(200)
  expect((await page(body.path, { step: 'ship', carrier: 'Royal Mail', trackingNumber: 'RM2' })).status).toBe(200)
  expect((await reread(id)).fulfillments[0]).toMatchObject({
    status: 'shipped',
    carrier: 'Royal Mail',
    trackingNumber: 'RM1',
  })
  const token = body.path.slice('/v1/supplier/'.length)
  for (const at of [3, Math.floor(token.length / 2), token.length - 3]) {
    const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
    expect((await page(`/v1/supplier/${changed}`)).status).toBe(404)
  }
  const brief = await link(fulfillments[0]!.id, { expiresInSeconds: 1 })
  await vi.waitFor(async () => {
    const closed = await page(brief.body.path)
    expect(closed.status).toBe(404)
    expect(await closed.text()).toContain('expired')
  }, PATIENCE)
  expect((await link('nothing-1')).status).toBe(404)
})

test('a server that is killed in the middle has every order that it answered, and tells of each once', async () => {
  const dataDir = temporaryDirectory()
  let server = await TestServer.start({ dataDir })
  const call = (method: string, path: string, body?: unknown) =>
    server.call<Record<string, unknown>>(method, path, body)
  expect((await call('PUT', '/v1/locations/W1', place('W1'))).status).toBe(200)
  expect((await call('PUT', '/v1/products/TEE', { name: 'Tee' })).status).toBe(200)
  expect((await call('PUT', '/v1/inventory/TEE/W1', { onHand: 1_000 })).status).toBe(200)
  expect((await call('PUT', '/v1/channels/edi/killed', { settings: { ...ENDS, advises: true } })).status).toBe(200)
  const files = Array.from({ length: 30 }, (_, at) => x12('850', 'PO', order850(`K-${at}`, [['TEE', 1]])))
  const answers = new Map<number, string>()
  const sending = files.map(async (text, at) => {
    const answer = await send('killed', text, {}, server.url).catch(() => undefined)
    if (answer?.status === 200) answers.set(at, answer.text)
    // Killed as soon as some are answered and others are not.
    if (answers.size === 5 && server.isRunning) await server.kill()
  })
  await Promise.all(sending)
  expect((await server.exited).signal).toBe('SIGKILL')
  server = await TestServer.start({ dataDir })
  for (const [at, text] of files.entries()) {
    const answer = await send('killed', text, {}, server.url)
    expect(answer.status, answer.text).toBe(200)
    const before = answers.get(at)
    if (before !== undefined) expect(answer.text).toBe(before)
  }
  await vi.waitFor(async () => {
    const { body } = await call('GET', '/v1/channels/edi/killed/documents?type=855&limit=500')
    const items = body.items as DocumentEntry[]
    expect(items).toHaveLength(files.length)
    expect(new Set(items.map(({ order }) => order)).size).toBe(files.length)
  }, PATIENCE)
  const { body } = await call('GET', '/v1/orders?channel=killed&limit=100')
  expect(body.items).toHaveLength(files.length)
  // The advice of the day.
  await vi.waitFor(async () => {
    const advices = (await call('GET', '/v1/channels/edi/killed/documents?type=846')).body.items
    expect(advices).toHaveLength(1)
  }, PATIENCE)
}, 120_000)
