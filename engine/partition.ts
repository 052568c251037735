/**
 * A partition: the unit of order, ownership and recovery. One step takes what has arrived, appends it to the log, applies
 * it, and lets the answers go; nothing is answered before it is durable. The step can be called by a thread's loop, by a
 * test or by a simulator.
 */
import { pack, unpack } from 'msgpackr'
import { DoorbusterError, LogWriteError } from './errors.js'
import {
  BATCH_BYTES_MAX,
  BATCH_ENTRIES_MAX,
  CHANGE_BYTES,
  CHANGES_MAX,
  CHECKPOINT_CHANGES,
  CHECKPOINT_CHANGES_MAX,
  CHECKPOINT_HANDED_OVER_BYTES,
  CHECKPOINT_IDLE_MS,
  CHECKPOINT_LOG_BYTES,
  CHECKPOINT_LOG_BYTES_MAX,
  LOG_RETRY_MS,
} from './limits.js'
import type { Log } from './log/log.js'
import { BatchRecord, EntryKind } from './log/record.js'
import type { MailboxReader } from './mailbox.js'
import { Inbound } from './protocol.js'
import type { ReplyWriter } from './reply-writer.js'
import type { PartitionState } from './state.js'
import type { StatsWriter } from './stats.js'

/** Another partition: what comes from it and what goes to it. */
export interface Peer {
  partition: number
  inbox: MailboxReader
  /** False where its mailbox is full. */
  deliver(kind: number, number: number, payload: Uint8Array): boolean
}

export interface PartitionOptions {
  state: PartitionState
  log: Log
  inbox: MailboxReader
  replies: ReplyWriter
  peers: Peer[]
  stats: StatsWriter
  /** Wall clock; log time follows it and never goes back. */
  now: () => number
  /** Off only to measure recovery from the log alone. */
  checkpoints: boolean
  /** Bytes of log that lie behind the last checkpoint at the start. */
  logBytesBehind: number
  /** Whether partitions that were parked are still to stand still. */
  isParkingTime: () => boolean
}

const EMPTY = new Uint8Array(0)

export class Partition {
  stopping = false
  private readonly batch: BatchRecord
  private readonly queries: { ticket: number; name: string; body: unknown }[] = []
  private readonly keepLogTickets: number[] = []
  private parkTicket: number | undefined
  private parked = false
  private keepLog = false
  private appendedMs = 0
  /** When the disk last refused a batch, by the wall clock; undefined while it takes them. */
  private refusedMs: number | undefined
  private logBytesBehind: number
  private checkpointNotBeforeMs = 0
  /** How many entries of peers are left of a batch that the disk refused: they go first in the next one, so that none is lost or overtaken. */
  private retained = 0
  /** Per peer: the last message handed to its mailbox, and the last of its messages acknowledged to it. */
  private readonly delivered = new Map<number, number>()
  private readonly acknowledged = new Map<number, number>()

  constructor(private readonly options: PartitionOptions) {
    this.batch = new BatchRecord(options.log.owner, BATCH_BYTES_MAX)
    this.logBytesBehind = options.logBytesBehind
    for (const { partition } of options.peers) {
      this.delivered.set(partition, options.state.outbox.acknowledged(partition))
      // Said again after a restart, in case the other side has not heard it.
      this.acknowledged.set(partition, 0)
    }
  }

  /** One turn of the loop. Returns whether there was anything to do. */
  step(): boolean {
    if (this.parked && this.options.isParkingTime()) return false
    this.parked = false
    const { state, log, replies, stats } = this.options
    const timeMs = Math.max(state.timeMs, this.options.now())
    this.gather(timeMs)
    const { batch } = this
    // What was refused is not tried again by itself before it is time.
    const appended = batch.entries > this.retained || (this.retained > 0 && this.triesLogAgain())
    if (appended) {
      if (this.append(timeMs)) {
        const started = performance.now()
        state.apply(batch, replies)
        stats.add('applyMilliseconds', performance.now() - started)
        stats.add('commands', batch.commands)
      }
    }
    const answered = this.answerQueries(timeMs)
    replies.flush()
    const exchanged = this.options.peers.length > 0 && this.exchange()
    this.maintainCheckpoint()
    this.waitForCheckpoint()
    this.park()
    stats.set('sequence', state.position.sequence)
    stats.set('logRecordsKept', log.last.sequence - log.first + 1)
    if (this.options.peers.length > 0) stats.set('messagesWaiting', state.outbox.waiting)
    stats.set('timersRunning', state.actors.timersRunning())
    return appended || answered || exchanged
  }

  /** How long the loop may sleep if nothing rings. */
  sleepMs(): number {
    if (this.parked || this.options.state.store.checkpointing) return 1
    return this.options.state.actors.timersRunning() > 0 ? 50 : 1_000
  }

