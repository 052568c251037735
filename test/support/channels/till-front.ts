/** A till: an order is a sale over the counter, its cancellation a void, its refund a return by the receipt. */
import type { TestServer } from '../test-server.js'
import { BUYER, putConnection, type SaidOrder, type Storefront } from './storefront.js'

const GBP = (amount: string) => ({ amount, currency: 'GBP' })

export class TillFront implements Storefront {
  readonly type = 'pos'
  readonly connection = 'till-front'
  readonly hasShipping = false
  readonly isSent = false
  readonly unknownSku = 'named'
  readonly restocks = true
  readonly refundsMoney = false
  private server!: TestServer

  async connect(server: TestServer): Promise<void> {
    this.server = server
    await putConnection(server, this, { settings: { location: 'W1', currency: 'GBP' } })
  }

  externalId = ({ number }: SaidOrder): string => `T1/${number}`

  async original({ number }: SaidOrder): Promise<string> {
    const { body } = await this.server.call('GET', `/v1/channels/pos/${this.connection}/transactions/T1/${number}`)
    return JSON.stringify(body)
  }

  place = (order: SaidOrder): Promise<void> => this.send([this.sale(order)])
  /** A till that was offline sends its whole queue; one that sends the void alone is told that there is no sale. */
  cancel = (order: SaidOrder): Promise<void> => this.send([{ id: `${order.number}8`, type: 'void', of: order.number }])

  refund(order: SaidOrder): Promise<void> {
    const lines = [{ sku: order.lines[0]!.sku, quantity: 1 }]
    const receipt = { till: 'T1', id: order.number }
    return this.send([{ id: `${order.number}9`, type: 'return', receipt, lines }])
  }

  private sale({ number, lines }: SaidOrder): object {
    return {
      id: number,
      type: 'sale',
      at: '2031-01-01T00:00:00Z',
      customer: { name: `${BUYER.first} ${BUYER.last}`, email: BUYER.email },
      lines: lines.map(({ sku, quantity, price, discount, tax }) => ({
        sku,
        quantity,
        unitPrice: GBP(price),
        discount: GBP(discount),
        taxes: [{ name: 'VAT', amount: GBP(tax) }],
      })),
    }
  }

  private async send(transactions: object[]): Promise<void> {
    const path = `/v1/channels/pos/${this.connection}/transactions`
    const { status, body } = await this.server.call('POST', path, { till: 'T1', transactions })
    if (status !== 200) throw new Error(`the till was answered ${status}: ${JSON.stringify(body)}`)
  }
}
