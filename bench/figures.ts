/** What the bench reports: one figure for each scenario, as a table for people and as JSON lines for programs. */

export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
}

export interface Figure {
  readonly name: string
  readonly value: number
  /** What the value counts, such as `reservations/s` or `bytes`. */
  readonly unit: string
  /** What the value must reach, or may not exceed. */
  readonly target?: { readonly least: number } | { readonly most: number }
  readonly latency?: Latency
  /** How it was driven, in a few words: connections, records a frame, what was chosen. */
  readonly how: string
  /** More numbers of the same measurement, by name with the unit last. */
  readonly detail?: Readonly<Record<string, number>>
}

interface Ratio {
  readonly against: string
  readonly value: number
}

export interface Row {
  readonly figure: Figure
  readonly ratios: readonly Ratio[]
}

/** The figure with the middle value; of an even number the lower middle, so that no figure is made up. */
export function medianFigure(figures: readonly Figure[]): Figure {
  const sorted = [...figures].sort((a, b) => a.value - b.value)
  const middle = sorted[(sorted.length - 1) >> 1]
  if (!middle) throw new Error('No figure to take the median of.')
  return middle
}

/** Puts beside each figure its ratios to those it is measured against, where they are there. */
export function rowsOf(figures: readonly Figure[], against: ReadonlyMap<string, readonly string[]>): Row[] {
  const byName = new Map(figures.map((figure) => [figure.name, figure]))
  return figures.map((figure) => ({
    figure,
    ratios: (against.get(figure.name) ?? []).flatMap((name) => {
      const other = byName.get(name)
      return other && other.value > 0 ? [{ against: name, value: figure.value / other.value }] : []
    }),
  }))
}

/** One JSON object, on one line. A value that is counted by the second is a `rate`. */
export function jsonLine(row: Row, machine: Readonly<Record<string, string | number>>): string {
  const { name, value, unit, target, latency, how, detail } = row.figure
  return JSON.stringify({
    name,
    [unit.endsWith('/s') ? 'rate' : 'value']: rounded(value),
    unit,
    ...(target && { target }),
    ...(latency && {
      p50Ms: rounded(latency.p50Ms),
      p99Ms: rounded(latency.p99Ms),
      p999Ms: rounded(latency.p999Ms),
    }),
    ...(row.ratios.length > 0 && {
      ratios: row.ratios.map((ratio) => ({ against: ratio.against, value: rounded(ratio.value) })),
    }),
    how,
    ...(detail && { detail: Object.fromEntries(Object.entries(detail).map(([key, n]) => [key, rounded(n)])) }),
    machine,
  })
}

export function table(rows: readonly Row[]): string {
  const hasTargets = rows.some(({ figure }) => figure.target)
  const cells = rows.map(({ figure, ratios }) => [
    figure.name,
    count(figure.value),
    figure.unit,
    ...(hasTargets ? [figure.target ? goal(figure.target) : ''] : []),
    ...(figure.latency
      ? [figure.latency.p50Ms, figure.latency.p99Ms, figure.latency.p999Ms].map((ms) => ms.toFixed(2))
      : ['', '', '']),
    ratios.map((ratio) => `${count(ratio.value)} × ${ratio.against}`).join(', '),
    figure.how,
  ])
  const latencies = ['p50 ms', 'p99 ms', 'p99.9 ms']
  const head = ['scenario', 'value', 'unit', ...(hasTargets ? ['target'] : []), ...latencies, 'ratio', 'how']
  const right = new Set(['value', 'target', ...latencies])
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        right.has(head[column] ?? '') ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return [line(head), line(widths.map((width) => '─'.repeat(width))), ...cells.map(line)].join('\n')
}

function goal(target: NonNullable<Figure['target']>): string {
  return 'least' in target ? `≥ ${count(target.least)}` : `≤ ${count(target.most)}`
}

/** Whole numbers from 100 up, two decimals below: enough to read, not more than was measured. */
function count(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2)
}

function rounded(value: number): number {
  return value >= 1_000 ? Math.round(value) : Number(value.toFixed(3))
}
