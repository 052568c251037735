/** Every limit of outgoing webhooks, with its reason. What exceeds one is refused by name. */

/** Patterns of one webhook, and the length of each: more than there are kinds of events. */
export const PATTERNS_MAX = 100
export const PATTERN_LENGTH_MAX = 100

/** Secrets that are good at the same time: a new one, the old one, and room for a rotation that went wrong. */
export const SECRETS_MAX = 5

/** Bytes of a secret: the bounds of the Standard Webhooks specification, and what we make ourselves. */
export const SECRET_BYTES_MIN = 24
export const SECRET_BYTES_MAX = 64
export const SECRET_BYTES_MADE = 32

/** One attempt in all: the specification asks senders to wait 15 to 30 seconds. */
export const ATTEMPT_MS_MAX = 15_000

/** Attempts that are remembered of a delivery: three whole rounds. */
export const ATTEMPTS_KEPT = 33

/** An error as it is remembered. */
export const ERROR_LENGTH_MAX = 300

/** A delivery that nobody could try, since its receiver was down, is given up after so long: a little over a whole round. */
export const DELIVERY_AGE_MS_MAX = 30 * 3_600_000

/** Attempts under way in all, and of one webhook: a slow one holds a sixteenth. */
export const ATTEMPTS_AT_ONCE = 64
export const ATTEMPTS_AT_ONCE_EACH = 4

/** Failures in a row after which a receiver counts as down, and how long it is let alone between two probes. */
export const FAILURES_UNTIL_DOWN = 5
export const PROBE_FIRST_MS = 5_000
export const PROBE_MS_MAX = 300_000

/** Receivers whose health is remembered. */
export const RECEIVERS_MAX = 10_000

/** The store is asked again after so long where it failed, and at the latest after so long where nothing is due. */
export const STORE_PAUSE_MS = 5_000
export const LOOK_MS_MAX = 60_000

/** What is under way when the process ends may take so long. */
export const STOP_GRACE_MS = 5_000
