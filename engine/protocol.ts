/**
 * What goes through the mailboxes between a gateway and a partition, and between two partitions. Each entry has a kind, a
 * ticket (the gateway's number for whom to answer; echoed) and a detail.
 */

/** To a partition. */
export const Inbound = {
  /** detail: operation << 16 | count; payload: packed records, no frame header. */
  frame: 1,
  /** msgpack [name, body]: logged, applied, answered with `reply`. */
  command: 2,
  /** msgpack [name, body]: answered from the state after the batch that it came with; not logged. */
  query: 3,
  /** Finish what is here, checkpoint, end. */
  stop: 4,
  /** Answer with the log's position, and stand still until `parking` says go: a consistent cut over all partitions. */
  park: 5,
  /** From another partition. detail: its number; payload: msgpack [number, name, body]. */
  message: 6,
  /** From another partition. detail: its number; payload: f64, the last of our messages that it has logged. */
  acknowledgement: 7,
  /** detail 1: keep all log records, a backup is being taken; 0: truncate again. Answered when it holds. */
  keepLog: 8,
} as const

/** To a gateway. */
export const Outbound = {
  /** detail: count; payload: f64 log time of the batch, then the reply records. */
  frameReply: 1,
  /** msgpack { status, body }. */
  reply: 2,
  /** msgpack of a published event. ticket: the partition. */
  event: 3,
  /** The partition cannot write its log: nothing of the batch was applied. payload: the reason, UTF-8. */
  refused: 4,
} as const

/** Answer to a command or query: `status` has HTTP's meaning, `body` is a document or a problem. */
export interface Outcome {
  status: number
  body: unknown
}

export interface Problem {
  code: string
  detail: string
  errors?: { path: string; message: string }[]
  /** Of a step that is not possible: the state that it met, and what is possible in it. */
  current?: string
  possible?: string[]
}

/** Something that happened, as it leaves the engine: numbered for each partition, in the order of the log. */
export interface EngineEvent {
  partition: number
  number: number
  timeMs: number
  type: string
  subject: string
  data: unknown
}

/** Counters that each partition writes and anybody may read; one double each, in shared memory. */
export const STATS = [
  'sequence',
  'commands',
  'batches',
  'logBytes',
  'appendMilliseconds',
  'applyMilliseconds',
  'checkpoints',
  'logRecordsKept',
  'logWriteFailures',
  'logRefuses',
  'checkpointFailures',
  'timersRunning',
  'messagesWaiting',
  'memoryReady',
] as const
export type Stat = (typeof STATS)[number]
export const STATS_BYTES = STATS.length * 8
