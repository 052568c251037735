/**
 * Reconciles stock: compares what another system believes is on hand with what is on hand here, row by row in bounded
 * pieces, and explains the differences by the journal. The result is kept; what is left unexplained may be applied as
 * adjustments, each of which is made once.
 */
import type { StockMoved } from '../../actors/inventory/moves.js'
import type { StockView } from '../../actors/inventory/views.js'
import type { Outcome } from '../../engine/protocol.js'
import { failed, type OperationContext } from '../operations/operation.js'
import { derivedId } from '../order-request.js'
import { problem } from '../problems.js'
import { placeKey } from './booked.js'
import { eachUnits, entriesFrom } from './entry.js'
import { type Explanation, explain, type Movement } from './explanation.js'
import { exportState } from './export-state.js'
import { Ledger } from './ledger.js'
import type { SnapshotRow, StockSnapshot } from './link.js'
import { unitsOfMoves } from './stock-posting.js'

export const RECONCILIATION = 'erp-reconciliation'

/** Differences that are kept and explained: a record of some hundred kilobytes. The others are counted. */
const DIFFERENCES_MAX = 1_000
const ROWS_AT_ONCE = 500
/** Entries that explanations are looked for in: a minute or two of a busy day, or days of a quiet one. */
const ENTRIES_LOOKED_AT = 50_000
/** How long before the snapshot movements are looked at: what was not told, or was posted twice, is found by the next day. */
const BEFORE_MS = 2 * 86_400_000
const PAGE = 500
/** Stock may move while it is compared. */
const READ_TRIES = 3

export interface Difference {
  sku: string
  location: string
  theirs: number
  ours: number
  /** Theirs less ours. */
  difference: number
  explained: Explanation[]
  /** Explanations beyond those that are shown. */
  more?: number
  unexplained: number
  applied?: number
}

export interface Reconciliation {
  id: string
  snapshot: string
  at: string
  comparedAt: string
  rows: number
  unknownRows: { sku: string; location: string }[]
  unknown: number
  different: number
  /** Differences that are not listed: there were more than are kept. */
  notListed: number
  /** The journal was too long to be looked at to its end: there may be explanations that were not found. */
  isJournalCut: boolean
  differences: Difference[]
  applied?: { at: string; by: string; reason: string }
}

interface Found {
  sku: number
  location: number
  row: SnapshotRow
  ours: number
}

/** Compares a snapshot and keeps the result under `id`; a snapshot that was compared under it before gives the first result. */
export async function reconcile(
  id: string,
  snapshot: StockSnapshot,
  context: OperationContext,
): Promise<Reconciliation> {
  const { records, now } = context
  const known = await records.get<Reconciliation>(RECONCILIATION, id)
  if (known) return known.value
  const result: Reconciliation = {
    id,
    snapshot: snapshot.id,
    at: snapshot.at,
    comparedAt: new Date(now()).toISOString(),
    rows: 0,
    unknownRows: [],
    unknown: 0,
    different: 0,
    notListed: 0,
    isJournalCut: false,
    differences: [],
  }
  const found: Found[] = []
  let rows: SnapshotRow[] = []
  const compare = async (): Promise<void> => {
    await comparePiece(rows, result, found, context)
    rows = []
  }
  for await (const row of snapshot.rows) if (rows.push(row) === ROWS_AT_ONCE) await compare()
  if (rows.length > 0) await compare()
  await explainAll(found, Date.parse(snapshot.at), result, context)
  await records.create({ kind: RECONCILIATION, id, value: result })
  return (await records.get<Reconciliation>(RECONCILIATION, id))!.value
}

async function comparePiece(
  rows: SnapshotRow[],
  result: Reconciliation,
  found: Found[],
  context: OperationContext,
): Promise<void> {
  const { directory } = context
  const places = rows.map(({ sku, location }) => ({
    sku: directory.find('skus', sku),
    location: directory.find('locations', location),
  }))
  const stock = await onHandOf(
    places.filter(({ sku, location }) => sku >= 0 && location >= 0),
    context,
  )
  for (const [at, row] of rows.entries()) {
    const { sku, location } = places[at]!
    result.rows++
    if (sku < 0 || location < 0) {
      result.unknown++
      if (result.unknownRows.length < ROWS_AT_ONCE) result.unknownRows.push({ sku: row.sku, location: row.location })
      continue
    }
    const ours = stock.get(placeKey(sku, location)) ?? 0
    if (ours === row.onHand) continue
    result.different++
    if (found.length < DIFFERENCES_MAX) found.push({ sku, location, row, ours })
    else result.notListed++
  }
}

