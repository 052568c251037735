/** Answers to commands and queries, in HTTP's words: a status and a document, or a problem with a stable code. */
import type { Outcome, Problem } from '../engine/protocol.js'

export const ok = (body: unknown): Outcome => ({ status: 200, body })
export const created = (body: unknown): Outcome => ({ status: 201, body })

export function problem(status: number, code: string, detail: string): Outcome {
  const body: Problem = { code, detail }
  return { status, body }
}

export const unknownSku = (): Outcome => problem(404, 'unknown_sku', 'There is no such SKU; put the product first.')
export const unknownLocation = (): Outcome =>
  problem(404, 'unknown_location', 'There is no such location in service; put the location first.')
export const full = (what: string): Outcome =>
  problem(
    503,
    'overloaded',
    `There is no room for more ${what} in this partition; see the limits in the documentation.`,
  )
export const conflict = (what: string): Outcome =>
  problem(409, 'conflict', `${what} was used before with other content; use a new id, or send the first content again.`)

/** Everything that is wrong with an input, in one answer; its sentence is the first fault. `errors` is not empty. */
export function faulty(errors: NonNullable<Problem['errors']>, code = 'invalid'): Outcome {
  const [first] = errors as [{ path: string; message: string }]
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const detail = `${first.path === '' ? 'The body' : first.path}: ${first.message}${more}`
  return { status: 422, body: { code, detail, errors } }
}

/** The same of an order: that a SKU is unknown has a code of its own. */
export function faultyOrder(errors: NonNullable<Problem['errors']>): Outcome {
  const isUnknown = errors.some(({ message }) => message.startsWith('unknown SKU'))
  return faulty(errors, isUnknown ? 'unknown_sku' : 'invalid')
}
