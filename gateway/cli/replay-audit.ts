/**
 * Whether more was promised than there was: what the client was told, line by line, against the server's inventory
 * before and after, SKU by SKU. The figures are differences, so that a server with a past can be audited too, as long as
 * nobody else reserves the same SKUs meanwhile.
 */
import { Outcome } from './cancellations.js'
import type { History } from './history.js'
import type { Inventory } from './inventory-view.js'
import { LineKind } from './online-retail.js'
import type { LoadResult } from './replay-load.js'

/** One SKU's account, in units unless the name says otherwise. */
export interface SkuAccount {
  readonly sku: string
  readonly name: string
  /** Available before the first reservation. */
  readonly stock: number
  readonly demand: number
  readonly held: number
  readonly refused: number
  readonly reservationsRefused: number
  readonly released: number
  /** Held at once at the worst moment, in the order of the file. */
  readonly peak: number
  /** Held and not released, as the client was told. */
  readonly told: number
  /** The same by the server: its reserved units, less those before. */
  readonly serverReserved: number
  /** Units promised beyond the stock, at the worst moment or at the end. */
  readonly beyondStock: number
}

/** Units that are wrong: promised beyond the stock, or told otherwise than booked. */
export function oversoldUnits(account: SkuAccount): number {
  return Math.max(account.beyondStock, Math.abs(account.serverReserved - account.told))
}

/** Accounts of all articles, in their order. */
export function audit(
  history: History,
  load: LoadResult,
  before: readonly Inventory[],
  after: readonly Inventory[],
): SkuAccount[] {
  const articles = history.articles.length
  const held = new Float64Array(articles)
  const refused = new Float64Array(articles)
  const refusals = new Float64Array(articles)
  const released = new Float64Array(articles)
  const peak = new Float64Array(articles)

  for (let line = 0; line < history.length; line++) {
    const sku = history.skus[line] ?? 0
    const quantity = history.quantities[line] ?? 0
    if (history.kinds[line] === LineKind.sale) {
      if (load.outcomes[line] === Outcome.refused) {
        add(refused, sku, quantity)
        add(refusals, sku, 1)
      } else add(held, sku, quantity)
    } else {
      const sale = load.releases[line] ?? -1
      if (sale >= 0 && load.outcomes[sale] === Outcome.released) add(released, sku, history.quantities[sale] ?? 0)
    }
    const outstanding = (held[sku] ?? 0) - (released[sku] ?? 0)
    if (outstanding > (peak[sku] ?? 0)) peak[sku] = outstanding
  }

  return history.articles.map(({ sku, name }, article) => {
    const [was, is] = [before[article], after[article]]
    if (!was || !is) throw new Error(`no inventory of ${sku}`)
    const told = (held[article] ?? 0) - (released[article] ?? 0)
    // Where lines were sent again behind others, the file's order is not the server's and has no worst moment.
    const worst = load.overloads > 0 ? told : (peak[article] ?? 0)
    const overdrawn =
      Math.max(0, is.reserved + is.allocated - is.onHand) - Math.max(0, was.reserved + was.allocated - was.onHand)
    return {
      sku,
      name: name || sku,
      stock: was.atp,
      demand: history.demand[article] ?? 0,
      held: held[article] ?? 0,
      refused: refused[article] ?? 0,
      reservationsRefused: refusals[article] ?? 0,
      released: released[article] ?? 0,
      peak: worst,
      told,
      serverReserved: is.reserved - was.reserved,
      beyondStock: Math.max(0, worst - was.atp, overdrawn),
    }
  })
}

function add(sums: Float64Array, at: number, amount: number): void {
  sums[at] = (sums[at] ?? 0) + amount
}
