/** Control messages as they leave: one msgpack map each, of plain types that any msgpack library reads. */
import { Packr } from 'msgpackr'

const packr = new Packr({ useRecords: false, int64AsType: 'number', encodeUndefinedAsNil: true })

export const packMessage = (value: unknown): Uint8Array => packr.pack(value)
