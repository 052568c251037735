/** Every limit of the edges, with its reason. What exceeds one is refused by name. */

/** A request's body: the contract's figure. */
export const BODY_BYTES_MAX = 1_048_576

/** A body that announces more than that is read to its end and forgotten, up to here, so that its sender sees why. */
export const BODY_DRAINED_MAX = 16 * 1_048_576

/** Records of one packed frame: 160 KB, a few milliseconds of work; more would make others wait. */
export const FRAME_RECORDS_MAX = 4_096

/** A WebSocket message: the largest frame or a control message of as much. */
export const MESSAGE_BYTES_MAX = 262_144

/** Requests under way in this process: bounds what is remembered about who is to be answered. */
export const TICKETS_MAX = 262_144

/** Packed frames of one socket that are not answered yet; more are answered `overloaded`. */
export const FRAMES_IN_FLIGHT_MAX = 4_096

/** Control messages of one socket that are not answered yet. */
export const CONTROLS_IN_FLIGHT_MAX = 1_024

/** Bytes that a reader may lag behind before its socket is closed: a slow reader must not grow the process. */
export const READER_LAG_BYTES_MAX = 8 * 1_048_576

/** Topics that one socket may subscribe to. */
export const TOPICS_MAX = 1_024

/** Names in one intern message, and items in one bulk command. */
export const BULK_ITEMS_MAX = 500
export const INTERN_NAMES_MAX = 10_000

/** Lines of one batch of reservations. */
export const BATCH_LINES_MAX = 500

/** Readers of the event stream at once, and how often one that has nothing to read is written a comment. */
export const EVENT_STREAMS_MAX = 256
export const EVENT_STREAM_KEEPALIVE_MS = 15_000

/** Exports of orders at once: each holds a page of orders and what the kernel holds for its reader. */
export const EXPORTS_MAX = 8

/** Headers that are kept of a delivery: platforms send a dozen. */
export const CHANNEL_HEADERS_MAX = 64

/** An export whose reader takes nothing for so long is ended, so that it gives its place to others. */
export const EXPORT_STALL_MS_MAX = 60_000

/** Fulfillments and lines that one wave is picked from: more than a picker carries; a list of some hundred pages. */
export const WAVE_FULFILLMENTS_MAX = 500
export const WAVE_LINES_MAX = 5_000

/** Documents that wait for the thread that prints them: each takes from 50 ms to 2 s. */
export const PRINTS_WAITING_MAX = 32

/**
 * Events of a partition, and their bytes as they were pushed, that are kept in memory for readers near the end: what some
 * 4,000 orders publish. Who is further behind asks the partition.
 */
export const EVENT_FEED_EVENTS_MAX = 16_384
export const EVENT_FEED_BYTES_MAX = 16 * 1_048_576

/** What a client that was told `overloaded` should wait: the mailbox of a partition empties in far less. */
export const RETRY_AFTER_SECONDS = 1

/** Commands by NATS that are not answered yet, of all who ask; more are answered `overloaded`. */
export const NATS_COMMANDS_IN_FLIGHT_MAX = 8_192

/**
 * Messages of the intake stream that are held here: enough to fill a log's batch many times over while the ones before are
 * flushed and acknowledged. NATS keeps the rest, on its disk.
 */
export const INTAKE_IN_FLIGHT_MAX = 8_192

/**
 * With those of partitions that are behind, which are held beside them so that the others go on: 1.6 KB of memory each.
 * A partition is behind where it has not carried out what came so long ago; one that keeps up takes a few milliseconds.
 */
export const INTAKE_HELD_MAX = 131_072
export const INTAKE_BYTES_MAX = 64 * 1_048_576
export const INTAKE_BEHIND_MS = 400

/** Messages and bytes that are asked of the intake stream at once; a message has to fit. */
export const INTAKE_PULL_MAX = 2_048
export const INTAKE_PULL_BYTES_MAX = 16 * 1_048_576

/** A message that could not be carried out comes back after the first wait, then after twice that, up to the second. */
export const INTAKE_RETRY_MS = 250
export const INTAKE_RETRY_MS_MAX = 30_000

/** Longer words in a dead letter's header are cut. */
export const DEAD_REASON_CHARACTERS_MAX = 500

/** Messages that the streams keep where this server makes them; who wants other bounds makes the streams beforehand. */
export const INTAKE_STREAM_MESSAGES_MAX = 10_000_000
export const DEAD_STREAM_MESSAGES_MAX = 1_000_000
export const EVENTS_STREAM_MESSAGES_MAX = 10_000_000

/** Time in which NATS drops a message whose Nats-Msg-Id it has seen; 100 bytes of its memory for each. */
export const NATS_DUPLICATES_MS = 120_000
