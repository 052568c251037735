/** Everything of channels, put together: connections, what comes in, what goes out. */
import type { Logger } from 'pino'
import type { OperationContext } from '../operations/operation.js'
import { ChannelEvents } from './apply.js'
import type { Connection } from './channel.js'
import { Connections } from './connections.js'
import { fileImport } from './files/file-import.js'
import { fileSettings } from './files/settings.js'
import { WatchedFolder } from './files/watched-folder.js'
import { ChannelIntake } from './intake.js'
import { isHopeless, tell } from './outward-consumer.js'
import { ChannelPoller } from './poller.js'
import { StockPusher } from './stock-pusher.js'
import { WaitingTellings } from './waiting-tellings.js'

export class Channels {
  readonly connections: Connections
  readonly events: ChannelEvents
  readonly intake: ChannelIntake
  private readonly stock: StockPusher
  private readonly poller: ChannelPoller
  private readonly waiting: WaitingTellings

  /** Folders that are watched, by connection. */
  private readonly folders = new Map<string, WatchedFolder>()

  private constructor(
    private readonly context: OperationContext,
    private readonly logger: Logger,
  ) {
    this.connections = new Connections(context)
    this.events = new ChannelEvents(context, this.connections)
    this.intake = new ChannelIntake(context, this.events, (type, id) => this.connections.get(type, id), logger)
    this.stock = new StockPusher(context, logger)
    this.poller = new ChannelPoller(context, logger)
    this.waiting = new WaitingTellings(context, logger, (event) => tell(event, context), isHopeless)
  }

  static async open(context: OperationContext, logger: Logger): Promise<Channels> {
    const channels = new Channels(context, logger)
    await channels.connections.load()
    return channels
  }

  /** Once the operations can be asked: what waits is done, shops are told and asked, what lies in watched folders is taken. */
  async start(): Promise<void> {
    this.stock.start()
    this.poller.start()
    this.intake.start()
    this.waiting.start()
    for (const connection of this.connections.list()) await this.watch(connection)
  }

  async put(connection: Connection): Promise<void> {
    await this.connections.put(connection)
    await this.watch(connection)
  }

  private async watch({ type, id, settings }: Connection): Promise<void> {
    if (type !== 'files') return
    await this.folders.get(id)?.stop()
    this.folders.delete(id)
    const checked = fileSettings.safeParse(settings)
    if (!checked.success || checked.data.folder === undefined) return
    const { context, logger } = this
    const { folder } = checked.data
    try {
      const watched = await WatchedFolder.start({ folder, ...fileImport(id, checked.data, context), logger })
      this.folders.set(id, watched)
    } catch (error) {
      logger.error({ err: error, channel: id }, 'a folder of orders cannot be watched')
    }
  }

  async stop(): Promise<void> {
    this.stock.stop()
    for (const folder of this.folders.values()) await folder.stop()
    await this.poller.stop()
    await this.waiting.stop()
    await this.intake.stop()
  }
}
