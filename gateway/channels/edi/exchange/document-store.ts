/**
 * Documents that we make for partners, each once: kept as records with their text sealed for the order's person, found by
 * partner, type and order, and written to the partner's folder where it has one.
 */
import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecordPut } from '../../../../actors/records/records.js'
import type { OperationContext } from '../../../operations/operation.js'
import type { Sealed } from '../../../personal-data/vault.js'
import type { Connection } from '../../channel.js'
import type { EdifactDocument, X12Document } from '../documents.js'
import { type EdiSettings, ediSettings, writeEdifact, writeX12 } from '../index.js'
import { nextControlNumber } from './counters.js'

export const DOCUMENT = 'edi-document'

export interface KeptDocument {
  connection: string
  /** `855`, `ORDRSP`: as its syntax calls it. */
  type: string
  syntax: 'x12' | 'edifact'
  controlNumber: number
  atMs: number
  order?: string
  fulfillment?: string
  /** Whose key seals the text; nobody's where no person is in it. */
  person?: string
  text: Sealed | string
  /** It is still to be written to the partner's folder. */
  awaitsFolder?: boolean
  /** What the partner's system said of it. */
  receipt?: string
}

/** What a document is about, and how it is to be written. */
export interface Occasion {
  connection: Connection
  settings: EdiSettings
  syntax: 'x12' | 'edifact'
  /** Of what happened: with the subject it makes the id, so that a repeat finds it again. */
  atMs: number
  /** Of this partner, for ever one document. */
  subject: string
  order?: string
  fulfillment?: string
  person?: string
}

const X12_TYPES: Record<X12Document['type'], string> = {
  purchaseOrder: '850',
  orderResponse: '855',
  shipNotice: '856',
  invoice: '810',
  inventoryAdvice: '846',
  warehouseOrder: '940',
}
const EDIFACT_TYPES: Record<EdifactDocument['type'], string> = {
  orderResponse: 'ORDRSP',
  shipNotice: 'DESADV',
  invoice: 'INVOIC',
}
export const DOCUMENT_TYPES = [...Object.values(X12_TYPES), ...Object.values(EDIFACT_TYPES)]

export const settingsOf = ({ settings }: Connection): EdiSettings => ediSettings.parse(settings)

/** Ids sort by time: thirteen digits of milliseconds last until the year 2286. */
export const documentId = ({ connection, atMs, subject }: Pick<Occasion, 'connection' | 'atMs' | 'subject'>): string =>
  `${String(atMs).padStart(13, '0')}-${connection.id}-${subject}`

/** By what documents are found: a partner, its type, its order, its control number. */
export const refs = {
  connection: (id: string): string => id,
  type: (id: string, type: string): string => `${id}|type|${type}`,
  order: (id: string, order: string): string => `${id}|order|${order}`,
  control: (id: string, control: number): string => `${id}|control|${control}`,
}

/** Makes and keeps it unless that was done before. Throws UnwritableDocument where it can't be written as it is. */
export async function issue(
  document: X12Document | EdifactDocument,
  occasion: Occasion,
  context: OperationContext,
): Promise<void> {
  const { records } = context
  const id = documentId(occasion)
  const known = await records.get<KeptDocument>(DOCUMENT, id)
  const kept = known?.value ?? (await make(document, occasion, id, context))
  const { outFolder } = occasion.settings
  // Due until it is in the folder: one that is full or gone must not hold up what others are told.
  const value = outFolder === undefined ? kept : { ...kept, awaitsFolder: true }
  if (!known) await records.create({ kind: DOCUMENT, id, ...rowOf(value, 0) })
  if (outFolder !== undefined) await deliver(id, outFolder, context)
}

const AGAIN_MS = 60_000

const rowOf = (value: KeptDocument, dueMs: number): Pick<RecordPut, 'value' | 'refs' | 'dueMs'> => ({
  value,
  refs: refsOf(value),
  ...(value.awaitsFolder ? { dueMs } : {}),
})

