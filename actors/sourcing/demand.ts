/**
 * What an order wants of each SKU, and how much of that can be had. Lines of one SKU draw on the same stock, so they are
 * one want: checked each by itself, two lines would be promised the same unit. Only where a line has to come whole from
 * one location do its SKU's lines stay apart, as siblings whose sum is watched.
 */

/** A line that is to be sourced. */
export interface SourcingLine {
  readonly line: number
  readonly sku: number
  readonly quantity: number
  readonly weightGrams: number
  /** Lines of different groups never share a parcel, such as frozen or hazardous; '' is the normal group. The SKU's. */
  readonly group: string
  /** Whether the line's units may come from several locations. */
  readonly allowSplit: boolean
}

/** Lines are indices into the order's. */
export interface Want {
  readonly lines: readonly number[]
  readonly group: string
  readonly weightGrams: number
  /** All from one location. */
  readonly isWhole: boolean
  /** The first want of the same SKU, where there are several; else -1. */
  readonly sibling: number
}

/** The wants of an order; where all of it comes from one location, no line asks for that by itself. */
export function wantsOf(lines: readonly SourcingLine[], allowSplit: boolean): Want[] {
  const wants: (Want & { lines: number[] })[] = []
  for (let at = 0; at < lines.length; at++) {
    const { sku, quantity, group, weightGrams, allowSplit: maySplit } = lines[at]!
    if (quantity <= 0) continue
    const first = wants.findIndex((want) => lines[want.lines[0]!]!.sku === sku)
    const isWhole = allowSplit && !maySplit
    const isApart = allowSplit && first >= 0 && (isWhole || wants[first]!.isWhole || wants[first]!.sibling >= 0)
    if (first < 0 || isApart) {
      if (first >= 0) wants[first] = { ...wants[first]!, sibling: first }
      // The group and the weight are the SKU's, so its first line tells them.
      const { group: groupOfSku, weightGrams: weightOfSku } = first < 0 ? { group, weightGrams } : wants[first]!
      wants.push({
        lines: [at],
        group: groupOfSku,
        weightGrams: weightOfSku,
        isWhole,
        sibling: first,
      })
    } else wants[first]!.lines.push(at)
  }
  return wants
}

/** What is given to the lines of wants, and what it leaves to be found. */
export interface Grants {
  /** By line. */
  readonly granted: Int32Array
  /** By want. */
  readonly demand: Int32Array
  /** By location, then by want: one way to serve wants that have siblings. */
  readonly example: Int32Array
}

/** How much of each line all locations together can serve: a line in full, or, of what is short, what there is. */
export function grant(
  lines: readonly SourcingLine[],
  wants: readonly Want[],
  stock: Int32Array,
  takePartial: boolean,
): Grants {
  const locations = stock.length / Math.max(1, wants.length)
  const grants = {
    granted: new Int32Array(lines.length),
    demand: new Int32Array(wants.length),
    example: new Int32Array(stock.length),
  }
  wants.forEach((want, w) => {
    if (want.sibling >= 0) {
      if (want.sibling === w) grantSiblings(lines, wants, w, stock, takePartial, grants)
      return
    }
    let total = 0
    for (let l = 0; l < locations; l++) {
      const units = stock[l * wants.length + w]!
      total = want.isWhole ? Math.max(total, units) : total + units
    }
    grants.demand[w] = share(lines, want.lines, total, takePartial, grants.granted)
  })
  return grants
}

/** Shares units out over lines of a SKU, in full in their order and then what is left; returns how many are given. */
export function share(
  lines: readonly SourcingLine[],
  of: readonly number[],
  units: number,
  takePartial: boolean,
  granted: Int32Array,
): number {
  let left = units
  for (const at of of) {
    const { quantity } = lines[at]!
    granted[at] = quantity <= left ? quantity : 0
    left -= granted[at]!
  }
  if (takePartial)
    for (const at of of) {
      const more = Math.min(left, lines[at]!.quantity - granted[at]!)
      granted[at]! += more
      left -= more
    }
  return units - left
}

/**
 * Siblings one after the other, those that must come whole first and of them the largest first, each from the location
 * that it leaves the least at: they may leave something short that could have been had, never promise a unit twice.
 */
function grantSiblings(
  lines: readonly SourcingLine[],
  wants: readonly Want[],
  first: number,
  stock: Int32Array,
  takePartial: boolean,
  { granted, demand, example }: Grants,
): void {
  const width = wants.length
  const locations = stock.length / width
  const left = Int32Array.from({ length: locations }, (_, l) => stock[l * width + first]!)
  const quantityOf = (w: number): number => wants[w]!.lines.reduce((sum, at) => sum + lines[at]!.quantity, 0)
  const order = wants
    .flatMap(({ sibling }, w) => (sibling === first ? [w] : []))
    .sort((a, b) => Number(wants[b]!.isWhole) - Number(wants[a]!.isWhole) || quantityOf(b) - quantityOf(a) || a - b)
  const give = (w: number, location: number, units: number): void => {
    left[location]! -= units
    example[location * width + w]! += units
    demand[w]! += units
  }
  for (const w of order) {
    const quantity = quantityOf(w)
    if (wants[w]!.isWhole) {
      let tightest = -1
      for (let l = 0; l < locations; l++)
        if (left[l]! >= quantity && (tightest < 0 || left[l]! < left[tightest]!)) tightest = l
      if (tightest >= 0) give(w, tightest, quantity)
    } else {
      const total = left.reduce((sum, units) => sum + units, 0)
      let open = share(lines, wants[w]!.lines, total, takePartial, granted)
      for (let l = 0; open > 0; l++) {
        const here = Math.min(open, left[l]!)
        give(w, l, here)
        open -= here
      }
    }
  }
  for (const w of order) {
    if (!wants[w]!.isWhole) continue
    const most = left.reduce((best, units, l) => (units > left[best]! ? l : best), 0)
    if (takePartial && demand[w] === 0 && left[most]! > 0) give(w, most, Math.min(quantityOf(w), left[most]!))
    granted[wants[w]!.lines[0]!] = demand[w]!
  }
}
