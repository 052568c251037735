/**
 * Whose data it is, and how it is sealed: customers, addresses and their words are sealed for one person before they are
 * sent to the log, and opened where somebody may see them. What rules and sourcing decide by stays in the clear: country,
 * region, city and postal code, coordinates to a kilometre, and the domain of an e-mail address.
 */
import type { Address, Customer } from '../../actors/order/order.js'
import { tokensOf } from '../../actors/order/order-indexes.js'
import { withoutUndefined } from '../without-undefined.js'
import type { Sealed, Vault } from './vault.js'

/** A customer as clients send and see one. */
export interface CustomerDocument {
  id?: string | undefined
  name: string
  email?: string | undefined
  phone?: string | undefined
}

export interface AddressDocument {
  name?: string | undefined
  line1: string
  line2?: string | undefined
  city: string
  postalCode: string
  region?: string | undefined
  country: string
  latitude?: number | undefined
  longitude?: number | undefined
}

/** What is shown where the person was erased. */
const ERASED = 'erased'
const TOKENS_MAX = 16
/** Hundredths of a degree are about a kilometre: enough for choosing a location. */
const roughly = (degrees: number): number => Math.round(degrees * 100) / 100

export class People {
  constructor(readonly vault: Vault) {}

  /** By whose key data is sealed: the retailer's id of the customer, or the address; a guest is one person for each order. */
  personOf({ id, email }: Pick<CustomerDocument, 'id' | 'email'>, otherwise: string): string {
    const name = id ?? email?.toLowerCase() ?? `order:${otherwise}`
    return this.vault.blind(`person:${name}`)
  }

  /** Words by which customers are asked for. */
  keyOf(text: string): string {
    return this.vault.blind(`customer:${text.toLowerCase()}`)
  }

  /** As `keyOf`, of a guest who is known by an order alone. */
  keyOfOrder(order: string): string {
    return this.vault.blind(`order:${order}`)
  }

  tokens(text: string): string[] {
    return tokensOf(text).map((token) => this.vault.blind(`text:${token}`))
  }

  /** Words of an order that it is found by, each once. */
  searchTokens(customer: CustomerDocument, shipTo: AddressDocument, externalId: string | undefined): string[] {
    const { name, email, phone } = customer
    const texts = [externalId, name, email, phone, shipTo.postalCode, shipTo.city]
    const words = new Set(texts.flatMap((text) => (text === undefined ? [] : tokensOf(text))))
    return [...words].slice(0, TOKENS_MAX).map((word) => this.vault.blind(`text:${word}`))
  }

  async sealCustomer(customer: CustomerDocument, person: string): Promise<Customer> {
    await this.vault.ensure(person)
    const { id, email } = customer
    // The person, too: an erasure finds all that it makes unreadable, also under an address that has changed since.
    const keys = [person, ...[id, email].flatMap((text) => (text ? [this.keyOf(text)] : []))]
    const sealed: Customer = { person, sealed: this.vault.seal(person, withoutUndefined(customer)), keys }
    // An id that is an address is no pseudonym.
    if (id !== undefined && !id.includes('@')) sealed.id = id
    const domain = email?.split('@').at(-1)?.toLowerCase()
    if (domain !== undefined) sealed.emailDomain = domain
    return sealed
  }

  openCustomer({ person, sealed }: Pick<Customer, 'person' | 'sealed'>): CustomerDocument {
    return this.vault.open<CustomerDocument>(person, sealed) ?? { name: ERASED }
  }

  /** Whether the person's key is still the one that sealed it. */
  canOpen({ person, sealed }: Pick<Customer, 'person' | 'sealed'>): boolean {
    return this.vault.open(person, sealed) !== undefined
  }

  sealAddress(address: AddressDocument, person: string): Address {
    const { country, postalCode, city, region, latitude, longitude, ...own } = address
    const exact = latitude === undefined || longitude === undefined ? {} : { latitude, longitude }
    const sealed: Address = {
      country,
      postalCode,
      city,
      sealed: this.vault.seal(person, withoutUndefined({ ...own, ...exact })),
    }
    if (region !== undefined) sealed.region = region
    if (latitude !== undefined) sealed.latitude = roughly(latitude)
    if (longitude !== undefined) sealed.longitude = roughly(longitude)
    return sealed
  }

  openAddress({ sealed, ...clear }: Address, person: string): AddressDocument {
    const own = this.vault.open<Pick<AddressDocument, 'line1'>>(person, sealed)
    const { country, postalCode, city, region } = clear
    const where = { city, postalCode, ...(region === undefined ? {} : { region }), country }
    return own ? { ...where, ...own } : { ...where, line1: ERASED }
  }

  sealText(text: string, person: string): Sealed {
    return this.vault.seal(person, text)
  }

  openText(sealed: Sealed, person: string): string {
    return this.vault.open<string>(person, sealed) ?? ERASED
  }
}
