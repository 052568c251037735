/** Every limit of outward calls, with its reason. What exceeds one is refused by name. */

/** A URL: what browsers and servers take everywhere; a longer one is a mistake. */
export const URL_LENGTH_MAX = 2_048

/** An answer: a page of a shop's API is far smaller, and each call under way may hold one in memory. */
export const RESPONSE_BYTES_MAX = 4 * 1_048_576

/** Of an answer that is not 2xx: enough for a sentence of the other side, read for whoever looks into the failure. */
export const EXCERPT_BYTES_MAX = 1_024

/** Time to connect (name look-up and TLS included), until headers come, between two pieces of a body, and in all. */
export const CONNECT_MS = 10_000
export const HEADERS_MS = 30_000
export const BODY_MS = 15_000
export const TOTAL_MS = 60_000

/** Repeats of a call that may be repeated; what still fails is for the caller, who can wait longer than memory should. */
export const RETRIES = 4
export const BACKOFF_FIRST_MS = 500
export const BACKOFF_MS_MAX = 15_000

/** A `Retry-After` beyond this is not waited for in memory: the call fails and says when to come back. */
export const RETRY_WAIT_MS_MAX = 30_000

/** A `Retry-After` beyond a day is taken for a day: nobody may put us off for ever. */
export const RETRY_AFTER_MS_MAX = 86_400_000

/** Calls of one host or connection under way, and waiting: what waits longer is better refused and asked again later. */
export const CALLS_AT_ONCE = 8
export const CALLS_QUEUED_MAX = 256

/** Hosts and connections that are remembered with their queues. */
export const QUEUES_MAX = 4_096
