/**
 * What a client knows of its holds: what was acknowledged of each, and what is open because no answer came. After a
 * restart the open ones are asked again, and then the server's books must be the ledger's.
 */
import { randomUUID } from 'node:crypto'
import { uuidBytes } from '../../gateway/client/index.js'
import { type PackedSocket, type Reply, Status } from './packed-socket.js'
import type { Random } from './random.js'

/** Long enough that nothing expires while a test runs. */
export const TTL_SECONDS = 604_800

export type Known = 'nothing' | 'held' | 'confirmed' | 'released'
export type Asked = 'reserve' | 'confirm' | 'release'

export interface Hold {
  readonly id: string
  readonly bytes: Uint8Array
  /** Place in the ledger's SKUs. */
  readonly place: number
  /** The server's index of the SKU. */
  readonly sku: number
  readonly quantity: number
  readonly ttlSeconds: number
  /** The frame that first asked for it, to see that frames happen whole; 0: none. */
  readonly frame: number
  known: Known
  /** What was asked and not answered. */
  asked: Asked | undefined
  /** Location and remaining of its first answer. */
  first: { location: number; remaining: number } | undefined
}

const FRAME_RECORDS = 1_024
/** Older holds are remembered only in the sums. */
const HOLDS_KEPT = 100_000

export class Ledger {
  /** Holds that are remembered one by one. */
  private holds: Hold[] = []
  /** Those of them that are acknowledged, live and asked nothing. */
  private readonly idle: Hold[] = []
  /** Units by SKU of holds that are no longer remembered one by one. */
  private readonly retired: { held: number; confirmed: number }[]
  acknowledged = 0

  constructor(
    readonly skus: readonly string[],
    private readonly indices: readonly number[],
    private readonly random: Random,
  ) {
    this.retired = skus.map(() => ({ held: 0, confirmed: 0 }))
  }

  /** A hold that is about to be asked for. */
  open(place: number, quantity: number, frame: number): Hold {
    const id = randomUUID()
    const hold: Hold = {
      id,
      bytes: uuidBytes(id),
      place,
      sku: this.indices[place]!,
      quantity,
      ttlSeconds: TTL_SECONDS,
      frame,
      known: 'nothing',
      asked: 'reserve',
      first: undefined,
    }
    this.holds.push(hold)
    return hold
  }

  /** Up to `count` live holds to settle; each is `asked` from here on. */
  take(count: number, asked: 'confirm' | 'release'): Hold[] {
    const taken: Hold[] = []
    for (let tries = 0; taken.length < count && this.idle.length > 0 && tries < count * 3; tries++) {
      const at = this.random.below(this.idle.length)
      const hold = this.idle[at]!
      if (asked === 'confirm' && hold.known !== 'held') continue
      this.idle[at] = this.idle.at(-1)!
      this.idle.pop()
      hold.asked = asked
      taken.push(hold)
    }
    return taken
  }

  /** Some holds that are acknowledged, whatever has become of them. */
  sample(count: number): Hold[] {
    const known = this.holds.filter(({ known }) => known !== 'nothing')
    if (known.length <= count) return known
    const start = this.random.below(known.length)
    // The newest are the likeliest to be lost, so half of the sample is theirs.
    const newest = known.slice(-Math.ceil(count / 2))
    const others = Array.from({ length: count - newest.length }, (_, i) => known[(start + i * 7) % known.length]!)
    return [...new Set([...newest, ...others])]
  }

  /** Takes the answer to what was asked of a hold; returns what is wrong with it. */
  answer(hold: Hold, { status, location, remaining }: Omit<Reply, 'replayed'>): string | undefined {
    const { asked } = hold
    if (status === Status.overloaded) {
      // Nothing was done.
      hold.asked = undefined
      if (hold.known === 'nothing') this.drop(hold)
      else this.idle.push(hold)
      return undefined
    }
    if (asked === 'reserve' && status === Status.insufficientStock) {
      this.drop(hold)
      return undefined
    }
    if (status !== Status.done) return `${asked} of ${hold.id}, ${hold.known} before, is answered with status ${status}`
    hold.asked = undefined
    this.acknowledged++
    if (asked === 'reserve') hold.first = { location, remaining }
    hold.known = asked === 'reserve' ? 'held' : asked === 'confirm' ? 'confirmed' : 'released'
    if (hold.known !== 'released') this.idle.push(hold)
    return undefined
  }

