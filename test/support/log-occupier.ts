/**
 * Occupies a partition's log, in a process of its own: LMDB lets one write at a time, so whoever wants to append waits.
 * Says that it has it, and lets go at the end of its standard input. Run from the build.
 */
import { readSync, writeSync } from 'node:fs'
import { ABORT, open } from 'lmdb'

const [, , path] = process.argv
const log = open({ path: path!, noSubdir: true, overlappingSync: false, encoding: 'binary', keyEncoding: 'binary' })
log.transactionSync(() => {
  writeSync(1, 'occupied')
  readSync(0, Buffer.alloc(1))
  return ABORT
})
