/**
 * Every limit of the engine, each with its reason. What exceeds one is refused by name; nothing grows until the process
 * dies. Limits that the state depends on (what is remembered, how much work one entry does) are constants, since a
 * replay must do what the first run did; the others may be set when a partition is made.
 */

const MIB = 1024 * 1024

/** One direction of a mailbox between the gateway and a partition: ~0.2 s of packed commands at the highest rate. */
export const MAILBOX_BYTES = 16 * MIB

/** A mailbox between two partitions: sagas are rare beside buyers, and what does not fit waits in the outbox. */
export const PEER_MAILBOX_BYTES = 1 * MIB

/** The ring from a partition to its checkpointer: a few pages ahead of LMDB, so that a copy seldom waits. */
export const CHECKPOINT_RING_BYTES = 32 * MIB

/** One append: bounds how long a commit takes and how long a command behind it waits (~26,000 packed reservations). */
export const BATCH_BYTES_MAX = 1 * MIB

/** Entries (frames or commands) in one append; bounds the ticket table. */
export const BATCH_ENTRIES_MAX = 16_384

/** Timers run in one entry of the log: a million holds that end at one instant end in slices between the buyers. */
export const TIMERS_PER_ENTRY = 4_096

/**
 * Bytes of log behind which a checkpoint is begun (~300,000 commands): its write is a burst that appends wait behind, and
 * LMDB keeps the buffers of its largest commit for good, so little and often. But where the last one wrote more than twice
 * as much as this, because what changed lies scattered, the next one waits for half of what that one wrote, at most
 * CHECKPOINT_LOG_BYTES_MAX (~5 million commands, three seconds of recovery).
 */
export const CHECKPOINT_LOG_BYTES = 16 * MIB
export const CHECKPOINT_LOG_BYTES_MAX = 256 * MIB

/**
 * Documents and index entries that may have changed and are not stored yet, some 500 bytes each: beyond it a partition waits
 * for its checkpointer, and who asks meanwhile for its mailbox. Where no checkpoint can be taken, during a backup or after one
 * that failed, commands are refused instead.
 */
export const CHANGES_MAX = 1_000_000

/**
 * Documents and index entries that have changed, behind which a checkpoint is begun as well, and what each of them is of it,
 * about: 1,000 orders, some 6 MB. The flush of a larger commit holds up the log’s longer, on the same disk.
 */
export const CHECKPOINT_CHANGES = 25_000
export const CHANGE_BYTES = 250

/** The most of them, however scattered the pages are: as many again may come while the checkpoint is taken. */
export const CHECKPOINT_CHANGES_MAX = CHANGES_MAX / 4

/** What must be left on a disk besides what is written: pages and free lists of LMDB's trees. */
export const DISK_HEADROOM_BYTES = 256 * 1024

/** A quiet partition is checkpointed after this long, so that a restart finds a short log. */
export const CHECKPOINT_IDLE_MS = 5_000

/** Pages offered to the checkpointer in one step of the partition: 8 × 32 KiB is ~60 µs of copying. */
export const CHECKPOINT_PAGES_PER_STEP = 8

/**
 * Documents and index entries are offered in proportion to what is appended meanwhile, and at least as many as the two
 * figures below say, so that a checkpoint has been handed over by the time that so many bytes of log are behind it: however
 * much one append changes, the next checkpoint finds no more to do than this one.
 */
export const CHECKPOINT_HANDED_OVER_BYTES = CHECKPOINT_LOG_BYTES / 2

/** Documents offered in one step at least, some 100 µs of it. */
export const CHECKPOINT_DOCUMENTS_PER_STEP = 256

/** Index entries offered in one step at least, half a millisecond of it: there are several for each document that changes. */
export const CHECKPOINT_ENTRIES_PER_STEP = 1_024

/** A key of the store: what LMDB takes with pages of 4 KiB. */
export const KEY_BYTES_MAX = 1_978

/** What a changed index entry is reckoned to write: its key, and its share of a page that is copied for few of them. */
export const INDEX_ENTRY_BYTES = 512

/** After the disk refused a batch, an empty one is tried this often, so that the server becomes ready by itself. */
export const LOG_RETRY_MS = 1_000

/** Log records deleted in one append behind a checkpoint: spreads the truncation over later commits. */
export const TRUNCATE_PER_APPEND = 32

/** System pages touched ahead in one idle step: under a millisecond even where the host has to find them. */
export const WARM_PAGES_PER_STEP = 64

/** The memory-mapped size of a partition's log: address space, not memory; ENOSPC or this ends the acknowledgements. */
export const LOG_MAP_BYTES = 64 * 1024 * MIB

/** The memory-mapped size of a partition's store. */
export const STORE_MAP_BYTES = 256 * 1024 * MIB

/** Partitions of a data directory: each pair of them has a mailbox. */
export const PARTITIONS_MAX = 64

/** Messages to another partition that wait for its acknowledgement; more are refused at the command that causes them. */
export const OUTBOX_MESSAGES_MAX = 65_536

/**
 * Events kept for consumers that read them later; the oldest go first, and a consumer that missed some is told. What 300,000
 * orders publish while NATS or the ERP is away: some 300 bytes each on disk, none in memory.
 */
export const EVENTS_KEPT = 1_000_000

/**
 * The young generation of an engine thread's heap. Commands with documents make objects that live for one batch; with V8's
 * default of 16 MiB a fifth of the thread's time went into copying those that had not ended yet.
 */
export const YOUNG_GENERATION_MB = 64