  private drop(hold: Hold): void {
    hold.known = 'nothing'
    hold.asked = undefined
  }

  /** Asks again for everything that was not answered; returns what is wrong. */
  async resolve(socket: PackedSocket, framesAreWhole: boolean): Promise<string[]> {
    const faults: string[] = []
    const open = (asked: Asked) => this.holds.filter((hold) => hold.asked === asked)
    const seenBefore = new Map<number, Set<boolean>>()
    for (const some of inFrames(open('reserve'))) {
      const replies = await socket.reserve(some.map(reserveRecord))
      some.forEach((hold, i) => {
        const reply = replies[i]!
        if (hold.frame > 0 && reply.status === Status.done)
          seenBefore.set(hold.frame, (seenBefore.get(hold.frame) ?? new Set()).add(reply.replayed))
        this.note(faults, hold, reply)
      })
    }
    for (const asked of ['confirm', 'release'] as const) {
      for (const some of inFrames(open(asked))) {
        const replies = await socket[asked](some.map(holdRecord))
        some.forEach((hold, i) => void this.note(faults, hold, replies[i]!))
      }
    }
    if (framesAreWhole) {
      for (const [frame, seen] of seenBefore)
        if (seen.size > 1) faults.push(`frame ${frame} was not answered, and some of it was done`)
    }
    this.retire()
    return faults
  }

  private note(faults: string[], hold: Hold, reply: Reply): void {
    const fault = this.answer(hold, reply)
    if (fault !== undefined) faults.push(fault)
  }

  /** Whether the first answers are given again. */
  async repeat(socket: PackedSocket, holds: readonly Hold[]): Promise<string[]> {
    const faults: string[] = []
    for (const some of inFrames(holds)) {
      const replies = await socket.reserve(some.map(reserveRecord))
      some.forEach(({ id, known, first }, i) => {
        const { status, replayed, location, remaining } = replies[i]!
        const same = location === first!.location && remaining === first!.remaining
        if (status === Status.done && replayed && same) return
        faults.push(`${id}, ${known}: again it gives ${JSON.stringify(replies[i])}, at first ${JSON.stringify(first)}`)
      })
    }
    return faults
  }

  /** Whether what is acknowledged is still so: the first answers again, and what was settled is settled. */
  async recheck(socket: PackedSocket, holds: readonly Hold[]): Promise<string[]> {
    const faults = await this.repeat(socket, holds)
    const settled = { confirm: 'confirmed', release: 'released' } as const
    for (const asked of ['confirm', 'release'] as const) {
      for (const some of inFrames(holds.filter(({ known }) => known === settled[asked]))) {
        const replies = await socket[asked](some.map(holdRecord))
        some.forEach(({ id, known }, i) => {
          const { status, replayed } = replies[i]!
          if (status !== Status.done || !replayed)
            faults.push(`${id}, ${known}: another ${asked} gives ${JSON.stringify(replies[i])}`)
        })
      }
    }
    return faults
  }

  /** Units that must be reserved and allocated, by SKU. */
  sums(): { held: number; confirmed: number }[] {
    const sums = this.retired.map((sum) => ({ ...sum }))
    for (const { known, place, quantity } of this.holds)
      if (known === 'held' || known === 'confirmed') sums[place]![known] += quantity
    return sums
  }

  private retire(): void {
    const old = this.holds.slice(0, -HOLDS_KEPT)
    for (const { known, place, quantity } of old)
      if (known === 'held' || known === 'confirmed') this.retired[place]![known] += quantity
    this.holds = this.holds.slice(old.length).filter(({ known, asked }) => known !== 'nothing' || asked !== undefined)
    const gone = new Set(old)
    this.idle.splice(0, this.idle.length, ...this.idle.filter((hold) => !gone.has(hold)))
  }
}

export const reserveRecord = ({ bytes, sku, quantity, ttlSeconds }: Hold) => ({ id: bytes, sku, quantity, ttlSeconds })

export const holdRecord = ({ bytes, sku }: Hold) => ({ id: bytes, sku })

function inFrames(holds: readonly Hold[]): Hold[][] {
  const frames: Hold[][] = []
  for (let at = 0; at < holds.length; at += FRAME_RECORDS) frames.push(holds.slice(at, at + FRAME_RECORDS))
  return frames
}
