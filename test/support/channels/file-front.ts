/** A partner that sends files of orders, JSON lines. */
import type { TestServer } from '../test-server.js'
import { BUYER, keptDelivery, putConnection, type SaidOrder, type Storefront, TOWN } from './storefront.js'

const GBP = (amount: string) => ({ amount, currency: 'GBP' })

export class FileFront implements Storefront {
  readonly type = 'files'
  readonly connection = 'file-front'
  readonly hasShipping = true
  readonly isSent = true
  readonly unknownSku = 'named'
  private server!: TestServer

  async connect(server: TestServer): Promise<void> {
    this.server = server
    await putConnection(server, this, { settings: { currency: 'GBP' } })
  }

  externalId = ({ number }: SaidOrder): string => number
  original = (_order: SaidOrder, id: string): Promise<string> => keptDelivery(this.server, this, id)

  async place({ number, lines, shipping, street }: SaidOrder): Promise<void> {
    const order = {
      externalId: number,
      customer: { name: `${BUYER.first} ${BUYER.last}`, email: BUYER.email },
      shipTo: { line1: street, ...TOWN },
      shipping: GBP(shipping),
      lines: lines.map(({ sku, quantity, price, discount, tax }) => ({
        sku,
        quantity,
        unitPrice: GBP(price),
        discount: GBP(discount),
        taxes: [{ name: 'VAT', amount: GBP(tax) }],
      })),
    }
    const path = `/v1/channels/files/${this.connection}/files`
    const sent = { name: `${number}.jsonl`, content: `${JSON.stringify(order)}\n` }
    // As many at once as a partner likes: where there is no room, it comes again.
    for (;;) {
      const { status, body } = await this.server.call('POST', path, sent)
      if (status === 201) return
      if (status !== 503) throw new Error(`the file was answered ${status}: ${JSON.stringify(body)}`)
    }
  }
}
