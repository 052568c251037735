/** Sends items in bulk commands, a few at a time, and tells of each line whether the server took it. */
import { setTimeout as pause } from 'node:timers/promises'
import type { CommandReply, DoorbusterClient } from '../client/index.js'
import type { ImportKind, Item } from '../import/import-kinds.js'

export interface ImportLine {
  readonly line: number
  readonly item: Item
}

/** Called once for each line: a reason where it was not taken. */
export type OnLine = (line: number, reason: string | undefined) => void

interface Batch {
  readonly lines: ImportLine[]
  bytes: number
}

/** The bound of a bulk command. */
const ITEMS_PER_COMMAND = 500
/** Half of what the server takes in a message, as JSON is a little longer than msgpack. */
const BYTES_PER_COMMAND = 128 * 1024
const COMMANDS_IN_FLIGHT = 4
/** There is no bulk command for locations. */
const LOCATIONS_IN_FLIGHT = 64
const OVERLOAD_PAUSE_MS = 250
const OVERLOAD_TRIES = 40

export class ImportSender {
  private batch: Batch = { lines: [], bytes: 0 }
  private readonly inFlight = new Set<Promise<void>>()
  private readonly inFlightMax: number
  private readonly itemsPerCommand: number
  private failure: unknown

  constructor(
    private readonly client: DoorbusterClient,
    private readonly kind: ImportKind,
    private readonly onLine: OnLine,
  ) {
    this.itemsPerCommand = kind === 'locations' ? 1 : ITEMS_PER_COMMAND
    this.inFlightMax = kind === 'locations' ? LOCATIONS_IN_FLIGHT : COMMANDS_IN_FLIGHT
  }

  /** Takes an item; waits while enough is under way. Rejects when the connection has failed. */
  async add(line: ImportLine): Promise<void> {
    const bytes = Buffer.byteLength(JSON.stringify(line.item))
    if (this.batch.bytes + bytes > BYTES_PER_COMMAND) await this.flush()
    this.batch.lines.push(line)
    this.batch.bytes += bytes
    if (this.batch.lines.length >= this.itemsPerCommand) await this.flush()
  }

  /** Sends what waits and resolves when all is answered. */
  async finish(): Promise<void> {
    await this.flush()
    await Promise.all(this.inFlight)
    if (this.failure) throw this.failure
  }

  private async flush(): Promise<void> {
    if (this.failure) throw this.failure
    const { lines } = this.batch
    this.batch = { lines: [], bytes: 0 }
    if (lines.length === 0) return
    while (this.inFlight.size >= this.inFlightMax) await Promise.race(this.inFlight)
    const sending = this.send(lines)
      .catch((error: unknown) => {
        this.failure ??= error
      })
      .finally(() => this.inFlight.delete(sending))
    this.inFlight.add(sending)
  }

  private async send(lines: readonly ImportLine[]): Promise<void> {
    const reply = await this.command(lines.map(({ item }) => item))
    const reasons = reasonsOf(this.kind, reply, lines.length)
    if (reasons) {
      lines.forEach(({ line }, i) => void this.onLine(line, reasons[i]))
      return
    }
    // The whole command was refused for some of its items: those are named, the others go again without them.
    const wrong = wrongItems(reply, lines.length)
    const others = lines.filter((_, i) => !wrong.has(i))
    const refusal = refusalOf(reply.body, reply.status)
    const all = wrong.size === 0 || others.length === 0
    lines.forEach(({ line }, i) => {
      if (all || wrong.has(i)) this.onLine(line, wrong.get(i) ?? refusal)
    })
    if (!all) await this.send(others)
  }

  private async command(items: readonly Item[]): Promise<CommandReply> {
    for (let attempt = 1; ; attempt++) {
      const reply = await this.request(items)
      if (reply.status !== 503 || attempt === OVERLOAD_TRIES) return reply
      await pause(OVERLOAD_PAUSE_MS)
    }
  }

  private request(items: readonly Item[]): Promise<CommandReply> {
    switch (this.kind) {
      case 'products':
        return this.client.command('product.putMany', { products: items })
      case 'locations':
        return this.client.command('location.put', items[0])
      case 'stock':
        return this.client.command('inventory.putMany', { items })
      case 'orders':
        return this.client.command('order.createMany', { orders: items })
    }
  }
}

/** For each item why it was not taken, or undefined; undefined as a whole where the command was refused. */
function reasonsOf(kind: ImportKind, reply: CommandReply, count: number): (string | undefined)[] | undefined {
  if (reply.status >= 300) return undefined
  const reasons = new Array<string | undefined>(count).fill(undefined)
  const body = asMap(reply.body)
  if (kind === 'products' && Array.isArray(body.errors)) {
    for (const error of body.errors.map(asMap)) {
      if (typeof error.index === 'number') reasons[error.index] = String(error.message ?? 'refused')
    }
  }
  if ((kind === 'stock' || kind === 'orders') && Array.isArray(body.results)) {
    body.results.map(asMap).forEach((result, i) => {
      if (typeof result.status === 'number' && result.status >= 300) reasons[i] = refusalOf(result, result.status)
    })
  }
  return reasons
}

/** Items that a refusal's `errors` point at: the first number in a path such as `products.3.name`. */
function wrongItems(reply: CommandReply, count: number): Map<number, string> {
  const wrong = new Map<number, string>()
  const { errors } = asMap(reply.body)
  if (!Array.isArray(errors) || count < 2) return wrong
  for (const error of errors.map(asMap)) {
    const index = Number(/\d+/.exec(String(error.path ?? ''))?.[0] ?? -1)
    if (index >= 0 && index < count && !wrong.has(index))
      wrong.set(index, `${String(error.path)}: ${String(error.message)}`)
  }
  return wrong
}

function refusalOf(body: unknown, status: number): string {
  const { code, detail, title } = asMap(body)
  return [code ?? `status ${status}`, detail ?? title].filter((part) => part !== undefined).join(': ')
}

function asMap(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {} // any object may be read by key
}
