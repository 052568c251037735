/** What customers have said about being written to: consent for each medium, language and time zone. Sealed for the person. */
import { IANAZone } from 'luxon'
import { z } from 'zod'
import type { CustomerDocument, People } from '../personal-data/people.js'
import type { Sealed } from '../personal-data/vault.js'
import type { RecordStore } from '../records.js'
import { locale } from './brands.js'
import { MEDIA, MESSAGE_KINDS, type Medium } from './message-kinds.js'
import type { Consent } from './recipient.js'

const consent = z.object({
  transactional: z.boolean().optional(),
  marketing: z.boolean().optional(),
  kinds: z.partialRecord(z.enum(MESSAGE_KINDS), z.boolean()).optional(),
})

export const customerWishes = z.object({
  email: consent.optional().meta({ description: 'What may be sent by mail; what is absent was not spoken of' }),
  sms: consent.optional(),
  locale: locale.optional(),
  timeZone: z
    .string()
    .max(50)
    .refine((zone) => IANAZone.isValidZone(zone), 'an IANA time zone, such as "Europe/London"')
    .optional(),
})
export type CustomerWishes = z.output<typeof customerWishes>

const CONSENT = 'consent'

interface WishesRecord {
  person: string
  sealed: Sealed
}

export class WishBook {
  constructor(
    private readonly records: RecordStore,
    private readonly people: People,
  ) {}

  /** By the id or the mail address that orders name the customer by. */
  async put(customer: string, wishes: CustomerWishes): Promise<void> {
    const { people, records } = this
    const person = people.personOf(customer.includes('@') ? { email: customer } : { id: customer }, '')
    await people.vault.ensure(person)
    const value: WishesRecord = { person, sealed: people.vault.seal(person, wishes) }
    await records.put({ kind: CONSENT, id: people.keyOf(customer), value, refs: [person] })
  }

  async get(customer: string): Promise<CustomerWishes | undefined> {
    return this.byKey(this.people.keyOf(customer))
  }

  /** What somebody has said who is known by an id and an address: a "no" under either counts. */
  async of(keys: readonly string[]): Promise<CustomerWishes> {
    const said = await Promise.all(keys.map((key) => this.byKey(key)))
    return said.reduce<CustomerWishes>((all, own) => (own ? merged(all, own) : all), {})
  }

  private async byKey(key: string): Promise<CustomerWishes | undefined> {
    const found = await this.records.get<WishesRecord>(CONSENT, key)
    return found ? this.people.vault.open<CustomerWishes>(found.value.person, found.value.sealed) : undefined
  }
}

/** Keyed hashes under which a customer's wishes may be kept. */
export const customerKeys = ({ id, email }: CustomerDocument, people: People): string[] =>
  [id, email].flatMap((text) => (text === undefined ? [] : [people.keyOf(text)]))

function merged(first: CustomerWishes, second: CustomerWishes): CustomerWishes {
  const media = MEDIA.flatMap((medium): [Medium, Consent][] => {
    const both = stricter(first[medium], second[medium])
    return both ? [[medium, both]] : []
  })
  return { ...second, ...first, ...Object.fromEntries(media) }
}

function stricter(first: Consent | undefined, second: Consent | undefined): Consent | undefined {
  if (!first || !second) return first ?? second
  const kinds = Object.fromEntries(
    MESSAGE_KINDS.flatMap((kind) => {
      const said = [first.kinds?.[kind], second.kinds?.[kind]].filter((word) => word !== undefined)
      return said.length === 0 ? [] : [[kind, !said.includes(false)]]
    }),
  )
  const words = (['transactional', 'marketing'] as const).flatMap((purpose) => {
    const said = [first[purpose], second[purpose]].filter((word) => word !== undefined)
    return said.length === 0 ? [] : [[purpose, !said.includes(false)]]
  })
  return { ...Object.fromEntries(words), kinds }
}
