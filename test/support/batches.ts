/** Buyers of all-or-nothing batches whose lines lie in several partitions, and what they were told. */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { TTL_SECONDS } from './ledger.js'
import type { Random } from './random.js'
import type { TestServer } from './test-server.js'

interface Batch {
  readonly lines: readonly { id: string; sku: string; quantity: number; ttlSeconds: number }[]
  /** Undefined where no answer came. */
  answer: 'held' | 'refused' | undefined
}

const CALLS_IN_FLIGHT = 8
const SETTLE_TIMEOUT_MS = 20_000
const RECHECKED = 60

export class BatchBuyers {
  readonly faults: string[] = []
  /** Units held, by SKU. */
  readonly held: Map<string, number>
  private batches: Batch[] = []
  private work: Promise<void>[] = []

  /** `skus` are dealt out to the partitions in turn; one of them has no stock. */
  constructor(
    private readonly skus: readonly string[],
    private readonly soldOut: string,
    private readonly random: Random,
  ) {
    this.held = new Map(skus.map((sku) => [sku, 0]))
  }

  start(server: TestServer): void {
    this.work = Array.from({ length: CALLS_IN_FLIGHT }, async () => {
      for (let ok = true; ok; ) ok = await this.buy(server).catch(() => false)
    })
  }

  async ended(): Promise<void> {
    await Promise.all(this.work)
  }

  private async buy(server: TestServer): Promise<boolean> {
    const { random, skus } = this
    const first = random.below(skus.length)
    const wanted = Array.from({ length: random.between(2, 5) }, (_, i) => skus[(first + i) % skus.length]!)
    if (random.chance(0.25)) wanted[random.below(wanted.length)] = this.soldOut
    const lines = wanted.map((sku) => ({
      id: randomUUID(),
      sku,
      quantity: random.between(1, 4),
      ttlSeconds: TTL_SECONDS,
    }))
    const batch: Batch = { lines, answer: undefined }
    this.batches.push(batch)
    await this.ask(server, batch)
    return true
  }

  private async ask(server: TestServer, batch: Batch): Promise<void> {
    const body = { allOrNothing: true, reservations: batch.lines }
    const { status, body: answer } = await server.call('POST', '/v1/reservations/batch', body)
    if (status === 503) return
    if (status !== 201 && status !== 409)
      this.faults.push(`a batch is answered with ${status} ${JSON.stringify(answer)}`)
    batch.answer = status === 201 ? 'held' : 'refused'
    const possible = !batch.lines.some(({ sku }) => sku === this.soldOut)
    if (possible !== (status === 201))
      this.faults.push(
        `a batch that ${possible ? 'can' : 'cannot'} be held is answered with ${status} ${JSON.stringify(answer)}`,
      )
  }

  /** After a restart: no batch is held by half, those that were answered are as answered; then all are asked again. */
  async check(server: TestServer): Promise<void> {
    await untilDelivered(server)
    const batches = this.batches
    this.batches = []
    const answered = batches.filter(({ answer }) => answer !== undefined)
    const open = batches.filter(({ answer }) => answer === undefined)
    for (const batch of [...open, ...answered.slice(-RECHECKED)]) await this.compare(server, batch)
    for (const batch of open) {
      for (let tries = 0; batch.answer === undefined && tries < 100; tries++) await this.ask(server, batch)
      if (batch.answer === undefined) this.faults.push('a batch is not answered after a hundred tries')
      await this.compare(server, batch)
    }
    for (const { answer, lines } of batches) {
      if (answer !== 'held') continue
      for (const { sku, quantity } of lines) this.held.set(sku, this.held.get(sku)! + quantity)
    }
  }

  private async compare(server: TestServer, { lines, answer }: Batch): Promise<void> {
    const statuses = await Promise.all(lines.map(async ({ id }) => (await server.reservation(id)).status))
    const seen = statuses.map((status) => (status === 'held' ? 'held' : 'refused'))
    if (new Set(seen).size > 1) this.faults.push(`a batch is held by half: ${JSON.stringify({ lines, statuses })}`)
    else if (answer !== undefined && seen[0] !== answer)
      this.faults.push(`a batch that was ${answer} is ${seen[0]}: ${JSON.stringify({ lines, statuses })}`)
  }
}

/** Waits until no message between partitions is under way: what a crash left undecided is decided then. */
async function untilDelivered(server: TestServer): Promise<void> {
  const until = performance.now() + SETTLE_TIMEOUT_MS
  while ((await server.metric('doorbuster_partition_messages_waiting')) > 0) {
    if (performance.now() > until) throw new Error('messages between partitions are not delivered')
    await setTimeout(5)
  }
}
