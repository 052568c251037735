/**
 * A connection has one secret text, and most platforms want several. The text is either the webhook secret alone, or a JSON
 * object of named secrets such as `{ "webhookSecret": "…", "accessToken": "…" }`; each channel says which names it knows.
 */
import { z } from 'zod'

const named = z.record(z.string().max(100), z.string().max(10_000))

/** The secrets by name; a text that is no JSON object is the webhook secret. */
export function secrets(secret: string): ReadonlyMap<string, string> {
  let value: unknown
  try {
    value = JSON.parse(secret)
  } catch {
    value = undefined
  }
  const read = named.safeParse(value)
  return new Map(read.success ? Object.entries(read.data) : [['webhookSecret', secret]])
}

/** The secret of that name; an Error that says what to do where the connection has none. */
export function neededSecret(secret: string, name: string): string {
  const found = secrets(secret).get(name)
  if (found) return found
  throw new Error(`the connection’s secret has no ${name}: put it as JSON, { "${name}": "…" }, beside the others`)
}
