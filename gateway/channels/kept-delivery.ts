/** What is kept of a delivery of a channel: the payload sealed, what came of it in the clear. */
import type { Sealed } from '../personal-data/vault.js'
import type { Connection } from './channel.js'

export const INTAKE = 'intake'

/** What is sealed of a delivery: what was sent and what the platform answered when it was asked, or all that it told. */
export type DeliveredPayload =
  | { headers: Record<string, string>; body: Uint8Array; answers?: Readonly<Record<string, unknown>> }
  | { told: unknown }

export interface KeptDelivery {
  connection: { type: Connection['type']; id: string }
  /** `person` is the key that seals it. */
  person: string
  payload: Sealed
  state: 'waiting' | 'done' | 'failed'
  receivedMs: number
  attempts: number
  did: string[]
  orders: string[]
  reason?: string
  errors?: { path: string; message: string }[]
}

/** What it is found by: its connection, how far it is, whose it is, what was made of it. */
export function refsOf({ connection, orders, person, state }: KeptDelivery): string[] {
  const from = `${connection.type}/${connection.id}`
  return [from, `${from}/${state}`, person, ...orders]
}

export const shownDelivery = ({ state, did, orders, reason, errors, attempts, receivedMs }: KeptDelivery): object => ({
  state,
  did,
  orders,
  attempts,
  receivedAt: new Date(receivedMs).toISOString(),
  ...(reason === undefined ? {} : { reason }),
  ...(errors && errors.length > 0 ? { errors } : {}),
})
