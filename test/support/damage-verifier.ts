/**
 * Verifies one data directory after the other, as `doorbuster verify` does, in a process of its own: what would take the
 * process down is seen by the one who started it. Run from the build, with an IPC channel.
 */
import { createActors } from '../../actors/main.js'
import { readDescription } from '../../engine/data-directory.js'
import { Digest } from '../../engine/digest.js'
import { DoorbusterError } from '../../engine/errors.js'
import { verifyPartition } from '../../engine/offline.js'

export interface Order {
  readonly directory: string
  /** Only this one; none: all. */
  readonly partition?: number | undefined
}

/** What was found in one directory. */
export interface Finding {
  /** Sentences; empty where nothing is wrong. */
  readonly faults: readonly string[]
  readonly digest: string
  /** Of the last record, by partition. */
  readonly sequences: readonly number[]
  /** An error that is not meant for people. */
  readonly bug?: string
}

async function find({ directory, partition: only }: Order): Promise<Finding> {
  const whole = new Digest()
  const sequences: number[] = []
  const faults: string[] = []
  try {
    const description = readDescription(directory)
    for (let partition = 0; partition < description.partitions; partition++) {
      if (only !== undefined && partition !== only) continue
      const report = await verifyPartition(directory, description, partition, createActors)
      faults.push(...report.faults)
      sequences.push(report.sequence)
      if (report.digest !== '') whole.addDigest(report.digest)
    }
  } catch (error) {
    if (!(error instanceof DoorbusterError))
      return {
        faults,
        digest: '',
        sequences,
        bug: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }
    faults.push(error.message)
  }
  return { faults, digest: whole.toString(), sequences }
}

process.on('message', (order: Order) => {
  void find(order).then((finding) => process.send!(finding))
})
