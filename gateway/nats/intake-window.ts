/**
 * How many messages the intake holds. While every partition keeps up that is what fills a log's batch many times over. The
 * stream has one order for all partitions, so what a partition that is behind has to do later must be taken out of the way
 * of the others: its messages are held and no longer counted, up to a bound for all.
 */
import { INTAKE_BEHIND_MS, INTAKE_BYTES_MAX, INTAKE_HELD_MAX, INTAKE_IN_FLIGHT_MAX } from '../limits.js'

const MARKS = 4

/** Messages that are one partition's. */
class Share {
  entered = 0
  ended = 0
  /** How many had entered at the last few looks, the oldest first. */
  readonly marks: number[] = new Array(MARKS).fill(0)

  get held(): number {
    return this.entered - this.ended
  }

  /** What had entered by the oldest look has not ended yet. */
  get isBehind(): boolean {
    return this.ended < this.marks[0]!
  }
}

export class IntakeWindow {
  private readonly shares: Share[]
  private readonly timer: NodeJS.Timeout
  private held = 0
  private bytes = 0

  /** Share `partitions` is of commands that say nothing of a partition. `widened`: there may be more room than before. */
  constructor(partitions: number, widened: () => void) {
    this.shares = Array.from({ length: partitions + 1 }, () => new Share())
    this.timer = setInterval(() => {
      for (const { marks, entered } of this.shares) {
        marks.shift()
        marks.push(entered)
      }
      widened()
    }, INTAKE_BEHIND_MS / MARKS)
    this.timer.unref()
  }

  /** With one partition there are no others. */
  private get isShared(): boolean {
    return this.shares.length > 2
  }

  get unplaced(): number {
    return this.shares.length - 1
  }

  enter(share: number, bytes: number): void {
    this.shares[share]!.entered++
    this.held++
    this.bytes += bytes
  }

  leave(share: number, bytes: number): void {
    this.shares[share]!.ended++
    this.held--
    this.bytes -= bytes
  }

  /** Messages that there is room for. */
  get room(): number {
    if (this.bytes >= INTAKE_BYTES_MAX) return 0
    let counted = this.held
    if (this.isShared) for (const share of this.shares) if (share.isBehind) counted -= share.held
    return Math.min(INTAKE_IN_FLIGHT_MAX - counted, INTAKE_HELD_MAX - this.held)
  }

  stop(): void {
    clearInterval(this.timer)
  }
}
