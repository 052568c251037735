import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { type AddressDocument, type CustomerDocument, People } from './people.js'
import { Vault } from './vault.js'

const ada: CustomerDocument = { id: 'C-17', name: 'Ada Byron', email: 'Ada@Example.com', phone: '+44 20 7946 0018' }
const home: AddressDocument = {
  name: 'Ada Byron',
  line1: '12 St James Sq',
  line2: 'Attic',
  city: 'London',
  postalCode: 'SW1Y 4LB',
  region: 'Greater London',
  country: 'GB',
  latitude: 51.507_234,
  longitude: -0.135_789,
}

let people: People
let person: string

beforeEach(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'doorbuster-people-'))
  people = new People(new Vault(dataDir))
  person = people.personOf(ada, 'order-1')
  await people.vault.ensure(person)
  onTestFinished(async () => {
    await people.vault.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
})

const clear = (value: unknown): string =>
  JSON.stringify(value, (_name, part) => (part?.type === 'Buffer' || part instanceof Uint8Array ? null : part))

test('a customer is opened as he or she was sealed', async () => {
  expect(people.openCustomer(await people.sealCustomer(ada, person))).toEqual(ada)
  const guest = { name: 'Ada Byron' }
  expect(people.openCustomer(await people.sealCustomer(guest, person))).toEqual(guest)
})

test('of a customer the retailer’s own id and the domain of the address are in the clear, and nothing else', async () => {
  const { sealed, ...rest } = await people.sealCustomer(ada, person)
  expect(rest).toEqual({
    person,
    keys: [person, people.keyOf('C-17'), people.keyOf('ada@example.com')],
    id: 'C-17',
    emailDomain: 'example.com',
  })
  const bytes = Buffer.from(sealed).toString('latin1')
  for (const word of ['Ada', 'Byron', 'Example', '7946']) expect(bytes).not.toContain(word)
  expect(clear(rest)).not.toMatch(/ada|byron|7946/i)
})

test('an id that is an e-mail address is sealed', async () => {
  const sealed = await people.sealCustomer({ id: 'ada@example.com', name: 'Ada Byron' }, person)
  expect(sealed.id).toBeUndefined()
  expect(people.openCustomer(sealed).id).toBe('ada@example.com')
})

test('an address is opened to the letter, while its coordinates in the clear are rounded to a kilometre', () => {
  const sealed = people.sealAddress(home, person)
  expect(sealed).toMatchObject({
    city: 'London',
    postalCode: 'SW1Y 4LB',
    country: 'GB',
    latitude: 51.51,
    longitude: -0.14,
  })
  expect(clear({ ...sealed, sealed: null })).not.toMatch(/James|Attic|Byron|51\.507|0\.1357/)
  expect(people.openAddress(sealed, person)).toEqual(home)
})

test('one coordinate alone is no place', () => {
  const { longitude: _longitude, ...half } = home
  expect(people.openAddress(people.sealAddress(half, person), person)).not.toHaveProperty('latitude')
})

test('whoever was erased is shown as erased, at a place that is known by its city', async () => {
  const customer = await people.sealCustomer(ada, person)
  const address = people.sealAddress(home, person)
  const text = people.sealText('leave it with the porter', person)
  expect(people.canOpen(customer)).toBe(true)
  people.vault.destroy([person])
  expect(people.canOpen(customer)).toBe(false)
  expect(people.openCustomer(customer)).toEqual({ name: 'erased' })
  expect(people.openAddress(address, person)).toEqual({
    line1: 'erased',
    city: 'London',
    postalCode: 'SW1Y 4LB',
    region: 'Greater London',
    country: 'GB',
  })
  expect(people.openText(text, person)).toBe('erased')
})

test('a person is one by id, then by address in any case, and a guest without either is one for each order', () => {
  expect(people.personOf({ id: 'C-17' }, '1')).toBe(people.personOf({ id: 'C-17', email: 'other@example.com' }, '2'))
  expect(people.personOf({ email: 'ADA@example.com' }, '1')).toBe(people.personOf({ email: 'ada@example.com' }, '2'))
  expect(people.personOf({}, '1')).not.toBe(people.personOf({}, '2'))
})

test('an order is found by each word of customer, place and number, in any case, and the words are not to be read', () => {
  const tokens = people.searchTokens(ada, home, 'WEB-1001')
  for (const word of ['Byron', 'EXAMPLE', 'sw1y', '1001', 'london'])
    expect(tokens).toEqual(expect.arrayContaining(people.tokens(word)))
  expect(tokens.join(' ')).not.toMatch(/byron|example|london/i)
  expect(new Set(tokens).size).toBe(tokens.length)
  expect(people.searchTokens({ name: 'a b c d e f g h i j k l m n o p q r s' }, home, undefined)).toHaveLength(16)
})

test('a customer is asked for by the id or the address in any case', () => {
  expect(people.keyOf('ADA@Example.com')).toBe(people.keyOf('ada@example.com'))
  expect(people.keyOf('ada@example.com')).not.toBe(people.keyOf('ada@example.org'))
})
