/**
 * What every channel must do, whatever its words: one table of cases that each adapter’s test runs with its own samples.
 * A good order becomes what is stated; a hostile one ends in UnreadablePayload with paths, and never in anything else.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { money, units } from '../money.js'
import { order as orderSchema } from '../order-schemas.js'
import {
  type ChannelEvent,
  type ChannelOrder,
  type Connection,
  type Delivery,
  UnreadablePayload,
  type WebhookChannel,
} from './channel.js'
import { noHttp } from './platform-server.contract.js'

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

export interface ReadingCase {
  /** All that the adapter reads for one order, as JSON: with a platform that is asked for more, its answers too. */
  sample: Json
  read(sample: Json): Promise<ChannelEvent[]>
  /** The order that the sample says, whole. */
  order: ChannelOrder
  /** What its customer pays, as the API reckons it. */
  total: string
  /** Dotted paths in the sample that must be as they are: a line’s quantity, something that may not be missing, an amount. */
  quantity: string
  required: string[]
  amount: string
  /** A fault’s path from the sample’s, where they differ. */
  faultPath?(path: string): string
}

export interface SigningCase {
  channel: WebhookChannel
  connection: Connection
  delivery: Delivery
  /** The header that shows who sends it. */
  header: string
  /** Whether the header is a signature of the body, and not only a secret beside it. */
  coversBody: boolean
  id: string
  /** Deliveries with nothing in them for us. */
  ignored: Record<string, Delivery>
}

/** The sample with the value at the dotted path replaced, or left out where it is undefined. */
export function changed(sample: Json, path: string, value: Json | undefined): Json {
  const copy = structuredClone(sample)
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  const parent = keys.reduce<Json | undefined>((at, key) => child(at, key), copy)
  if (typeof parent !== 'object' || parent === null) throw new Error(`the sample has nothing at ${path}`)
  if (value === undefined) Reflect.deleteProperty(parent, last)
  else Reflect.set(parent, last, value)
  return copy
}

const child = (at: Json | undefined, key: string): Json | undefined =>
  Array.isArray(at) ? at[Number(key)] : typeof at === 'object' && at !== null ? at[key] : undefined

function pathsOf(value: Json, at: string[] = []): string[] {
  const here = at.length === 0 ? [] : [at.join('.')]
  if (typeof value !== 'object' || value === null) return here
  return [...here, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...at, key]))]
}

async function faultOf(reading: Promise<unknown>): Promise<UnreadablePayload> {
  const error = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof UnreadablePayload) return error
  throw error ?? new Error('it was read')
}

/** The total that the API reckons from the order’s parts. */
function reckonedTotal(order: ChannelOrder): string {
  const amount = (value: { amount: string } | undefined): number => units(value?.amount ?? '0') ?? Number.NaN
  const lines = order.lines.reduce(
    (sum, { unitPrice, quantity, discount, taxes = [] }) =>
      sum + amount(unitPrice) * quantity - amount(discount) + taxes.reduce((all, tax) => all + amount(tax.amount), 0),
    0,
  )
  const overall = amount(order.totals?.tax) - amount(order.totals?.discount)
  return money(lines + overall + amount(order.shipping), '').amount
}

const isTakenByTheApi = (order: ChannelOrder): boolean => orderSchema.safeParse({ ...order, channel: 'web' }).success

const HOSTILE = fc.oneof(
  fc.constantFrom<Json>(
    null,
    '',
    ' ',
    '__proto__',
    '-1',
    '1e999',
    '99999999999999999999',
    '0.00005',
    '\ud800',
    '\u0000',
    'x'.repeat(20_000),
    -1,
    0.5,
    1e300,
    2 ** 53,
    2 ** 31,
    true,
    [],
    {},
    [[]],
  ),
  fc.jsonValue() as fc.Arbitrary<Json>,
)

