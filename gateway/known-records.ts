/**
 * Records of which there are few and which are read again and again (brands, templates, webhooks): read once, kept in
 * memory, and put through here, so that what is known is what is durable.
 */

import { problem } from './problems.js'
import { RecordRefused, type RecordStore } from './records.js'

export class KnownRecords<T> {
  private loading: Promise<Map<string, T>> | undefined

  /** `most`: how many there may be; one more is refused. */
  constructor(
    private readonly records: RecordStore,
    readonly kind: string,
    private readonly most: number,
  ) {}

  /** In ascending order of their ids. */
  async all(): Promise<ReadonlyMap<string, T>> {
    this.loading ??= this.load()
    try {
      return await this.loading
    } catch (error) {
      this.loading = undefined
      throw error
    }
  }

  async get(id: string): Promise<T | undefined> {
    return (await this.all()).get(id)
  }

  /** Durable, and known, once it resolves. Throws RecordRefused where there are too many. */
  async put(id: string, value: T): Promise<void> {
    const known = await this.all()
    if (!known.has(id) && known.size >= this.most) {
      const detail = `There are ${this.most} of these already, and no more are taken; change one of them.`
      throw new RecordRefused(problem(409, 'too_many', detail))
    }
    await this.records.put({ kind: this.kind, id, value })
    const next = new Map(await this.all()).set(id, value)
    this.loading = Promise.resolve(new Map([...next].sort(([a], [b]) => (a < b ? -1 : 1))))
  }

  private async load(): Promise<Map<string, T>> {
    const all = await this.records.all<T>(this.kind)
    return new Map(all.reverse().map(({ id, value }): [string, T] => [id, value]))
  }
}
