/**
 * What a trading partner's connection is set up with: who is who in the envelopes, how the partner names articles, units,
 * places and services, and how our documents to it are written. Everything has a default, so that a partner's first file
 * can be read before anything is agreed.
 */
import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { address, locationName, money } from '../../schemas.js'
import { isSeparatorSign } from './separator-sign.js'

const code = z.string().regex(/^[A-Z0-9]{1,4}$/, 'a code of 1 to 4 capital letters and digits')
/** Identifiers stand in fixed fields of envelopes that every network on the way reads: plain characters only. */
const identifier = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,34}$/, 'up to 35 letters, digits and . _ / - or space')

const party = z.object({
  qualifier: code.default('ZZ').meta({ description: 'ISA05/ISA07, or UNB’s partner qualifier, such as 14 for a GLN' }),
  id: identifier.meta({ description: 'At most 15 characters in X12' }),
  group: identifier.optional().meta({ description: 'GS02/GS03 where it differs from the interchange’s' }),
  name: z.string().min(1).max(60).optional(),
})

const separator = z.string().refine(isSeparatorSign, 'one character of ASCII that is no letter, digit or space')
const distinct = (separators: readonly (string | undefined)[]) => new Set(separators).size === separators.length

const x12 = z
  .object({
    version: z
      .string()
      .regex(/^00[34578]0\d0[A-Z0-9]{0,6}$/, 'a version of the standard, such as 004010')
      .default('004010'),
    element: separator.default('*'),
    component: separator.default('>'),
    repetition: separator.default('^').meta({ description: 'Said in ISA11 from version 004020 on' }),
    terminator: separator.default('~'),
    lineBreaks: z.boolean().default(true).meta({ description: 'A line break behind each segment' }),
    skuQualifier: code.default('SK').meta({ description: 'What our SKU is to this partner: SK, VN, BP …' }),
  })
  .refine(({ element, component, repetition, terminator }) => distinct([element, component, repetition, terminator]), {
    message: 'four different separators',
  })

const edifact = z
  .object({
    level: z.enum(['UNOA', 'UNOB', 'UNOC']).default('UNOC'),
    directory: z.enum(['D96A', 'D01B']).default('D96A'),
    association: z
      .string()
      .regex(/^[A-Z0-9]{1,6}$/)
      .optional()
      .meta({ description: 'Association assigned code of UNH, such as EAN008' }),
    component: separator.default(':'),
    element: separator.default('+'),
    release: separator.default('?'),
    terminator: separator.default("'"),
    decimal: z.enum(['.', ',']).default('.'),
    lineBreaks: z.boolean().default(true),
    skuQualifier: code
      .default('SA')
      .meta({ description: 'What our SKU is: SA the supplier’s, BP the buyer’s, EN an EAN' }),
  })
  .refine(
    ({ component, element, release, terminator, decimal }) =>
      distinct([component, element, release, terminator, decimal]),
    { message: 'different separators' },
  )

export const ediSettings = z.object({
  ours: party.optional().meta({ description: 'Whom files are for; none: not checked, answers go back as they came' }),
  theirs: party.optional().meta({ description: 'Whom files are from; none: not checked' }),
  test: z.boolean().default(false).meta({ description: 'What we write is marked as a test' }),
  currency: money.shape.currency.default('USD').meta({ description: 'Of orders that name none' }),
  country: address.shape.country.default('US').meta({ description: 'Of addresses that name none' }),
  skuQualifiers: z
    .array(code)
    .min(1)
    .max(30)
    .default(['SK', 'VN', 'VP', 'SA', 'VC', 'SRV', 'UP', 'EN', 'UK', 'UI', 'UA', 'BP', 'IN', 'CB', 'PI', 'MG'])
    .meta({ description: 'Which of a line’s article numbers is the SKU: the first of these that is there' }),
  units: z
    .record(z.string().max(3), z.int().min(1).max(1_000_000))
    .default({})
    .meta({ description: 'Pieces in the partner’s units beside EA, PC and the like: { "CA": 12 }' }),
  places: z
    .record(z.string().max(80), address.extend({ name: z.string().min(1).max(200).optional() }))
    .default({})
    .meta({ description: 'Addresses of the partner’s places by the number that orders name them with' }),
  services: z
    .record(z.string().max(80), z.string().min(1).max(50))
    .default({})
    .meta({ description: 'Our shipping services by the partner’s carrier or service code' }),
  priceWhereMissing: money.shape.amount.optional().meta({ description: 'Unit price of lines without; none: refused' }),
  warehouses: z
    .record(locationName, identifier)
    .default({})
    .meta({ description: 'Our locations that the partner runs as a warehouse, and its number of each: 940 and 945' }),
  suppliers: z
    .record(locationName, identifier)
    .default({})
    .meta({ description: 'Our drop-ship locations that the partner is, and our account there: 850, 855, 856 and 846' }),
  advises: z.boolean().default(false).meta({ description: 'Whether it is sent our stock (846) every day' }),
  companyPrefix: z
    .string()
    .regex(/^\d{4,12}$/, '4 to 12 digits')
    .optional()
    .meta({ description: 'Our GS1 company prefix: packages of ship notices have an SSCC of it; none: they have none' }),
  outFolder: z
    .string()
    .max(1_000)
    .refine((path) => isAbsolute(path) && !path.includes('\0'), 'an absolute path of a folder that is there')
    .optional()
    .meta({ description: 'A folder of this machine where each document for the partner is written as a file, too' }),
  x12: x12.prefault({}),
  edifact: edifact.prefault({}),
})
export type EdiSettings = z.output<typeof ediSettings>
export type EdiParty = NonNullable<EdiSettings['ours']>
