import { describeLog } from './log.contract.js'
import { LOG_START } from './log.js'
import { MemoryLog } from './memory-log.contract.js'

describeLog('the log of tests, in memory', () => {
  const records = new Map<number, Uint8Array>()
  return {
    partition: 3,
    open: (position = LOG_START) => new MemoryLog(records, 3, position),
    openRefusing: () => new MemoryLog(records, 3, LOG_START, true),
    damage: (sequence, change) => {
      const changed = change(records.get(sequence)!)
      if (changed) records.set(sequence, Uint8Array.from(changed))
      else records.delete(sequence)
      return Promise.resolve()
    },
    plant: (sequence, record) => {
      records.set(sequence, record)
      return Promise.resolve()
    },
  }
})