  /** Takes what has arrived, as much as fits in one batch. */
  private gather(timeMs: number): void {
    const { state, inbox, peers } = this.options
    const { batch } = this
    if (this.retained === 0) batch.clear()
    const advances = this.refusedMs === undefined ? state.actors.isDue(timeMs) : this.triesLogAgain()
    if (advances && batch.hasRoom(0)) {
      this.options.replies.setTicket(batch.entries, 0)
      batch.add(EntryKind.advance, 0, 0, 1, EMPTY, 0, 0)
    }
    for (const peer of peers) {
      while (this.hasRoomFor(peer.inbox) && peer.inbox.next()) this.takeFromPeer(peer)
      peer.inbox.release()
    }
    while (this.hasRoomFor(inbox) && inbox.next()) this.take(inbox)
    inbox.release()
  }

  /** A log that could not be written is tried without being asked, so that the server becomes ready again by itself. */
  private triesLogAgain(): boolean {
    // The clock may be set back meanwhile.
    return this.refusedMs !== undefined && Math.abs(this.options.now() - this.refusedMs) >= LOG_RETRY_MS
  }

  private hasRoomFor(inbox: MailboxReader): boolean {
    return this.batch.entries < BATCH_ENTRIES_MAX && this.batch.hasRoom(inbox.peekLength())
  }

  private take(inbox: MailboxReader): void {
    const { batch } = this
    const { kind, ticket, detail, offset, length } = inbox
    switch (kind) {
      case Inbound.frame:
        if (this.refusesMore(ticket)) break
        this.options.replies.setTicket(batch.entries, ticket)
        batch.add(EntryKind.frame, detail, 0, detail & 0xffff, inbox.bytes, offset, length)
        break
      case Inbound.command:
        if (this.refusesMore(ticket)) break
        this.options.replies.setTicket(batch.entries, ticket)
        batch.add(EntryKind.command, 0, 0, 1, inbox.bytes, offset, length)
        break
      case Inbound.query: {
        const [name, body] = unpack(Buffer.from(inbox.bytes.subarray(offset, offset + length))) as [string, unknown]
        this.queries.push({ ticket, name, body })
        break
      }
      case Inbound.stop:
        this.stopping = true
        break
      case Inbound.park:
        this.parkTicket = ticket
        break
      case Inbound.keepLog:
        this.keepLog = detail === 1
        if (this.keepLog) this.keepLogTickets.push(ticket)
        else this.options.replies.reply(ticket, { status: 200, body: {} })
        break
      default:
        throw new Error(`a partition's mailbox has no entry of kind ${kind}`)
    }
  }

  /** Too much is not stored yet, and no checkpoint is being taken that could be waited for. */
  private refusesMore(ticket: number): boolean {
    const { store } = this.options.state
    if (!this.options.checkpoints || store.checkpointing || store.changes <= CHANGES_MAX) return false
    this.options.replies.refuse(
      ticket,
      'Too much is waiting to be stored: a backup goes on, or the disk refuses; try again later.',
    )
    return true
  }

  private takeFromPeer(peer: Peer): void {
    const { kind, offset, length, bytes } = peer.inbox
    this.options.replies.setTicket(this.batch.entries, 0)
    const entry = kind === Inbound.message ? EntryKind.message : EntryKind.acknowledgement
    this.batch.add(entry, 0, peer.partition, 1, bytes, offset, length)
  }

  /** Makes the batch durable; false where the disk refuses, and then everybody in it is told why. */
  private append(timeMs: number): boolean {
    const { state, log, replies, stats } = this.options
    const record = this.batch.seal(state.position, timeMs, state.checkpoint)
    const started = performance.now()
    try {
      log.append(record)
    } catch (error) {
      if (!(error instanceof LogWriteError)) throw error
      stats.add('logWriteFailures', 1)
      stats.set('logRefuses', 1)
      this.refusedMs = this.options.now()
      replies.refuseAll(this.batch.entries, error.message)
      this.batch.retainPeers()
      for (let entry = 0; entry < this.batch.entries; entry++) replies.setTicket(entry, 0)
      this.retained = this.batch.entries
      return false
    }
    this.retained = 0
    if (this.refusedMs !== undefined) {
      this.refusedMs = undefined
      stats.set('logRefuses', 0)
    }
    this.appendedMs = started
    this.logBytesBehind += record.length
    stats.add('appendMilliseconds', performance.now() - started)
    stats.add('batches', 1)
    stats.add('logBytes', record.length)
    return true
  }

  private answerQueries(timeMs: number): boolean {
    if (this.queries.length === 0) return false
    for (const { ticket, name, body } of this.queries) {
      this.options.replies.reply(ticket, this.answerQuery(timeMs, name, body))
    }
    this.queries.length = 0
    return true
  }

