/**
 * Asks payment providers what orders want of them, and tells the orders what came of it. What was asked and not answered
 * before a crash is asked again under the same key.
 */
import type { Logger } from 'pino'
import type { PaymentTask } from '../../actors/order/payments.js'
import type { Dispatch } from '../dispatch.js'
import { failed } from '../operations/operation.js'
import { builtinPaymentProvider } from './builtin.js'
import type { PaymentProvider } from './payment-provider.js'

const providers: Record<string, PaymentProvider> = { builtin: builtinPaymentProvider }
const TASKS_AT_ONCE = 64
/** Tasks that were put off (a provider was away) are looked at this often; new ones at once. */
const LOOK_MS = 1_000

export class PaymentWorker {
  private readonly timer: NodeJS.Timeout
  private working = false
  private again = false
  private stopped = false

  constructor(
    private readonly dispatch: Dispatch,
    private readonly logger: Logger,
  ) {
    this.timer = setInterval(() => this.look(), LOOK_MS)
    this.timer.unref()
    dispatch.onEvent(({ type }) => {
      if (type.startsWith('order.') || type === 'fulfillment.shipped') this.look()
    })
  }

  async stop(): Promise<void> {
    this.stopped = true
    clearInterval(this.timer)
  }

  private look(): void {
    if (this.stopped) return
    this.again = true
    if (this.working) return
    this.working = true
    void this.work().finally(() => {
      this.working = false
    })
  }

  private async work(): Promise<void> {
    while (this.again && !this.stopped) {
      this.again = false
      for (let partition = 0; partition < this.dispatch.links.partitions; partition++) {
        const outcome = await this.dispatch.query(partition, 'payment.tasks', { limit: TASKS_AT_ONCE })
        if (failed(outcome)) continue
        const { items } = outcome.body as { items: PaymentTask[] }
        if (items.length === TASKS_AT_ONCE) this.again = true
        await Promise.all(items.map((task) => this.carryOut(partition, task)))
      }
    }
  }

  private async carryOut(partition: number, task: PaymentTask): Promise<void> {
    const { key, order, action, amount, currency, reference } = task
    const provider = providers[task.provider]
    try {
      const answer = provider
        ? await provider[action]({ key, order, amount, currency, reference })
        : { done: false, reference: '', detail: `there is no payment provider ${task.provider}` }
      await this.dispatch.command(partition, 'payment.done', { key, ...answer })
    } catch (error) {
      // Not answered is not refused: it is asked again under the same key.
      this.logger.warn({ err: error, task: key }, 'a payment provider did not answer')
    }
  }
}
