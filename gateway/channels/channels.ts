/** Everything of channels, put together: connections, what comes in, what goes out. */
import type { Logger } from 'pino'
import type { OperationContext } from '../operations/operation.js'
import { ChannelEvents } from './apply.js'
import { Connections } from './connections.js'
import { ChannelIntake } from './intake.js'
import { ChannelPoller } from './poller.js'
import { StockPusher } from './stock-pusher.js'

export class Channels {
  readonly connections: Connections
  readonly events: ChannelEvents
  readonly intake: ChannelIntake
  private readonly stock: StockPusher
  private readonly poller: ChannelPoller

  private constructor(context: OperationContext, logger: Logger) {
    this.connections = new Connections(context)
    this.events = new ChannelEvents(context, this.connections)
    this.intake = new ChannelIntake(context, this.events, (type, id) => this.connections.get(type, id), logger)
    this.stock = new StockPusher(context, logger)
    this.poller = new ChannelPoller(context, logger)
  }

  static async open(context: OperationContext, logger: Logger): Promise<Channels> {
    const channels = new Channels(context, logger)
    await channels.connections.load()
    return channels
  }

  async stop(): Promise<void> {
    this.stock.stop()
    await this.poller.stop()
    await this.intake.stop()
  }
}
