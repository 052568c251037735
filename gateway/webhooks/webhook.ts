/**
 * A webhook: where a retailer wants to be told of events, of which ones, and the secrets that they are signed with. Secrets
 * are those of the Standard Webhooks specification: `whsec_` and base64; a made one is told once, by the answer to its PUT.
 */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { AddressGuard } from '../outward/address-guard.js'
import { OutwardError } from '../outward/outward-error.js'
import * as limits from './limits.js'

export interface Webhook {
  id: string
  url: string
  /** All are signed with; the newest first. */
  secrets: string[]
  /**
   * Which types of events: words joined by dots, `*` for any one word, `>` at the end for all that follows. `order.*` is
   * order.received, `>` is everything.
   */
  events: string[]
  enabled: boolean
  description?: string
}

const PREFIX = 'whsec_'
const PATTERN = /^(?:(?:\*|[a-z][a-z0-9_]*)\.)*(?:\*|>|[a-z][a-z0-9_]*)$/

const isSecret = (text: string): boolean => {
  if (!text.startsWith(PREFIX)) return false
  const base64 = text.slice(PREFIX.length)
  const key = Buffer.from(base64, 'base64')
  return (
    key.toString('base64') === base64 && key.length >= limits.SECRET_BYTES_MIN && key.length <= limits.SECRET_BYTES_MAX
  )
}

export const newSecret = (): string => PREFIX + randomBytes(limits.SECRET_BYTES_MADE).toString('base64')

/** What a client PUTs; the URL is checked by what stands in it, and its address again with each call. */
export const webhookInput = (guard: AddressGuard) =>
  z.strictObject({
    url: z
      .string()
      .superRefine((text, context) => {
        try {
          guard.url(text)
        } catch (error) {
          if (!(error instanceof OutwardError)) throw error
          context.addIssue({ code: 'custom', message: error.message })
        }
      })
      .meta({ format: 'uri', description: 'Where events are POSTed' }),
    secrets: z
      .array(
        z
          .string()
          .refine(
            isSecret,
            `whsec_ and ${limits.SECRET_BYTES_MIN} to ${limits.SECRET_BYTES_MAX} random bytes in base64; leave secrets out to have one made`,
          ),
      )
      .min(1)
      .max(limits.SECRETS_MAX)
      .refine((secrets) => new Set(secrets).size === secrets.length, 'each secret once')
      .optional()
      .meta({ description: 'Each event is signed with all of them; none given: those it has, or a new one' }),
    events: z
      .array(
        z
          .string()
          .max(limits.PATTERN_LENGTH_MAX)
          .regex(PATTERN, 'a type of event, such as "order.received", or a pattern, such as "order.*" or ">"'),
      )
      .min(1)
      .max(limits.PATTERNS_MAX)
      .meta({
        description: 'Types of events; * is any one word, > at the end all that follows',
        examples: [['order.*']],
      }),
    enabled: z.boolean().default(true),
    description: z.string().max(500).optional(),
  })

export type WebhookInput = z.output<ReturnType<typeof webhookInput>>

/** The webhook that a PUT makes of what was there. A secret that was made is to be told in the answer, this once. */
export function putWebhook(
  id: string,
  { secrets: given, description, ...input }: WebhookInput,
  existing?: Webhook,
): { webhook: Webhook; madeSecret?: string } {
  const kept = given ?? existing?.secrets
  const secrets = kept ?? [newSecret()]
  const webhook: Webhook = { id, ...input, secrets, ...(description === undefined ? {} : { description }) }
  return kept ? { webhook } : { webhook, madeSecret: secrets[0]! }
}

/** With a new secret beside those it has; the oldest goes where they are too many. Told once, like a made one. */
export function rotateSecret(webhook: Webhook): { webhook: Webhook; madeSecret: string } {
  const madeSecret = newSecret()
  return { webhook: { ...webhook, secrets: [madeSecret, ...webhook.secrets].slice(0, limits.SECRETS_MAX) }, madeSecret }
}

/** As it is shown: how many secrets are good, never which. */
export const shownWebhook = ({ secrets, ...webhook }: Webhook): Omit<Webhook, 'secrets'> & { secretCount: number } => ({
  ...webhook,
  secretCount: secrets.length,
})

function matchesPattern(pattern: string, type: string): boolean {
  const words = type.split('.')
  const wanted = pattern.split('.')
  const rest = wanted.at(-1) === '>'
  const fixed = rest ? wanted.slice(0, -1) : wanted
  if (rest ? words.length <= fixed.length : words.length !== fixed.length) return false
  return fixed.every((word, index) => word === '*' || word === words[index])
}

/** Whether the webhook is to be told of events of this type. */
export const matches = ({ enabled, events }: Webhook, type: string): boolean =>
  enabled && events.some((pattern) => matchesPattern(pattern, type))
