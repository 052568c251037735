/** What came of something that a channel said: done, or refused for good; and the keys by which its steps count once. */
import { createHash } from 'node:crypto'
import type { Problem } from '../../engine/protocol.js'

/** What was done about an event, for whoever looks at the delivery. */
export interface Applied {
  order?: string
  person?: string
  did: string
}

/** It cannot be carried out, and trying again would not change that. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly errors: { path: string; message: string }[] = [],
  ) {
    super(message)
  }
}

/** Of an operation that was not carried out: Refused, or an Error where it may be tried again. */
export function refusal(status: number, { detail, errors }: Problem): Error {
  return status >= 500 ? new Error(detail) : new Refused(detail, errors)
}

/** The Idempotency-Key of a step: the same for the same parts, for ever. */
export const stepKey = (parts: string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