export function describeReading(name: string, theCase: () => ReadingCase): void {
  describe(`an order of ${name}`, () => {
    const { sample, read, order, total, quantity, required, amount, faultPath = (path) => path } = theCase()
    const paths = pathsOf(sample)

    it('has the lines, the money and the address that the platform says', async () => {
      const found = (await read(sample)).find((event) => event.type === 'order' || event.type === 'update')
      expect(found).toMatchObject({ order })
      expect(reckonedTotal(order)).toBe(total)
      expect(isTakenByTheApi(order)).toBe(true)
      expect(order.lineIds).toHaveLength(order.lines.length)
    })

    it('read twice says the same', async () => {
      expect(await read(sample)).toEqual(await read(sample))
    })

    it.each([-1, 0.5, 2 ** 31, 1e300, 'many', { $gt: 0 }])(
      'with the quantity %j is unreadable, by its path',
      async (value) => {
        const { errors } = await faultOf(read(changed(sample, quantity, value)))
        expect(errors.map(({ path }) => path)).toContain(faultPath(quantity))
      },
    )

    it.each(['-1', '1e5', '9'.repeat(30), 1e300, 'free', [], { amount: '1' }])(
      'with the amount %j is unreadable, by its path',
      async (value) => {
        const { errors } = await faultOf(read(changed(sample, amount, value)))
        expect(errors.map(({ path }) => path)).toContain(faultPath(amount))
      },
    )

    it.each(required)('without %s is unreadable, by its path', async (path) => {
      const { errors, message } = await faultOf(read(changed(sample, path, undefined)))
      expect(errors.map((fault) => fault.path)).toContain(faultPath(path))
      expect(message).toContain(faultPath(path))
    })

    it('with keys that mean something to JavaScript is the same order and changes nothing else', async () => {
      const poison = '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},'
      const poisoned = JSON.parse(JSON.stringify(sample).replace(/\{(?=")/g, `{${poison}`)) as Json
      expect(await read(poisoned)).toEqual(await read(sample))
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
    })

    it('changed at random is an order that the API takes, or unreadable with paths, and nothing else', async () => {
      const change = fc.record({ path: fc.constantFrom(...paths), value: fc.option(HOSTILE, { nil: undefined }) })
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
          const mutated = changes.reduce((at, { path, value }) => {
            try {
              return changed(at, path, value)
            } catch {
              // An earlier change has taken the place away.
              return at
            }
          }, sample)
          try {
            for (const event of await read(mutated)) {
              if (event.type === 'order' || event.type === 'update') expect(isTakenByTheApi(event.order)).toBe(true)
              if (event.type === 'refund') expect(units(event.amount)).toBeGreaterThanOrEqual(0)
            }
          } catch (error) {
            if (!(error instanceof UnreadablePayload)) throw error
            expect(error.errors.length).toBeGreaterThan(0)
            expect(error.errors.length).toBeLessThanOrEqual(50)
          }
        }),
        { numRuns: 400 },
      )
    })
  })
}

export function describeSigning(name: string, theCase: () => SigningCase): void {
  describe(`a delivery of ${name}`, () => {
    const { channel, connection, delivery, header, coversBody, id, ignored } = theCase()

    it('is known by its signature', () => {
      expect(channel.isSigned(delivery, connection)).toBe(true)
    })

    it('is refused with another’s signature, with none, and with a secret that was never set', () => {
      const { [header]: signature = '', ...without } = delivery.headers
      expect(channel.isSigned({ ...delivery, headers: without }, connection)).toBe(false)
      for (const wrong of ['', ' ', signature.slice(1), `${signature}=`, signature.toUpperCase(), 'AAAA'.repeat(11)]) {
        expect(channel.isSigned({ ...delivery, headers: { ...without, [header]: wrong } }, connection)).toBe(false)
      }
      expect(channel.isSigned(delivery, { ...connection, secret: 'another' })).toBe(false)
      expect(channel.isSigned(delivery, { ...connection, secret: '' })).toBe(false)
      expect(channel.isSigned(delivery, { ...connection, secret: '{}' })).toBe(false)
    })

    it.runIf(coversBody)('is refused when one byte of its body has changed', () => {
      const bytes = fc.integer({ min: 0, max: delivery.body.length - 1 })
      fc.assert(
        fc.property(bytes, fc.integer({ min: 1, max: 255 }), (at, flip) => {
          const body = Uint8Array.from(delivery.body)
          body[at] = (body[at] ?? 0) ^ flip
          expect(channel.isSigned({ ...delivery, body }, connection)).toBe(false)
        }),
      )
    })

    it('has the platform’s id, so that the same one is read once', () => {
      expect(channel.deliveryId(delivery)).toBe(id)
      expect(channel.deliveryId({ headers: {}, body: new Uint8Array() })).toBeUndefined()
    })

    it.each(Object.keys(ignored))('is ignored with a reason: %s', async (which) => {
      const events = await channel.read(ignored[which] ?? delivery, connection, noHttp)
      expect(events).toEqual([{ type: 'ignored', reason: expect.stringMatching(/\w+ \w+/) }])
    })

    it('that is no JSON is unreadable', async () => {
      for (const body of ['', '{', '[1', '\u0000']) {
        await faultOf(channel.read({ ...delivery, body: Buffer.from(body) }, connection, noHttp))
      }
      await faultOf(channel.read({ ...delivery, body: Uint8Array.of(0x22, 0xff, 0x22) }, connection, noHttp))
    })
  })
}
