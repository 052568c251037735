/** Reads server-sent events as a consumer does: one by one, with the id to go on from. */
import { whenDone } from './test-server.js'

export interface ServerEvent {
  /** The cursor behind it. */
  readonly id: string
  readonly type: string
  readonly data: Record<string, unknown>
}

export class EventReader {
  readonly events: ServerEvent[] = []
  /** Lines that are for people: keep-alives and notices. */
  readonly comments: string[] = []
  /** Set once the stream has ended. */
  ended = false
  private readonly stopping = new AbortController()
  private wake = () => {}

  private constructor(readonly response: Response) {}

  static async open(url: string, query = '', headers: Record<string, string> = {}): Promise<EventReader> {
    const stopping = new AbortController()
    const response = await fetch(`${url}/v1/events${query}`, { headers, signal: stopping.signal })
    const reader = new EventReader(response)
    reader.stopping.signal.addEventListener('abort', () => stopping.abort())
    void reader.pump().catch(() => {})
    whenDone(() => reader.close())
    return reader
  }

  /** Resolves once so many have come, or the stream has ended. */
  async until(count: number): Promise<readonly ServerEvent[]> {
    while (this.events.length < count && !this.ended) {
      await new Promise<void>((done) => {
        this.wake = done
      })
    }
    return this.events
  }

  close(): void {
    this.stopping.abort()
  }

  private async pump(): Promise<void> {
    try {
      let text = ''
      const decoder = new TextDecoder()
      for await (const chunk of this.response.body!) {
        text += decoder.decode(chunk as Uint8Array, { stream: true })
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          this.take(text.slice(0, end))
          text = text.slice(end + 2)
        }
      }
    } finally {
      this.ended = true
      this.wake()
    }
  }

  private take(block: string): void {
    const fields = new Map<string, string>()
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) this.comments.push(line.slice(1).trim())
      else fields.set(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim())
    }
    const data = fields.get('data')
    if (data === undefined) return
    const event = {
      id: fields.get('id') ?? '',
      type: fields.get('event') ?? '',
      data: JSON.parse(data) as Record<string, unknown>,
    }
    this.events.push(event)
    this.wake()
  }
}
