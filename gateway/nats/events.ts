/**
 * doorbuster.v1.event.<type>: published events as CloudEvents in the stream DOORBUSTER_EVENTS, in their order. A page is
 * published as a whole without waiting for each event; where that went wrong halfway, or a predecessor may have got halfway
 * before it crashed, the end of the stream is looked at first, so that no event stands there twice.
 */
import type { JetStreamManager, NatsConnection } from 'nats'
import type { EngineEvent } from '../../engine/protocol.js'
import type { Directory } from '../directory.js'
import { cloudEvent } from '../events.js'
import { faultOf, type NatsLink } from './connection.js'
import { ensureEvents } from './streams.js'
import { EVENTS, EVENTS_STREAM, Header } from './subjects.js'

const PUBLISH_TIMEOUT_MS = 5_000
/** More than one page, and more than the cursor may lag behind what was published. */
const TAIL_EVENTS = 1_024

interface Outgoing {
  subject: string
  id: string
  text: string
}

export class NatsEvents {
  published = 0
  private checked: NatsConnection | undefined
  private manager: JetStreamManager | undefined
  private tailKnown = false

  constructor(
    private readonly link: NatsLink,
    private readonly directory: Directory,
  ) {}

  /** Publishes a page, waiting for NATS where it is away. Rejects where not all of it was taken; it may be repeated. */
  async publish(events: EngineEvent[], signal: AbortSignal): Promise<void> {
    const connection = await this.link.connected(signal)
    try {
      await this.publishBy(connection, events)
    } catch (error) {
      this.tailKnown = false
      throw new Error(`events could not be published by NATS: ${faultOf(error)}`)
    }
  }

  private async publishBy(connection: NatsConnection, events: EngineEvent[]): Promise<void> {
    if (this.checked !== connection || !this.manager) {
      this.manager = await connection.jetstreamManager({ checkAPI: false })
      await ensureEvents(this.manager)
      this.checked = connection
    }
    const page = events.map((event): Outgoing => {
      const outgoing = cloudEvent(this.directory, event)
      return { subject: `${EVENTS}.${event.type}`, id: outgoing.id, text: JSON.stringify(outgoing) }
    })
    const missing = this.tailKnown ? page : await this.without(page, this.manager)
    const jetstream = connection.jetstream({ timeout: PUBLISH_TIMEOUT_MS })
    const outcomes = await Promise.allSettled(
      missing.map(({ subject, id, text }) =>
        jetstream.publish(subject, text, { msgID: id, expect: { streamName: EVENTS_STREAM } }),
      ),
    )
    const failure = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failure) {
      // The stream may have gone: it is looked for, and made, before the next try.
      this.checked = undefined
      throw failure.reason
    }
    this.tailKnown = true
    this.published += missing.length
  }

  /** What of the page does not stand at the end of the stream. An id alone is not enough: another data directory's may equal it. */
  private async without(page: Outgoing[], manager: JetStreamManager): Promise<Outgoing[]> {
    const { state } = await manager.streams.info(EVENTS_STREAM)
    const first = Math.max(state.first_seq, state.last_seq - TAIL_EVENTS + 1)
    const wanted = new Map(page.map(({ id, text }) => [id, text]))
    const there = new Set<string>()
    const asked: Promise<void>[] = []
    for (let seq = first; seq <= state.last_seq && state.messages > 0; seq++) {
      asked.push(
        manager.streams.getMessage(EVENTS_STREAM, { seq }).then(
          (message) => {
            const id = message.header.get(Header.messageId)
            if (wanted.get(id) === message.string()) there.add(id)
          },
          // One that was deleted in the meantime is none of ours.
          () => {},
        ),
      )
    }
    await Promise.all(asked)
    return page.filter(({ id }) => !there.has(id))
  }
}
