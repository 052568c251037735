/**
 * EDI with trading partners: X12 and EDIFACT, as pure functions over text. Nothing here keeps, sends or counts anything:
 * the caller has made the file durable before it is read, and gives control numbers and the time.
 */
import type { Connection } from '../channel.js'
import { UnreadablePayload } from '../channel.js'
import type { Stamp } from './documents.js'
import type { EdiFile } from './edi-file.js'
import { readEdifactFile } from './edifact/read.js'
import { unreadable } from './faults.js'
import { FILE_CHARS_MAX } from './limits.js'
import { ediSettings } from './settings.js'
import { readX12File } from './x12/read.js'

export type * from './documents.js'
export type { EdiFile } from './edi-file.js'
export { writeEdifact } from './edifact/write.js'
export type * from './records.js'
export { type EdiSettings, ediSettings } from './settings.js'
export { UnwritableDocument } from './written-text.js'
export { writeX12 } from './x12/write.js'

/**
 * Reads a file of one or more interchanges. `stamp` is of the acknowledgement: its control number is used where
 * `acknowledgement` is not empty. Throws UnreadablePayload where nothing at all can be made of the file; what can't be
 * read of a file that holds other things is among its `faults`.
 */
export function readInterchanges(text: string, connection: Pick<Connection, 'settings'>, stamp: Stamp): EdiFile {
  const settings = ediSettings.safeParse(connection.settings)
  if (!settings.success) {
    throw new UnreadablePayload(
      'the connection’s settings are not right: correct them first',
      settings.error.issues.map(({ path, message }) => ({ path: `settings.${path.join('.')}`, message })),
    )
  }
  if (text.length > FILE_CHARS_MAX) {
    throw new UnreadablePayload(
      `a file has at most ${FILE_CHARS_MAX} characters, and this one has ${text.length}: send it in parts`,
    )
  }
  const begin = /(?:^|[^A-Za-z0-9])(ISA|UNA|UNB)[^A-Za-z0-9\s]/.exec(text)
  if (!begin) {
    throw new UnreadablePayload('no interchange: a file of X12 begins with ISA, a file of EDIFACT with UNA or UNB')
  }
  const file =
    begin[1] === 'ISA' ? readX12File(text, settings.data, stamp) : readEdifactFile(text, settings.data, stamp)
  if (file.interchanges.length === 0) throw unreadable('no interchange that can be read', file.faults)
  return file
}
