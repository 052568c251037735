/** Problems as clients see them: RFC 9457 documents with a stable code and a sentence that says what to do. */
import type { Outcome, Problem } from '../engine/protocol.js'

const TITLES: Record<string, string> = {
  insufficient_stock: 'Not enough stock',
  unknown_sku: 'Unknown SKU',
  unknown_location: 'Unknown location',
  buyer_limit: 'Limit for each buyer reached',
  sale_closed: 'The sale is not open',
  invalid: 'Invalid request',
  conflict: 'The id was used with other content',
  overloaded: 'Too much to do right now',
  expired: 'The reservation has expired',
  unknown_reservation: 'Unknown reservation',
  not_found: 'Nothing here',
  method_not_allowed: 'Method not allowed',
  body_too_large: 'The body is too large',
  foreign_request: 'Foreign Host or Origin',
  invalid_transition: 'Not possible in this state',
  unknown_order: 'Unknown order',
  unknown_customer: 'Unknown customer',
  orders_open: 'Orders are not over',
  erased: 'Personal data was erased',
}

export interface ProblemDocument extends Problem {
  type: string
  title: string
  status: number
}

/** What a problem says besides its code and its sentence (what is possible instead, for one) goes out with it. */
export function problemDocument(status: number, { code, detail, errors, ...more }: Problem): ProblemDocument {
  const title = TITLES[code] ?? code.replaceAll('_', ' ')
  const document = { type: `urn:doorbuster:problem:${code}`, title, status, detail, code, ...more }
  return errors ? { ...document, errors } : document
}

export function problem(status: number, code: string, detail: string, errors?: Problem['errors']): Outcome {
  return { status, body: errors ? { code, detail, errors } : { code, detail } }
}

export const tooLarge = (): Outcome =>
  problem(413, 'body_too_large', 'This is more than one step of the log can hold; send it in several parts.')

export const overloaded = (reason?: string): Outcome =>
  problem(503, 'overloaded', reason ?? 'More is waiting than can be taken on; nothing was done. Try again shortly.')

export const unknownSku = (name: string): Outcome =>
  problem(404, 'unknown_sku', `There is no SKU ${name}; put the product first.`)
export const unknownLocation = (name: string): Outcome =>
  problem(404, 'unknown_location', `There is no location ${name} in service; put the location first.`)
