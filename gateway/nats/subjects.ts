/** The names that NATS clients see: subjects, streams, headers. Fixed for ever, like the paths of HTTP. */

const ROOT = 'doorbuster.v1'

export const COMMANDS = `${ROOT}.command`
export const RESERVE = `${ROOT}.reserve`
export const INTAKE = `${ROOT}.intake`
export const DEAD = `${ROOT}.dead`
export const EVENTS = `${ROOT}.event`

export const INTAKE_STREAM = 'DOORBUSTER_INTAKE'
export const DEAD_STREAM = 'DOORBUSTER_DEAD'
export const EVENTS_STREAM = 'DOORBUSTER_EVENTS'
/** The durable consumer of the intake stream. */
export const INTAKE_CONSUMER = 'doorbuster'
/** Several servers on one set of subjects share what comes. */
export const QUEUE_GROUP = 'doorbuster'

export const Header = {
  contentType: 'Content-Type',
  idempotencyKey: 'Idempotency-Key',
  idempotentReplayed: 'Idempotent-Replayed',
  messageId: 'Nats-Msg-Id',
  /** Of an error in answer to a packed frame, and of a dead letter: the status of its problem. */
  status: 'Doorbuster-Status',
  /** Of a dead letter. */
  code: 'Doorbuster-Code',
  reason: 'Doorbuster-Reason',
  sequence: 'Doorbuster-Intake-Sequence',
} as const

/** The part of a subject behind its prefix and a dot. */
export const nameIn = (subject: string, prefix: string): string => subject.slice(prefix.length + 1)
