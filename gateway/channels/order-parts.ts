/**
 * The parts of an order that every shop has in words of its own: who buys, where it goes, what is noted. Shops take what
 * people type, so what has no place in an order here is kept in its notes rather than lost, and never ends an order.
 */
import type { z } from 'zod'
import { money } from '../money.js'
import { order as orderSchema } from '../order-schemas.js'
import { skuName } from '../schemas.js'
import { withoutUndefined } from '../without-undefined.js'
import type { ChannelOrder } from './channel.js'
import { type Faults, readAs } from './payload.js'

type Customer = ChannelOrder['customer']
type ShipTo = ChannelOrder['shipTo']
export type OrderLine = ChannelOrder['lines'][number]

const NOTES_MAX = 2_000
const LINE_NOTE_MAX = 500
const emailSchema = orderSchema.shape.customer.shape.email

/** Cut to so many UTF-16 units, never through a character; half characters are replaced. */
export function cut(text: string, max: number): string {
  const whole = Buffer.from(text).toString()
  if (whole.length <= max) return whole
  const kept = whole.slice(0, max - 1)
  return `${/[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept}…`
}

/** What is noted of the whole order, one piece a line. */
export function notesOf(pieces: (string | undefined)[]): { notes?: string } {
  const said = pieces.filter((piece) => piece !== undefined && piece !== '')
  return said.length === 0 ? {} : { notes: cut(said.join('\n'), NOTES_MAX) }
}

/** What is noted of a line: choices and engravings, `name: value` each. */
export function lineNote(choices: { name: string | undefined; value: string | undefined }[]): { note?: string } {
  const said = choices.flatMap(({ name, value }) => (name && value ? [`${name}: ${value}`] : []))
  return said.length === 0 ? {} : { note: cut(said.join('; '), LINE_NOTE_MAX) }
}

export const fullName = (...parts: (string | undefined)[]): string | undefined => {
  const name = parts.filter((part) => part !== undefined && part !== '').join(' ')
  return name === '' ? undefined : cut(name, 200)
}

/** The first of each that is there. An e-mail address or a number that can’t be one goes to `noted`. */
export function customerOf(
  said: {
    id: string | undefined
    names: (string | undefined)[]
    emails: (string | undefined)[]
    phones: (string | undefined)[]
  },
  noted: (string | undefined)[],
): Customer {
  const given = said.emails.find((email) => email)
  const email = emailSchema.safeParse(given).success ? given : undefined
  if (email === undefined && given !== undefined) noted.push(`E-mail address as given: ${given}`)
  const number = said.phones.find((phone) => phone)
  const phone = number !== undefined && number.length <= 40 ? cut(number, 40) : undefined
  if (phone === undefined && number !== undefined) noted.push(`Telephone number as given: ${number}`)
  const name = said.names.find((name) => name) ?? email ?? phone ?? 'Guest'
  return withoutUndefined({ id: said.id, name: cut(name, 200), email, phone })
}

export interface StatedAddress {
  name: string | undefined
  company?: string | undefined
  line1: string | undefined
  line2?: string | undefined
  city: string | undefined
  region?: string | undefined
  postalCode: string | undefined
  country: string | undefined
  latitude?: number | undefined
  longitude?: number | undefined
}

/** The names of the fields by which the platform knows them, for faults. */
export interface AddressFields {
  line1: string
  city: string
  country: string
  postalCode: string
}

const range = (value: number | undefined, max: number): value is number =>
  value !== undefined && Number.isFinite(value) && Math.abs(value) <= max

/** Where it goes. A place without towns (a city state) is its own region; an address without a street is a fault. */
export function shipToOf(said: StatedAddress, path: string, fields: AddressFields, faults: Faults): ShipTo {
  const country = said.country?.toUpperCase() ?? ''
  if (!/^[A-Z]{2}$/.test(country)) {
    faults.add(`${path}.${fields.country}`, 'not an ISO 3166-1 alpha-2 code, such as "GB"')
  }
  const [line1, line2] = said.line1 ? [said.line1, said.line2] : [said.line2, undefined]
  if (!line1) faults.add(`${path}.${fields.line1}`, 'an address needs a street, a box or a place')
  const city = said.city ?? said.region
  if (!city) faults.add(`${path}.${fields.city}`, 'an address needs a city')
  if ((said.postalCode?.length ?? 0) > 20) faults.add(`${path}.${fields.postalCode}`, 'longer than 20 characters')
  const { latitude, longitude } = said
  return withoutUndefined({
    name: fullName([said.name, said.company].filter((part) => part).join(', ')),
    line1: cut(line1 ?? '-', 200),
    line2: line2 === undefined ? undefined : cut(line2, 200),
    city: cut(city ?? '-', 100),
    region: said.region === undefined ? undefined : cut(said.region, 100),
    postalCode: (said.postalCode ?? '').slice(0, 20),
    country,
    ...(range(latitude, 90) && range(longitude, 180) ? { latitude, longitude } : {}),
  })
}

/**
 * The channel’s own SKU. A product without one is known by what the platform calls it, such as `variant:123`, so that an
 * alias can be put for it and its line is never dropped.
 */
export function skuOf(stated: string | undefined, other: string, path: string, faults: Faults): string {
  const sku = stated?.trim() || other
  const read = skuName.safeParse(sku)
  if (!read.success) faults.add(path, read.error.issues[0]?.message ?? 'not a SKU')
  return sku
}

export interface LineParts {
  sku: string
  quantity: number
  unitPrice: number
  discount: number
  taxes: { name: string; rate?: number; amount: number }[]
}

const TAXES_MAX = 20

/** A line in the API’s words. More taxes than a line may have become one. */
export function orderLine({ sku, quantity, unitPrice, discount, taxes }: LineParts, currency: string): OrderLine {
  const due = taxes.filter(({ amount }) => amount !== 0)
  const sum = due.reduce((total, { amount }) => total + amount, 0)
  const shown = due.length > TAXES_MAX ? [{ name: 'Tax', amount: sum }] : due
  return {
    sku,
    quantity,
    unitPrice: money(unitPrice, currency),
    ...(discount > 0 ? { discount: money(discount, currency) } : {}),
    ...(shown.length > 0
      ? {
          taxes: shown.map(({ name, rate, amount }) => ({
            name: cut(name || 'Tax', 100),
            ...(rate !== undefined && rate >= 0 && rate <= 1 ? { rate } : {}),
            amount: money(amount, currency),
          })),
        }
      : {}),
  }
}

/** What the API makes of the parts: the total that the customer pays, in ten-thousandths. */
export function totalOf(lines: LineParts[], order: { discount: number; tax: number; shipping: number }): number {
  return lines.reduce(
    (total, { unitPrice, quantity, discount, taxes }) =>
      total + unitPrice * quantity - discount + taxes.reduce((sum, { amount }) => sum + amount, 0),
    order.shipping + order.tax - order.discount,
  )
}

/** The order, seen to be one that the API takes: what slipped through the reading of a payload is named here. */
export function checkedOrder(order: ChannelOrder): ChannelOrder {
  const { lineIds: _lineIds, ...rest } = order
  readAs(orderSchema as z.ZodType, { ...rest, channel: 'channel' }, `order ${order.externalId}`, 'order')
  return order
}
