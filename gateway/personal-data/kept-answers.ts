/**
 * Answers that are kept for an Idempotency-Key. They show orders and customers and they are kept in the log, so they are
 * sealed there for the person that they show, and what shows nobody with a key of our own.
 */
import type { Outcome } from '../../engine/protocol.js'
import { problem } from '../problems.js'
import type { Sealed, Vault } from './vault.js'

export interface KeptAnswer {
  status: number
  /** Whose data it shows. */
  person?: string
  /** Empty where the person was erased before it could be kept. */
  sealed: Sealed
}

const PURPOSE = 'answers'

export function sealAnswer(vault: Vault, { status, body }: Outcome, person: string | undefined): KeptAnswer {
  if (person === undefined) return { status, sealed: vault.sealSecret(PURPOSE, body) }
  return { status, person, sealed: vault.has(person) ? vault.seal(person, body) : new Uint8Array(0) }
}

/** The answer as it was given; 410 where whom it showed was erased since. */
export function openAnswer(vault: Vault, { status, person, sealed }: KeptAnswer): Outcome {
  if (person === undefined) return { status, body: vault.openSecret(PURPOSE, sealed) }
  const kept = vault.open<unknown>(person, sealed)
  if (kept !== undefined) return { status, body: kept }
  return problem(
    410,
    'erased',
    'This request was carried out, but its answer showed a customer whose personal data was erased since; read what it made by its id.',
  )
}
