/**
 * Tells channels what they may sell: what is available to promise to them, or their pool, less their buffer. Stock changes
 * far too often for a call each: it is looked at several times a second, and what has changed since it was told goes out
 * together. What could not be told is told with the next change, as it is then.
 */
import type { Logger } from 'pino'
import { failed, type OperationContext } from '../operations/operation.js'
import { listeners } from './adapters.js'
import { type Connection, NotSoldThere } from './channel.js'
import { channelStock } from './channel-stock.js'
import { commonSettings } from './connections.js'

const LOOK_MS = 250
/** SKUs that one look reads of a partition, and one call tells of. */
const READ_AT_ONCE = 65_536
const TOLD_AT_ONCE = 250
const PAUSE_MS = 2_000

/** What a connection has been told, and what it is still to be told. */
interface Told {
  levels: Map<string, number>
  changed: Set<number>
  isBusy: boolean
  pausedUntilMs: number
}

export class StockPusher {
  private timer: NodeJS.Timeout | undefined
  /** ATP as it was seen last, by partition and local index of the SKU. */
  private readonly seen: number[][]
  private readonly told = new Map<string, Told>()
  private looking = false

  constructor(
    private readonly context: OperationContext,
    private readonly logger: Logger,
  ) {
    this.seen = Array.from({ length: context.dispatch.links.partitions }, () => [])
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref()
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private targets(): Connection[] {
    const { connections } = this.context.channels
    return connections
      .list()
      .filter((one) => listeners[one.type] && one.settings.apiUrl !== undefined && commonSettings(one).pushesStock)
  }

  private async look(): Promise<void> {
    if (this.looking) return
    const targets = this.targets()
    if (targets.length === 0) return
    this.looking = true
    try {
      const changed = await this.changedSkus()
      for (const connection of targets) {
        const told = this.toldTo(connection)
        for (const sku of changed) told.changed.add(sku)
        if (told.changed.size > 0 && !told.isBusy && told.pausedUntilMs <= performance.now()) {
          void this.tell(connection, told)
        }
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'stock could not be looked at for channels')
    } finally {
      this.looking = false
    }
  }

  /** A connection that is new here is told of everything. */
  private toldTo({ type, id }: Connection): Told {
    const key = `${type}/${id}`
    let told = this.told.get(key)
    if (!told) {
      const all = Array.from({ length: this.context.directory.count('skus') }, (_, index) => index)
      told = { levels: new Map(), changed: new Set(all), isBusy: false, pausedUntilMs: 0 }
      this.told.set(key, told)
    }
    return told
  }

  private async changedSkus(): Promise<number[]> {
    const { dispatch, directory } = this.context
    const changed: number[] = []
    for (const [partition, seen] of this.seen.entries()) {
      for (let from = 0; ; from += READ_AT_ONCE) {
        const outcome = await dispatch.query(partition, 'inventory.atps', { from, limit: READ_AT_ONCE })
        if (failed(outcome)) break
        const { atps } = outcome.body as { atps: number[] }
        for (const [at, atp] of atps.entries()) {
          if (seen[from + at] === atp) continue
          seen[from + at] = atp
          changed.push(directory.placement.indexOf(partition, from + at))
        }
        if (atps.length < READ_AT_ONCE) break
      }
    }
    return changed
  }

  private async tell(connection: Connection, told: Told): Promise<void> {
    told.isBusy = true
    const some = [...told.changed].slice(0, TOLD_AT_ONCE)
    for (const sku of some) told.changed.delete(sku)
    try {
      const levels = (await channelStock(connection, some, this.context)).filter(
        ({ sku, available }) => told.levels.get(sku) !== available,
      )
      if (levels.length > 0) {
        const http = this.context.outward.forConnection(`channel/${connection.type}/${connection.id}`)
        await listeners[connection.type]!.stock(levels, connection, http).catch((error: unknown) => {
          // What it does not sell it is told of again when that changes.
          if (!(error instanceof NotSoldThere)) throw error
          this.logger.warn({ channel: connection.id, skus: error.skus.length }, 'a channel does not sell some SKUs')
        })
        for (const { sku, available } of levels) told.levels.set(sku, available)
      }
    } catch (error) {
      for (const sku of some) told.changed.add(sku)
      told.pausedUntilMs = performance.now() + PAUSE_MS
      this.logger.warn({ err: error, channel: connection.id }, 'a channel could not be told of stock')
    } finally {
      told.isBusy = false
    }
  }
}
