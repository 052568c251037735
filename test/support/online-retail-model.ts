/**
 * What the history of a retailer must come to when it is played as one sale: read from the CSV itself, line by line,
 * first come, first served. A second opinion on the replay, so it shares nothing with it but the rules:
 *
 * - A line whose code begins with five digits or with DCGS is goods; of those, a positive quantity is one reservation,
 *   a negative one under an invoice that begins with C a cancellation, any other negative one a write-off.
 * - Each SKU has floor(share × all its sold units) before the first line.
 * - A reservation is held whole if so much is left, or refused.
 * - A cancellation gives one whole reservation back: of the same SKU and customer, earlier in the file and still held;
 *   one of exactly its quantity, else the largest below it, the latest among equals; else none.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'

export interface ModelSku {
  sold: number
  stock: number
  left: number
  /** Units held at the end. */
  held: number
}

export interface Model {
  lines: number
  reservations: number
  held: number
  refused: number
  unitsHeld: number
  unitsRefused: number
  cancellationsMatched: number
  cancellationsUnmatched: number
  writeOffs: number
  charges: number
  bad: number
  readonly skus: Map<string, ModelSku>
}

interface Line {
  readonly kind: 'sale' | 'cancellation'
  readonly sku: string
  readonly customer: string
  readonly quantity: number
}

/** The fields of one record; the file breaks no record over lines. */
function fieldsOf(line: string): string[] {
  const fields: string[] = []
  let at = 0
  while (at <= line.length) {
    let field = ''
    if (line[at] === '"') {
      for (at++; ; at++) {
        if (at >= line.length) throw new Error(`a quote is left open in ${line}`)
        if (line[at] !== '"') field += line[at]
        else if (line[at + 1] === '"') field += line[at++]
        else break
      }
      at += 2
    } else {
      const end = line.indexOf(',', at)
      const to = end < 0 ? line.length : end
      field = line.slice(at, to)
      at = to + 1
    }
    fields.push(field.trim())
  }
  return fields
}

/** Plays the file. */
export async function playHistory(file: string, share: number): Promise<Model> {
  const model: Model = {
    lines: 0,
    reservations: 0,
    held: 0,
    refused: 0,
    unitsHeld: 0,
    unitsRefused: 0,
    cancellationsMatched: 0,
    cancellationsUnmatched: 0,
    writeOffs: 0,
    charges: 0,
    bad: 0,
    skus: new Map(),
  }
  const moving = await readLines(file, model)
  for (const figures of model.skus.values()) {
    figures.stock = Math.floor(share * figures.sold)
    figures.left = figures.stock
  }
  /** Held reservations by customer and SKU, in the order of the file. */
  const held = new Map<string, number[]>()
  for (const { kind, sku, customer, quantity } of moving) {
    const figures = model.skus.get(sku)!
    const key = `${customer}|${sku}`
    if (kind === 'sale') {
      model.reservations++
      if (quantity <= figures.left) {
        figures.left -= quantity
        figures.held += quantity
        model.held++
        model.unitsHeld += quantity
        held.set(key, [...(held.get(key) ?? []), quantity])
      } else {
        model.refused++
        model.unitsRefused += quantity
      }
      continue
    }
    const candidates = held.get(key) ?? []
    const fitting = candidates.filter((units) => units <= quantity)
    if (fitting.length === 0) {
      model.cancellationsUnmatched++
      continue
    }
    const units = Math.max(...fitting)
    candidates.splice(candidates.lastIndexOf(units), 1)
    figures.left += units
    figures.held -= units
    model.cancellationsMatched++
  }
  return model
}

async function readLines(file: string, model: Model): Promise<Line[]> {
  const bytes = createReadStream(file)
  const input = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes
  const moving: Line[] = []
  let columns: string[] | undefined
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const fields = fieldsOf(text)
    if (!columns) {
      columns = fields
      continue
    }
    model.lines++
    const field = (name: string): string => fields[columns!.indexOf(name)] ?? ''
    const [invoice, sku, quantity] = [field('InvoiceNo'), field('StockCode'), Number(field('Quantity'))]
    if (
      fields.length !== columns.length ||
      invoice === '' ||
      sku === '' ||
      !Number.isInteger(quantity) ||
      quantity === 0
    ) {
      model.bad++
    } else if (!/^\d{5}/.test(sku) && !sku.startsWith('DCGS')) model.charges++
    else if (quantity > 0 && invoice.startsWith('C')) model.bad++
    else if (quantity < 0 && !invoice.startsWith('C')) model.writeOffs++
    else {
      const figures = model.skus.get(sku) ?? { sold: 0, stock: 0, left: 0, held: 0 }
      model.skus.set(sku, figures)
      if (quantity > 0) figures.sold += quantity
      moving.push({
        kind: quantity > 0 ? 'sale' : 'cancellation',
        sku,
        customer: field('CustomerID'),
        quantity: Math.abs(quantity),
      })
    }
  }
  return moving
}
