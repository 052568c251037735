/** A trading partner that orders by X12 850, changes with purpose 05 and cancels with 01. */
import { X12FatInterchange, X12Parser } from 'node-x12'
import type { TestServer } from '../test-server.js'
import {
  BUYER,
  type Forgery,
  keptDelivery,
  post,
  putConnection,
  type SaidOrder,
  type Storefront,
  TOWN,
  type ToldParcel,
  taken,
} from './storefront.js'

const SECRET = 'a long secret'

export class EdiFront implements Storefront {
  readonly type = 'edi'
  readonly connection = 'edi-front'
  readonly hasShipping = true
  readonly isSent = true
  readonly unknownSku = 'held'
  private control = 0
  private server!: TestServer

  async connect(server: TestServer): Promise<void> {
    this.server = server
    await putConnection(server, this, {
      secret: SECRET,
      settings: {
        ours: { qualifier: 'ZZ', id: 'DOORBUSTER' },
        theirs: { qualifier: 'ZZ', id: 'PARTNER' },
        currency: 'GBP',
        country: 'GB',
      },
    })
  }

  externalId = ({ number }: SaidOrder): string => number
  original = (_order: SaidOrder, id: string): Promise<string> => keptDelivery(this.server, this, id)
  place = async (order: SaidOrder): Promise<void> => this.send(this.file(order, '00'))
  change = async (order: SaidOrder): Promise<void> => this.send(this.file(order, '05'))
  cancel = async (order: SaidOrder): Promise<void> => this.send(this.file(order, '01'))

  forge(order: SaidOrder, how: Forgery): Promise<number | undefined> {
    // The secret stands beside the file; a changed file under the same control number is another matter.
    if (how === 'changed') return Promise.resolve(undefined)
    return this.deliver(this.file(order, '00'), how === 'wrong' ? 'Bearer another' : undefined)
  }

  /** As the partner reads our ship notices. */
  async parcels({ number }: SaidOrder): Promise<ToldParcel[]> {
    const path = `/v1/channels/edi/${this.connection}/documents`
    const { items } = (await this.server.call<{ items: { id: string }[] }>('GET', `${path}?type=856&limit=500`)).body
    const texts = await Promise.all(
      items.map(async ({ id }) => (await fetch(`${this.server.url}${path}/${encodeURIComponent(id)}`)).text()),
    )
    return texts.flatMap((text) => parcelOf(text, number))
  }

  private file({ number, lines, shipping, street }: SaidOrder, purpose: string): string {
    const control = String(++this.control).padStart(9, '0')
    const cents = (amount: string): string => String(Math.round(Number(amount) * 100))
    const order = [
      `BEG*${purpose}*SA*${number}**20310101`,
      'CUR*BY*GBP',
      `SAC*C*D240***${cents(shipping)}`,
      `N1*ST*${BUYER.first} ${BUYER.last}`,
      `N3*${street}`,
      `N4*${TOWN.city}**${TOWN.postalCode}*${TOWN.country}`,
      `PER*IC*${BUYER.first}*EM*${BUYER.email}`,
      ...lines.flatMap(({ id, sku, quantity, price, discount, tax }) => [
        `PO1*${id}*${quantity}*EA*${price}*PE*SK*${sku}`,
        ...(discount === '0.00' ? [] : [`SAC*A*C310***${cents(discount)}`]),
        `TXI*TX*${tax}`,
      ]),
      `CTT*${lines.length}`,
    ]
    return [
      `ISA*00*          *00*          *ZZ*PARTNER        *ZZ*DOORBUSTER     *310101*0800*U*00401*${control}*0*P*>`,
      'GS*PO*PARTNER*DOORBUSTER*20310101*0800*7*X*004010',
      'ST*850*0001',
      ...order,
      `SE*${order.length + 2}*0001`,
      'GE*1*7',
      `IEA*1*${control}`,
    ]
      .map((segment) => `${segment}~`)
      .join('')
  }

  private async send(file: string): Promise<void> {
    taken(await this.deliver(file, `Bearer ${SECRET}`))
  }

  private deliver(file: string, authorization: string | undefined): Promise<number> {
    return post(`${this.server.url}/v1/channels/edi/${this.connection}/interchanges`, file, {
      'content-type': 'text/plain',
      ...(authorization === undefined ? {} : { authorization }),
    })
  }
}

function parcelOf(text: string, order: string): ToldParcel[] {
  const read = new X12Parser(true).parse(text)
  if (read instanceof X12FatInterchange) throw new Error('several interchanges')
  const segments = read.functionalGroups[0]!.transactions[0]!.segments
  const values = (tag: string, at: number): string[] =>
    segments.filter((one) => one.tag === tag).map((one) => one.elements[at - 1]?.value ?? '')
  if (values('PRF', 1)[0] !== order) return []
  const tracking = segments.find((one) => one.tag === 'REF' && one.elements[0]?.value === 'CN')?.elements[1]?.value
  return [{ tracking: tracking ?? '', units: values('SN1', 2).reduce((sum, units) => sum + Number(units), 0) }]
}