  private answerQuery(timeMs: number, name: string, body: unknown) {
    const { state } = this.options
    if (name === 'engine.events') {
      const { after, limit } = body as { after: number; limit: number }
      return { status: 200, body: state.outbox.eventsAfter(after, limit) }
    }
    if (name === 'engine.digest') {
      const digest = state.digest()
      return { status: 200, body: { digest: digest.toString(), entities: digest.entities, position: state.position } }
    }
    return state.actors.query(timeMs, name, body)
  }

  /** Hands new messages to the peers, and tells them what was logged of theirs. Both are durable by now. */
  private exchange(): boolean {
    const { outbox } = this.options.state
    let any = false
    for (const peer of this.options.peers) {
      // What it has acknowledged meanwhile, of an earlier life of this process perhaps, is no longer kept.
      const done = Math.max(this.delivered.get(peer.partition)!, outbox.acknowledged(peer.partition))
      for (let number = done + 1; number <= outbox.sent(peer.partition); number++) {
        if (!peer.deliver(Inbound.message, number, outbox.message(peer.partition, number))) break
        this.delivered.set(peer.partition, number)
        any = true
      }
      const seen = outbox.seen(peer.partition)
      if (seen > this.acknowledged.get(peer.partition)!) {
        if (peer.deliver(Inbound.acknowledgement, seen, pack(seen))) this.acknowledged.set(peer.partition, seen)
      }
    }
    return any
  }

  /** `bytesBehind`: as if so much had been appended since a checkpoint was begun. */
  private maintainCheckpoint(bytesBehind = this.logBytesBehind): void {
    const { state, log, stats } = this.options
    if (state.store.checkpointing) {
      if (state.store.continueCheckpoint(bytesBehind)) {
        stats.add('checkpoints', 1)
        if (!this.keepLog) log.truncate(state.store.watermark!.position.sequence)
      } else if (!state.store.checkpointing) {
        stats.add('checkpointFailures', 1)
        this.logBytesBehind++
        this.checkpointNotBeforeMs = performance.now() + CHECKPOINT_IDLE_MS
      }
    } else if (this.checkpointIsDue()) {
      this.logBytesBehind = 0
      state.store.beginCheckpoint(state.position, state.timeMs)
    }
    if (this.keepLog && !state.store.checkpointing && this.keepLogTickets.length > 0) {
      log.truncate(log.first - 1)
      for (const ticket of this.keepLogTickets.splice(0)) this.options.replies.reply(ticket, { status: 200, body: {} })
      this.options.replies.flush()
    }
  }

  /** What has changed lives in memory until it is stored: where that is too much, nothing more is taken before it is. */
  private waitForCheckpoint(): void {
    const { store } = this.options.state
    while (store.checkpointing && store.changes > CHANGES_MAX) {
      this.maintainCheckpoint(CHECKPOINT_HANDED_OVER_BYTES)
      if (store.isWaitedFor) store.waitForCheckpointer()
    }
  }

  private checkpointIsDue(): boolean {
    if (!this.options.checkpoints || this.keepLog || this.logBytesBehind === 0) return false
    if (this.stopping) return true
    const nowMs = performance.now()
    if (nowMs < this.checkpointNotBeforeMs) return false
    const { changes, checkpointBytes } = this.options.state.store
    const scattered = Math.min(CHECKPOINT_LOG_BYTES_MAX, checkpointBytes / 2)
    return (
      this.logBytesBehind > Math.max(CHECKPOINT_LOG_BYTES, scattered) ||
      changes > Math.min(CHECKPOINT_CHANGES_MAX, Math.max(CHECKPOINT_CHANGES, scattered / CHANGE_BYTES)) ||
      nowMs - this.appendedMs > CHECKPOINT_IDLE_MS
    )
  }

  /**
   * Says where the log is and does nothing from then on. The thread goes on with its other partitions, which have to be
   * parked as well; what is sent after a partition's cut is in nobody's log, since it sends nothing.
   */
  private park(): void {
    if (this.parkTicket === undefined) return
    this.options.replies.reply(this.parkTicket, { status: 200, body: this.options.state.position })
    this.options.replies.flush()
    this.parkTicket = undefined
    this.parked = true
  }

  /** Ends after `stopping`: takes a last checkpoint, so that the next start finds no log to replay. */
  finish(waitBriefly: () => void): void {
    const { store, position, partition } = this.options.state
    if (!this.options.checkpoints) return
    this.keepLog = false
    for (let tries = 0; tries < 3 && position.sequence > (store.watermark?.position.sequence ?? 0); tries++) {
      do {
        this.maintainCheckpoint(CHECKPOINT_HANDED_OVER_BYTES)
        waitBriefly()
      } while (store.checkpointing)
    }
    if (position.sequence > (store.watermark?.position.sequence ?? 0)) {
      throw new DoorbusterError(
        'checkpoint_failed',
        `partition ${partition}: the last checkpoint could not be written; the log has everything, so free disk space and start again`,
      )
    }
  }
}