/** On hand of the SKUs at all their locations, by `placeKey`. */
export async function onHandOf(
  places: { sku: number }[],
  { directory, dispatch }: OperationContext,
): Promise<Map<string, number>> {
  const onHand = new Map<string, number>()
  const skus = [...new Set(places.map(({ sku }) => sku))]
  for (const [partition, indices] of directory.byPartition(skus, (sku) => sku)) {
    for (let from = 0; from < indices.length; from += ROWS_AT_ONCE) {
      const ask = { indices: indices.slice(from, from + ROWS_AT_ONCE) }
      const outcome = await dispatch.query(partition, 'inventory.getMany', ask)
      if (failed(outcome)) throw new Error('stock cannot be read')
      // What partitions answer to this query.
      for (const view of (outcome.body as { items: (StockView | null)[] }).items) {
        for (const row of view?.rows ?? []) onHand.set(placeKey(view!.sku, row.location), row.onHand)
      }
    }
  }
  return onHand
}

async function explainAll(
  found: Found[],
  atMs: number,
  result: Reconciliation,
  context: OperationContext,
): Promise<void> {
  if (found.length === 0) return
  for (let tries = 1; ; tries++) {
    const { movements, isCut } = await movementsOf(found, atMs, context)
    const now = await onHandOf(found, context)
    const hasMoved = found.filter(({ sku, location, ours }) => (now.get(placeKey(sku, location)) ?? 0) !== ours)
    if (hasMoved.length > 0 && tries < READ_TRIES) {
      for (const one of hasMoved) one.ours = now.get(placeKey(one.sku, one.location)) ?? 0
      continue
    }
    result.isJournalCut = isCut
    for (const { sku, location, row, ours } of found) {
      const difference = row.onHand - ours
      const { explained, unexplained, more } = explain(difference, atMs, movements.get(placeKey(sku, location)) ?? [])
      result.differences.push({
        sku: row.sku,
        location: row.location,
        theirs: row.onHand,
        ours,
        difference,
        explained,
        ...(more > 0 ? { more } : {}),
        unexplained,
      })
    }
    return
  }
}

/** Movements of these places since some time before the snapshot, oldest first, those not posted yet last. */
async function movementsOf(
  found: Found[],
  atMs: number,
  context: OperationContext,
): Promise<{ movements: Map<string, Movement[]>; isCut: boolean }> {
  const ledger = new Ledger(context)
  const movements = new Map(found.map(({ sku, location }) => [placeKey(sku, location), [] as Movement[]]))
  const { upTo } = await exportState(context)
  const isLinked = Object.keys(upTo).length > 0
  const posted = new Set<string>()
  let looked = 0
  let before: string | null = entriesFrom(atMs - BEFORE_MS)
  while (before !== null && looked < ENTRIES_LOOKED_AT) {
    const page: Awaited<ReturnType<Ledger['page']>> = await ledger.page(PAGE, before)
    for (const { id, value } of page.items) {
      looked++
      const { event, reason = '', order, reference } = value
      posted.add(event.join('-'))
      const cause = order ?? reference
      eachUnits(value, (account, sku, units) => {
        movements.get(placeKey(sku, account))?.push({
          entry: event.join('-'),
          atMs: value.atMs,
          reason,
          units,
          ...(cause === undefined ? {} : { cause }),
          // Ids count down: what is below the last one that was delivered comes after it.
          ...(isLinked && id < (upTo[event[0]] ?? '~') ? { isUndelivered: true } : {}),
        })
      })
    }
    before = page.nextCursor
  }
  for (const event of await ledger.pending()) {
    const id = `${event.partition}-${event.number}`
    if (event.type !== 'inventory.moved' || posted.has(id)) continue
    // Published by the inventory's actors.
    const data = event.data as StockMoved
    const units = unitsOfMoves(data)
    eachUnits({ units }, (account, sku, count) => {
      const cause = data.ref === undefined ? {} : { cause: data.ref }
      const moved = { entry: id, atMs: event.timeMs, reason: data.reason, units: count, ...cause, isUnposted: true }
      movements.get(placeKey(sku, account))?.push(moved)
    })
  }
  return { movements, isCut: before !== null }
}

/** Adjusts stock by what nobody has explained, each place once for a reconciliation however often it is asked for. */
export async function applyReconciliation(
  id: string,
  reason: string,
  by: string,
  context: OperationContext,
): Promise<Outcome> {
  const { records, now } = context
  const known = await records.get<Reconciliation>(RECONCILIATION, id)
  if (!known) return problem(404, 'unknown_reconciliation', `There is no reconciliation ${id}.`)
  const applied = new Map<string, number>()
  for (const { sku, location, unexplained: delta } of known.value.differences) {
    if (delta === 0) continue
    const adjustment = { id: derivedId(['reconciliation', id, sku, location]), sku, location, delta, reason }
    const outcome = await context.call('inventory.adjust', adjustment)
    if (outcome.status >= 500) return outcome
    applied.set(`${sku}/${location}`, failed(outcome) ? 0 : delta)
  }
  await records.update<Reconciliation>(RECONCILIATION, id, (value) => {
    if (!value || value.applied) return undefined
    const differences = value.differences.map((one) => {
      const units = applied.get(`${one.sku}/${one.location}`)
      return units === undefined ? one : { ...one, applied: units }
    })
    return { value: { ...value, differences, applied: { at: new Date(now()).toISOString(), by, reason } } }
  })
  return { status: 200, body: (await records.get<Reconciliation>(RECONCILIATION, id))!.value }
}
