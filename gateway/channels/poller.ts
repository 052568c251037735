/** Asks marketplaces what has changed, from where the last asking got to; what they tell is durable before that is moved. */
import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import { failed, type OperationContext } from '../operations/operation.js'
import { polledChannels } from './adapters.js'
import type { Connection } from './channel.js'

const CURSOR = 'channel-cursor'
const LOOK_MS = 1_000
const POLL_SECONDS = 60

export class ChannelPoller {
  private timer: NodeJS.Timeout | undefined
  private readonly nextMs = new Map<string, number>()
  private readonly busy = new Map<string, Promise<void>>()

  constructor(
    private readonly context: OperationContext,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.look(), LOOK_MS).unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.timer)
    await Promise.allSettled(this.busy.values())
  }

  private look(): void {
    for (const connection of this.context.channels.connections.list()) {
      const key = `${connection.type}/${connection.id}`
      if (!polledChannels[connection.type] || this.busy.has(key)) continue
      if ((this.nextMs.get(key) ?? 0) > performance.now()) continue
      const { pollSeconds } = connection.settings
      const seconds = typeof pollSeconds === 'number' ? pollSeconds : POLL_SECONDS
      const work = this.poll(connection, key)
        .catch((error: unknown) => {
          this.logger.warn({ channel: key, reason: (error as Error).message }, 'a channel could not be asked')
        })
        .finally(() => {
          this.busy.delete(key)
          this.nextMs.set(key, performance.now() + seconds * 1_000)
        })
      this.busy.set(key, work)
    }
  }

  private async poll(connection: Connection, key: string): Promise<void> {
    const { records, outward, channels } = this.context
    const http = outward.forConnection(`channel/${key}`)
    for (;;) {
      const before = (await records.get<string>(CURSOR, key))?.value
      const { told, cursor } = await polledChannels[connection.type]!.poll(connection, http, before)
      for (const one of told) {
        // The same news has the same id, however often it is told.
        const id = createHash('sha256').update(JSON.stringify(one)).digest('base64url')
        const taken = await channels.intake.takeTold(connection, id, one)
        if (failed(taken)) throw new Error(`what ${key} told cannot be kept: ${taken.status}`)
      }
      if (cursor === before) return
      await records.put({ kind: CURSOR, id: key, value: cursor })
    }
  }
}
