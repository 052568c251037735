/** Files of orders that are sent here, and the reports of what came of them. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { z } from 'zod'
import type { Outcome } from '../../engine/protocol.js'
import { fileImport } from '../channels/files/file-import.js'
import type { FileReport } from '../channels/files/file-report.js'
import { ImportInterrupted } from '../channels/files/order-batch.js'
import { formatOfName, importOrderFile, UnreadableFile } from '../channels/files/order-file.js'
import { reportCsv } from '../channels/files/report.js'
import { fileSettings } from '../channels/files/settings.js'
import { BODY_BYTES_MAX } from '../limits.js'
import { derivedId } from '../order-request.js'
import { overloaded, problem } from '../problems.js'
import { channelName, page, uuid } from '../schemas.js'
import { withoutUndefined } from '../without-undefined.js'
import { type OperationContext, operation } from './operation.js'

const REPORTS = 'order-file-report'
/** Bad lines of one report: it is a record of the log, of at most 1 MiB. */
const BAD_LINES_MAX = 1_000
/** Files at once: each has its text and its orders' numbers in memory. */
const FILES_MAX = 8
let underWay = 0

const parameters = z.object({ connection: channelName })

const file = fileSettings.pick({ currency: true }).extend({
  name: z
    .string()
    .min(1)
    .max(200)
    .refine((name) => !/[\p{Cc}\p{Surrogate}]/u.test(name), 'no control characters'),
  content: z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= BODY_BYTES_MAX, 'at most 1 MiB; use the import command for more')
    .refine((text) => !/\p{Surrogate}/u.test(text), 'no half characters'),
  format: z.enum(['csv', 'jsonl']).optional().meta({ description: 'None: by the end of the name' }),
})

interface KeptReport extends FileReport {
  id: string
  connection: string
  at: string
}

async function take(
  { connection, name, content, format, currency }: z.output<typeof file> & { connection: string },
  context: OperationContext,
) {
  const wanted = format === 'jsonl' ? 'json' : (format ?? formatOfName(name))
  if (!wanted) return problem(422, 'invalid', 'name: ends in .csv, .jsonl, .ndjson or .json, or say the format')
  const bytes = Buffer.from(content)
  // What a file says of itself wins, then what is said beside it, then the connection's settings.
  const known = fileSettings.safeParse(context.channels.connections.get('files', connection)?.settings ?? {}).data
  const settings = { ...known, ...withoutUndefined({ currency }) }
  const report = await importOrderFile(
    { name, format: wanted, open: () => Readable.from([bytes]) },
    { ...fileImport(connection, settings, context), badLinesMax: BAD_LINES_MAX },
  )
  const hash = createHash('sha256').update(content).digest('hex')
  const id = derivedId(['order-file', connection, name, hash])
  const value: KeptReport = { id, connection, at: new Date(context.now()).toISOString(), ...report }
  await context.records.put({ kind: REPORTS, id, value, refs: [connection] })
  return { status: 201, body: value }
}

async function reportOf(connection: string, id: string, { records }: OperationContext): Promise<KeptReport | Outcome> {
  const kept = await records.get<KeptReport>(REPORTS, id)
  if (kept?.value.connection === connection) return kept.value
  return problem(404, 'unknown_file', `There is no report ${id} of a file of ${connection}.`)
}

export const orderFileOperations = [
  operation({
    name: 'orderFile.import',
    summary: 'A file of orders as text, CSV or JSON lines: bad lines are named, the other orders are placed, each once',
    http: { method: 'POST', path: '/v1/channels/files/{connection}/files', status: 201 },
    parameters,
    body: file,
    async run(input, context) {
      if (underWay >= FILES_MAX) return overloaded()
      underWay++
      try {
        return await take(input, context)
      } catch (error) {
        if (error instanceof UnreadableFile) return problem(422, 'bad_file', `${error.message}.`)
        if (error instanceof ImportInterrupted) return overloaded()
        throw error
      } finally {
        underWay--
      }
    },
  }),
  operation({
    name: 'orderFile.list',
    summary: 'Reports of the files of a connection',
    http: { method: 'GET', path: '/v1/channels/files/{connection}/files', status: 200 },
    parameters,
    query: page,
    async run({ connection, limit, cursor }, { records }) {
      const found = await records.list<KeptReport>(REPORTS, limit, cursor, connection)
      const items = found.items.map(({ value: { badLines: _lines, ...report } }) => report)
      return { status: 200, body: { items, nextCursor: found.nextCursor } }
    },
  }),
  operation({
    name: 'orderFile.get',
    summary: 'The report of a file: each bad line with its number and the reason',
    http: { method: 'GET', path: '/v1/channels/files/{connection}/files/{id}', status: 200 },
    parameters: parameters.extend({ id: uuid }),
    async run({ connection, id }, context) {
      const found = await reportOf(connection, id, context)
      return 'status' in found ? found : { status: 200, body: found }
    },
  }),
  operation({
    name: 'orderFile.csv',
    summary: 'The bad lines of a file as CSV',
    http: {
      method: 'GET',
      path: '/v1/channels/files/{connection}/files/{id}/report.csv',
      status: 200,
      produces: 'text/csv; charset=utf-8',
    },
    parameters: parameters.extend({ id: uuid }),
    async run({ connection, id }, context) {
      const found = await reportOf(connection, id, context)
      return 'status' in found ? found : { status: 200, body: Buffer.from(reportCsv(found)) }
    },
  }),
]