/** Writes a kept document to the folder that it waits for, or puts it off. */
export async function deliver(
  id: string,
  folder: string | undefined,
  { records, people, now, fault }: OperationContext,
): Promise<void> {
  const row = await records.get<KeptDocument>(DOCUMENT, id)
  if (!row?.value.awaitsFolder) return
  const { value } = row
  let isThere = true
  try {
    const text = textOf(value, people)
    if (folder !== undefined && text !== undefined) await putInFolder(folder, id, value.type, text)
  } catch (error) {
    fault(error)
    isThere = false
  }
  await records.update<KeptDocument>(DOCUMENT, id, (kept) =>
    kept ? rowOf({ ...kept, awaitsFolder: !isThere }, now() + AGAIN_MS) : undefined,
  )
}

async function make(
  document: X12Document | EdifactDocument,
  { connection, settings, syntax, atMs, order, fulfillment, person }: Occasion,
  id: string,
  context: OperationContext,
): Promise<KeptDocument> {
  const { vault } = context.people
  const isEdifact = syntax === 'edifact' && isOfEdifact(document)
  const controlNumber = await nextControlNumber(connection.id, id, context)
  const stamp = { controlNumber, atMs }
  const text = isEdifact ? writeEdifact([document], settings, stamp) : writeX12([document], settings, stamp)
  const type = isEdifact ? EDIFACT_TYPES[document.type] : X12_TYPES[document.type]
  return {
    connection: connection.id,
    type,
    syntax: isEdifact ? 'edifact' : 'x12',
    controlNumber,
    atMs,
    ...(order === undefined ? {} : { order }),
    ...(fulfillment === undefined ? {} : { fulfillment }),
    ...(person === undefined ? { text } : { person, text: vault.seal(person, text) }),
  }
}

/** EDIFACT has three of our documents; the others go as X12 to everybody. */
const isOfEdifact = (document: X12Document | EdifactDocument): document is EdifactDocument =>
  Object.hasOwn(EDIFACT_TYPES, document.type)

function refsOf({ connection, type, order, controlNumber }: KeptDocument): string[] {
  return [
    refs.connection(connection),
    refs.type(connection, type),
    refs.control(connection, controlNumber),
    ...(order === undefined ? [] : [refs.order(connection, order), order]),
  ]
}

/** The text; undefined where the person was erased. */
export function textOf({ person, text }: KeptDocument, people: OperationContext['people']): string | undefined {
  if (typeof text === 'string') return text
  return person === undefined ? undefined : people.vault.open<string>(person, text)
}

/** As the partner reads it: EDIFACT in Latin-1, of which X12's ASCII is a part. */
const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Whole or not at all, also for who watches the folder: written under a name that nobody looks for, then renamed. */
async function putInFolder(folder: string, id: string, type: string, text: string): Promise<void> {
  const name = `${id.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 180)}-${type}.edi`
  const hidden = join(folder, `.${name}.${randomUUID()}`)
  try {
    const file = await open(hidden, 'wx', 0o600)
    try {
      await file.writeFile(bytesOf(text))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(hidden, join(folder, name))
  } catch (error) {
    await rm(hidden, { force: true })
    throw error
  }
}

/** Notes what the partner's system said of a document by the control number that it names. */
export async function noteReceipt(
  connection: string,
  control: string,
  receipt: string,
  { records }: OperationContext,
): Promise<string | undefined> {
  if (!/^\d{1,9}$/.test(control)) return undefined
  const { items } = await records.list<KeptDocument>(DOCUMENT, 1, undefined, refs.control(connection, Number(control)))
  const [found] = items
  if (!found) return undefined
  await records.update<KeptDocument>(DOCUMENT, found.id, (kept) => (kept ? rowOf({ ...kept, receipt }, 0) : undefined))
  return found.id
}
