/**
 * Reads what shops send, of which nothing may be believed: bytes become JSON, JSON becomes what a schema says, and whatever
 * is wrong ends in one UnreadablePayload that names it by its path. Amounts become whole ten-thousandths on the way in.
 */
import { z } from 'zod'
import { AMOUNT_MAX, units } from '../money.js'
import { UnreadablePayload } from './channel.js'

/** A person mends the first few; a payload of nothing but faults must not become a megabyte of them. */
const FAULTS_MAX = 50
const AMOUNT_UNITS_MAX = AMOUNT_MAX * 10_000

type Fault = UnreadablePayload['errors'][number]

/** Collects everything that is wrong, so that one look at a failure shows all of it. */
export class Faults {
  private readonly found: Fault[] = []

  add(path: string, message: string): void {
    if (this.found.length < FAULTS_MAX) this.found.push({ path, message })
  }

  get any(): boolean {
    return this.found.length > 0
  }

  /** Throws UnreadablePayload where there was anything. */
  end(what: string): void {
    if (this.any) throw unreadable(what, this.found)
  }
}

function unreadable(what: string, faults: Fault[]): UnreadablePayload {
  const [first] = faults
  const where = first && first.path !== '' ? `${first.path}: ` : ''
  const others = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  return new UnreadablePayload(`${what} can’t be read: ${where}${first?.message}${others}`, faults)
}

/** The JSON value in a body; UnreadablePayload where it is not JSON in UTF-8. */
export function parseJson(body: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw unreadable(what, [{ path: '', message: 'not JSON in UTF-8' }])
  }
}

/** The value as the schema has it; UnreadablePayload with the path of every fault. `at`: where the value stood. */
export function readAs<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
  at = '',
): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const faults = result.error.issues.slice(0, FAULTS_MAX).map(({ path, message }) => ({
    path: [...(at === '' ? [] : [at]), ...path.map(String)].join('.'),
    message,
  }))
  throw unreadable(what, faults)
}

/**
 * Ten-thousandths of a decimal number as shops write it: text with any number of digits behind the point, or a JSON
 * number; rounded half away from zero. Undefined where it is none, or too large to be reckoned with.
 */
export function tenThousandths(value: string | number): number | undefined {
  if (typeof value === 'number' && !(Math.abs(value) <= AMOUNT_MAX)) return undefined
  const text = typeof value === 'number' ? value.toFixed(6) : value.trim()
  const [, sign, whole, fraction = ''] = /^([+-]?)(\d{1,12})(?:\.(\d{0,20}))?$/.exec(text) ?? []
  if (whole === undefined) return undefined
  const cut = units(`${whole}.${fraction.slice(0, 4).padEnd(4, '0')}`)
  if (cut === undefined) return undefined
  const rounded = cut + (Number(fraction[4] ?? 0) >= 5 ? 1 : 0)
  return sign === '-' && rounded !== 0 ? -rounded : rounded
}

const written = z.union([z.string().max(60), z.number()], { error: 'not a decimal number' })

function reckoned(value: string | number, context: z.RefinementCtx<unknown>): number {
  const amount = tenThousandths(value)
  if (amount !== undefined && Math.abs(amount) <= AMOUNT_UNITS_MAX) return amount
  context.addIssue({ code: 'custom', message: `not a decimal number of at most ${AMOUNT_MAX}` })
  return z.NEVER
}

const notNegative = (amount: number): boolean => amount >= 0

/** An amount that has to be there, in ten-thousandths, zero or more. */
export const price = written.transform(reckoned).refine(notNegative, 'below zero')
/** An amount that may be left out or empty. */
const optionalAmount = written
  .nullish()
  .transform((value, context) => (value == null || value === '' ? undefined : reckoned(value, context)))
/** An amount of zero or more that is zero where it is not there. */
export const cost = optionalAmount
  .transform((amount) => amount ?? 0)
  .refine((amount) => notNegative(amount), 'below zero')
/** An amount of either sign that is zero where it is not there. */
export const balance = optionalAmount.transform((amount) => amount ?? 0)
/** An amount of zero or more, undefined where it is not there. */
export const statedAmount = optionalAmount.refine((amount) => amount === undefined || notNegative(amount), 'below zero')

/** Text of which nothing is asked; what is no text counts as a fault, null and nothing as undefined, and so does empty. */
export const words = (max: number) =>
  z
    .string()
    .max(max)
    .nullish()
    .transform((text) => {
      const trimmed = text?.trim()
      return trimmed === '' ? undefined : trimmed
    })

/** A number by which the platform knows a thing, as text. */
export const numericId = z
  .union([z.int().min(0), z.string().regex(/^\d{1,20}$/)], { error: 'not an id: a whole number' })
  .transform(String)
/** The same where it may be missing, or 0 for nobody. */
export const optionalId = numericId.nullish().transform((id) => (id == null || id === '0' ? undefined : id))

/** A part of an address of our making, so that no id from outside can lead anywhere else. */
export function segment(id: string): string {
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(id)) throw new Error(`${JSON.stringify(id)} is no id of this platform`)
  return id
}
