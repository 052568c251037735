/** The first record of a log, with nothing in it: since there always is one, a log that holds none has lost them. */
import type { Log } from './log.js'
import { BatchRecord } from './record.js'

export function appendOpening(log: Log, timeMs: number): void {
  log.append(new BatchRecord(log.owner, 0).seal(log.last, timeMs, log.last.sequence))
}

export const isEmpty = (log: Log): boolean => log.first > log.last.sequence
