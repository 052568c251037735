/** What a thread of the pool does: reads a partner's file, which takes up to seconds. */
import { UnreadablePayload } from '../../channel.js'
import type { Stamp } from '../documents.js'
import { unreadable } from '../faults.js'
import { type EdiFile, readInterchanges } from '../index.js'

export interface FileToRead {
  text: string
  settings: Readonly<Record<string, unknown>>
  stamp: Stamp
}

/** Errors lose their class between threads, so they travel as what they say. */
export type FileRead =
  | { file: EdiFile; rejected: { path: string; message: string }[]; noted: string[] }
  | { message: string; errors: { path: string; message: string }[] }

export default function readFile({ text, settings, stamp }: FileToRead): FileRead {
  try {
    const file = readInterchanges(text, { settings }, stamp)
    const rejected = file.faults.filter(({ severity }) => severity === 'rejected')
    const noted = file.faults.filter(({ severity }) => severity === 'noted').map(({ message }) => message)
    return { file, rejected: unreadable('', rejected).errors, noted }
  } catch (error) {
    if (error instanceof UnreadablePayload) return { message: error.message, errors: error.errors }
    throw error
  }
}
