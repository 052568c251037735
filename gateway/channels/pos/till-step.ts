/**
 * One transaction of a till while it is carried out: what is kept of it, the ids of its steps, and how a step is refused.
 */
import type { OperationContext } from '../../operations/operation.js'
import type { Sealed } from '../../personal-data/vault.js'
import type { PosSettings, StockNote, Transaction, TransactionResult } from './transactions.js'

export const JOURNAL = 'pos-transaction'
/** What is kept of a transaction. */
export interface JournalEntry {
  connection: string
  till: string
  id: string
  type: Transaction['type']
  fingerprint: string
  /** Whose key seals it. */
  person: string
  /** As the till sent it. */
  payload: Sealed
  /** By the server's clock. */
  receivedAt: string
  /** Adjustments that were decided upon, before they are made: a repeat makes the same ones. */
  adjustments: (StockNote & { id: string; location: string })[]
  result?: TransactionResult
  /** The transaction that took it back. */
  voidedBy?: string
  /** Units of a sale without an order that have come back, by the transaction that took them. */
  returned?: Record<string, { sku: string; quantity: number }[]>
}

/** By what it is found: the connection, and whose it is. */
export const refsOfEntry = ({ connection, person }: JournalEntry): string[] => [connection, person]

/** A transaction that is being carried out. */
export interface TillStep {
  connection: string
  till: string
  settings: PosSettings
  entry: JournalEntry
  /** Whether an earlier try was cut off: what looks as if it had been done already was done by that one. */
  isRepeat: boolean
  context: OperationContext
  /** The same id for the same part of the transaction, for ever. */
  idOf(part: string): string
  /** Carries an operation out; throws `TillRefusal` where it is refused, with what it says. */
  must<Body>(name: string, input: object, idempotencyKey?: string): Promise<Body>
  /** Changes stock, once for this part of the transaction, also if it is decided upon anew. */
  adjust(part: string, note: StockNote): Promise<void>
}

/** A step was refused: nothing more is done of the transaction. */
export class TillRefusal extends Error {
  constructor(
    readonly code: string,
    detail: string,
    readonly more: Partial<TransactionResult> = {},
  ) {
    super(detail)
  }
}

export const receiptName = (till: string, id: string): string => `${till}/${id}`
export const journalId = (connection: string, till: string, id: string): string =>
  `${connection}/${receiptName(till, id)}`

export const refuse = (code: string, detail: string, more: Partial<TransactionResult> = {}): never => {
  throw new TillRefusal(code, detail, more)
}
