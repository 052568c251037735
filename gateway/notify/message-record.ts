/**
 * A message as it is kept: why it is sent, how far it is, and, sealed for its person, to whom and what. It is there before
 * anything is sent, so that a crash in between sends it again under the same key, and never forgets it.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Sealed, Vault } from '../personal-data/vault.js'
import type { Medium, MessageKind } from './message-kinds.js'
import type { NotSentReason } from './recipient.js'

export const MESSAGE = 'message'

export interface MessageContent {
  /** A mail address, or a number in E.164. */
  to: string
  toName?: string
  from: string
  fromName?: string
  replyTo?: string
  /** Empty of an SMS, like `html`. */
  subject: string
  text: string
  html: string
}

interface MessageFacts {
  order: string
  /** Partition and number of the event that it tells of. */
  event: string
  kind: MessageKind
  medium: Medium
  brand: string
  channel: string
  locale: string
  country: string
  timeZone: string
  /** By whose key it is sealed. */
  person: string
  /** Under which the customer's wishes are kept. */
  customerKeys: string[]
  createdMs: number
  usefulUntilMs: number
  /** Under which the provider is given it; another one for each time that a person sends it again. */
  key: string
  resends: number
  /** Since it was last queued. */
  attempts: number
  /** Compressed and sealed; none where it was not written at all. */
  content?: Sealed
  /** What the receiver's side has said since. */
  report?: 'delivered' | 'bounce' | 'complaint'
}

export type MessageRecord = MessageFacts &
  (
    | { state: 'queued'; sendAtMs: number }
    | { state: 'sent'; sentMs: number; providerId: string }
    | { state: 'failed'; failedMs: number; code: string; detail: Sealed }
    | { state: 'suppressed'; reason: NotSentReason; detail: string }
  )

/** The longest that a tracking link lives; a bounce or a complaint comes within days. */
const KEPT_MS = 180 * 86_400_000

export const stateRef = (state: MessageRecord['state']): string => `state/${state}`

/** What is put with it: by what it is found, and when something is to be done, which of a finished one is to delete it. */
export const putOf = (value: MessageRecord, nowMs: number) => ({
  value,
  refs: [value.order, value.person, stateRef(value.state)],
  dueMs: value.state === 'queued' ? value.sendAtMs : nowMs + KEPT_MS,
})

/**
 * Known by a provider, and read back out of a bounce: the message's id, how often it was sent again, and a keyed hash,
 * since two installations at one provider have events of the same numbers, and so has one that was restored.
 */
export const messageKey = (vault: Vault, id: string, createdMs: number, resends: number): string =>
  `${id}.${resends}.${vault.blind(`message:${id}/${createdMs}`)}`

/** The same key but for the count, so that what comes back about either leads here. */
export const keyAgain = (key: string, id: string, resends: number): string =>
  `${id}.${resends}.${key.split('.')[2] ?? ''}`

/** All keys that a message was ever given to its provider under. */
export const keysOf = (id: string, { key, resends }: Pick<MessageRecord, 'key' | 'resends'>): string[] =>
  Array.from({ length: resends + 1 }, (_, count) => keyAgain(key, id, count))

export const idOfKey = (key: string): string => key.split('.', 1)[0]!

export const sealContent = (vault: Vault, person: string, content: MessageContent): Sealed =>
  vault.seal(person, deflateRawSync(JSON.stringify(content)))

/** Undefined where the person was erased, or nothing was written. */
export function openContent(vault: Vault, { person, content }: MessageRecord): MessageContent | undefined {
  const packed = content && vault.open<Uint8Array>(person, content)
  // Sealed above, so its shape is known.
  return packed && (JSON.parse(inflateRawSync(packed).toString()) as MessageContent)
}
