/** What a replay says at its end: one object for programs, one page for people. */
import { STATUS_CODES } from '../../actors/inventory/wire.js'
import type { History } from './history.js'
import { oversoldUnits, type SkuAccount } from './replay-audit.js'
import type { LoadResult } from './replay-load.js'

const CONTENDED_SHOWN = 10
const WRONG_SHOWN = 20

interface ContendedSku {
  readonly sku: string
  readonly name: string
  /** Units, as are the next three. */
  readonly stock: number
  readonly demand: number
  readonly held: number
  readonly refused: number
  /** Buyers turned away. */
  readonly reservationsRefused: number
}

export interface ReplaySummary {
  /** lines = reservations + cancellations + write-offs + charges + bad lines. */
  readonly lines: number
  readonly reservations: number
  readonly held: number
  readonly refused: number
  /** Reservations that the server gave back. */
  readonly released: number
  readonly cancellationsMatched: number
  readonly cancellationsUnmatched: number
  readonly writeOffs: number
  readonly charges: Record<string, number>
  readonly badLines: Record<string, number>
  /** The first few, with their line in the file. */
  readonly badExamples: readonly { line: number; reason: string }[]
  /** Refused reservations by the reason that the server gave. */
  readonly refusedBy: Record<string, number>
  /** Times that a line was sent again because the server was overloaded. */
  readonly overloads: number
  readonly skus: number
  /** From the first frame sent to the last one answered. */
  readonly seconds: number
  readonly linesPerSecond: number
  readonly reservationsPerSecond: number
  /** A frame's way from send to reply. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly unitsHeld: number
  readonly unitsRefused: number
  readonly contended: readonly ContendedSku[]
  /** Units promised beyond the stock, or told otherwise than booked. Must be 0. */
  readonly oversold: number
  /** Where: the SKUs whose account is wrong. */
  readonly wrong: readonly SkuAccount[]
  /** SKUs that the server had stock of before; their figures are differences. */
  readonly skusKnownBefore: number
}

export function summarize(
  history: History,
  load: LoadResult,
  accounts: readonly SkuAccount[],
  skusKnownBefore: number,
): ReplaySummary {
  const sum = (pick: (account: SkuAccount) => number) => accounts.reduce((total, account) => total + pick(account), 0)
  const refused = sum((account) => account.reservationsRefused)
  const milliseconds = (percentile: number) => load.latencies.getValueAtPercentile(percentile) / 1000
  const wrong = accounts.filter((account) => oversoldUnits(account) > 0)
  const sent = history.length
  return {
    lines: history.lines,
    reservations: history.sales,
    held: history.sales - refused,
    refused,
    released: load.cancellationsMatched - total(load.releaseFailures),
    cancellationsMatched: load.cancellationsMatched,
    cancellationsUnmatched: load.cancellationsUnmatched,
    writeOffs: history.writeOffs,
    charges: Object.fromEntries(history.charges),
    badLines: Object.fromEntries(history.badLines),
    badExamples: history.badExamples,
    refusedBy: byCode(load.refusals),
    overloads: load.overloads,
    skus: history.articles.length,
    seconds: round(load.seconds, 3),
    linesPerSecond: Math.round(sent / load.seconds),
    reservationsPerSecond: Math.round(history.sales / load.seconds),
    p50Ms: round(milliseconds(50), 2),
    p99Ms: round(milliseconds(99), 2),
    p999Ms: round(milliseconds(99.9), 2),
    unitsHeld: sum((account) => account.held),
    unitsRefused: sum((account) => account.refused),
    contended: accounts
      .filter((account) => account.reservationsRefused > 0)
      .sort((a, b) => b.reservationsRefused - a.reservationsRefused)
      .slice(0, CONTENDED_SHOWN)
      .map(({ sku, name, stock, demand, held, refused, reservationsRefused }) => {
        return { sku, name, stock, demand, held, refused, reservationsRefused }
      }),
    oversold: wrong.reduce((units, account) => units + oversoldUnits(account), 0),
    wrong: wrong.slice(0, WRONG_SHOWN),
    skusKnownBefore,
  }
}

/** The page for people. */
export function formatSummary(summary: ReplaySummary): string {
  const s = summary
  const out: string[] = ['']
  const figure = (name: string, value: number | string, note = '') => {
    const text = typeof value === 'number' ? count(value) : value
    out.push(`  ${name.padEnd(26)}${text.padStart(14)}${note ? `   ${note}` : ''}`)
  }
  figure('lines', s.lines)
  figure('reservations', s.reservations)
  figure('  held', s.held, `${count(s.unitsHeld)} units`)
  figure('  refused', s.refused, `${count(s.unitsRefused)} units${listed(s.refusedBy)}`)
  figure('cancellations matched', s.cancellationsMatched, `${count(s.released)} reservations released`)
  figure('cancellations unmatched', s.cancellationsUnmatched)
  figure('write-offs', s.writeOffs)
  figure('charges, not goods', total(s.charges), listed(s.charges).replace(/^: /, ''))
  figure('bad lines', total(s.badLines), listed(s.badLines).replace(/^: /, ''))
  for (const { line, reason } of s.badExamples) out.push(`      line ${count(line)}: ${reason}`)
  if (s.overloads > 0) figure('sent again, overloaded', s.overloads)
  out.push('')
  figure('seconds', s.seconds.toFixed(2))
  figure('lines a second', s.linesPerSecond)
  figure('reservations a second', s.reservationsPerSecond)
  figure('p50 / p99 / p99.9', `${s.p50Ms} / ${s.p99Ms} / ${s.p999Ms} ms`, 'a frame, from send to reply')
  out.push('', ...table(s.contended), '')
  if (s.skusKnownBefore > 0) {
    out.push(
      `  The server knew ${count(s.skusKnownBefore)} of these SKUs: stock and oversold are differences from what it had.`,
    )
  }
  figure('oversold', s.oversold, s.oversold === 0 ? `${count(s.skus)} SKUs agree with what the buyers were told` : '')
  for (const account of s.wrong) {
    out.push(
      `      ${account.sku}: stock ${count(account.stock)}, at most ${count(account.peak)} held at once; ` +
        `told ${count(account.told)}, booked ${count(account.serverReserved)}`,
    )
  }
  return `${out.join('\n')}\n`
}

function table(contended: readonly ContendedSku[]): string[] {
  if (contended.length === 0) return ['  No SKU was contended.']
  const head = `  ${'most contended'.padEnd(48)}${['stock', 'demand', 'held', 'refused', 'buyers refused'].map((name) => name.padStart(name.length > 7 ? 16 : 10)).join('')}`
  const rows = contended.map(({ sku, name, stock, demand, held, refused, reservationsRefused }) => {
    const figures = [stock, demand, held, refused].map((units) => count(units).padStart(10)).join('')
    return `  ${sku.padEnd(12)}${name.slice(0, 35).padEnd(36)}${figures}${count(reservationsRefused).padStart(16)}`
  })
  return [head, ...rows]
}

const count = (value: number) => value.toLocaleString('en-GB')

function listed(counts: Record<string, number>): string {
  const parts = Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, value]) => `${name} ${count(value)}`)
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`
}

function byCode(counts: ReadonlyMap<number, number>): Record<string, number> {
  return Object.fromEntries([...counts].map(([status, value]) => [STATUS_CODES[status] ?? `status ${status}`, value]))
}

function total(counts: ReadonlyMap<unknown, number> | Record<string, number>): number {
  const values = counts instanceof Map ? [...counts.values()] : Object.values(counts)
  return values.reduce((sum: number, value: number) => sum + value, 0)
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
