/** Everything of channels, put together: connections, what comes in, what goes out. */
import type { Logger } from 'pino'
import type { OperationContext } from '../operations/operation.js'
import { ChannelEvents } from './apply.js'
import { Connections } from './connections.js'
import { ChannelIntake } from './intake.js'

export class Channels {
  readonly connections: Connections
  readonly events: ChannelEvents
  readonly intake: ChannelIntake

  private constructor(context: OperationContext, logger: Logger) {
    this.connections = new Connections(context)
    this.events = new ChannelEvents(context, this.connections)
    this.intake = new ChannelIntake(context, this.events, (type, id) => this.connections.get(type, id), logger)
  }

  static async open(context: OperationContext, logger: Logger): Promise<Channels> {
    const channels = new Channels(context, logger)
    await channels.connections.load()
    return channels
  }

  async stop(): Promise<void> {
    await this.intake.stop()
  }
}
