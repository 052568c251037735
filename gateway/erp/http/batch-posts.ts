/**
 * An ERP that is called: each batch of the journal is posted as JSON with an idempotency key, and the stock that it believes
 * in is got. Whom to call and how is the client's business, which is injected: it holds the rules for outward calls.
 */
import pRetry from 'p-retry'
import { z } from 'zod'
import type { OutwardHttp } from '../../channels/channel.js'
import { count, locationName, skuName } from '../../schemas.js'
import type { ErpLink, JournalBatch, StockSnapshot } from '../link.js'

const RETRIES = 3
const SNAPSHOT_ROWS_MAX = 50_000

const snapshotAnswer = z.object({
  id: z.string().min(1).max(100).optional(),
  at: z.iso.datetime({ offset: true }),
  snapshot: z
    .array(count.omit({ safetyStock: true }).extend({ sku: skuName, location: locationName }))
    .max(SNAPSHOT_ROWS_MAX),
})

export interface BatchPostsOptions {
  url: string
  snapshotUrl?: string | undefined
  token?: string | undefined
}

export class BatchPosts implements ErpLink {
  constructor(
    private readonly http: OutwardHttp,
    private readonly options: BatchPostsOptions,
  ) {}

  private get headers(): Record<string, string> {
    const { token } = this.options
    return token === undefined ? {} : { Authorization: `Bearer ${token}` }
  }

  async deliver({ id, entries }: JournalBatch): Promise<void> {
    const headers = { ...this.headers, 'Idempotency-Key': `doorbuster-journal-${id}` }
    const post = () => this.http.json({ method: 'POST', url: this.options.url, headers, body: { batch: id, entries } })
    await pRetry(post, { retries: RETRIES, minTimeout: 200, maxTimeout: 5_000, randomize: true, unref: true })
  }

  async snapshot(): Promise<StockSnapshot | undefined> {
    const { snapshotUrl: url } = this.options
    if (url === undefined) return undefined
    const answer = await this.http.json({ method: 'GET', url, headers: this.headers })
    const checked = snapshotAnswer.safeParse(answer)
    if (!checked.success) {
      const [issue] = checked.error.issues
      throw new Error(`the snapshot of the ERP cannot be read: ${issue?.path.join('.')}: ${issue?.message}`)
    }
    const { id, at, snapshot } = checked.data
    return { id: id ?? at, at, rows: snapshot }
  }
}
