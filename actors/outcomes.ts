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
