/** What a server says of orders and stock, and whether that is what a run explains. */
import type { Catalogue } from './catalogue.js'
import type { LoadReport } from './load-protocol.js'
import type { Server } from './server.js'

const SKUS_PER_QUERY = 500

interface Stock {
  readonly onHand: number
  readonly allocated: number
}

/** The books before any orders. */
export class OrderBooks {
  readonly #server: Server
  readonly #catalogue: Catalogue
  readonly #before: readonly Stock[]

  private constructor(server: Server, catalogue: Catalogue, before: readonly Stock[]) {
    this.#server = server
    this.#catalogue = catalogue
    this.#before = before
  }

  static async read(server: Server, catalogue: Catalogue): Promise<OrderBooks> {
    return new OrderBooks(server, catalogue, await stockOf(server, catalogue))
  }

  /**
   * Throws where the orders of these runs are not all allocated, or not all delivered, or where a SKU has more or fewer
   * units on hand and allocated than they explain. Units that are reserved by others are left out of it. `server`: another
   * one on the same data.
   */
  async expect(
    { allocated = [], delivered = [] }: Partial<Record<'allocated' | 'delivered', LoadReport[]>>,
    server = this.#server,
  ): Promise<void> {
    const response = await fetch(`${server.url}/v1/order-counts`)
    // The body that this path answers with; another one fails the comparison.
    const counts = (await response.json()) as Record<string, number>
    const wanted: Record<string, number> = { allocated: ordersOf(allocated), delivered: ordersOf(delivered) }
    for (const [status, count] of Object.entries(counts)) {
      if (count === (wanted[status] ?? 0)) continue
      throw new Error(`Of the orders ${JSON.stringify(wanted)} order.counts says ${JSON.stringify(counts)}.`)
    }
    const after = await stockOf(server, this.#catalogue)
    for (const [i, name] of this.#catalogue.names.entries()) {
      const before = this.#before[i] as Stock
      const now = after[i] as Stock
      const held = unitsOf(allocated, i)
      const shipped = unitsOf(delivered, i)
      if (now.allocated === before.allocated + held && now.onHand === before.onHand - shipped) continue
      throw new Error(
        `${name}: of ${JSON.stringify(before)} ${held} units are allocated and ${shipped} shipped, but it says ${JSON.stringify(now)}.`,
      )
    }
  }
}

function ordersOf(reports: readonly LoadReport[]): number {
  return reports.reduce((sum, { orders = 0 }) => sum + orders, 0)
}

function unitsOf(reports: readonly LoadReport[], sku: number): number {
  return reports.reduce((sum, { units }) => sum + (units?.[sku] ?? 0), 0)
}

async function stockOf(server: Server, { names }: Catalogue): Promise<Stock[]> {
  const client = await server.client()
  try {
    const stock: Stock[] = []
    for (let from = 0; from < names.length; from += SKUS_PER_QUERY) {
      const reply = await client.command('inventory.getMany', { skus: names.slice(from, from + SKUS_PER_QUERY) })
      if (reply.status !== 200) throw new Error(`inventory.getMany answered ${reply.status}.`)
      // The body that this command answers with; a server that answers otherwise fails at the first use.
      for (const { onHand, allocated } of (reply.body as { items: Stock[] }).items) {
        stock.push({ onHand, allocated })
      }
    }
    return stock
  } finally {
    client.close()
  }
}
