/** The commands for a data directory that no server has open: verify, restore, reshard; and backup, which serves both. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createActors } from '../../actors/main.js'
import { redistribute } from '../../actors/reshard.js'
import { readDescription } from '../../engine/data-directory.js'
import { Digest } from '../../engine/digest.js'
import { lockDataDirectory } from '../../engine/directory-lock.js'
import { DoorbusterError } from '../../engine/errors.js'
import { Host } from '../../engine/host.js'
import { verifyPartition } from '../../engine/offline.js'
import { reshard } from '../../engine/reshard.js'
import { backupStopped, restore } from '../backup.js'
import { DoorbusterClient } from '../client/index.js'
import { vaultFaults } from '../personal-data/vault-file.js'

const print = (text: string): boolean => process.stdout.write(`${text}\n`)

/** Holds the directory's lock while `work` runs. */
async function locked<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  readDescription(dataDir)
  const unlock = await lockDataDirectory(dataDir)
  try {
    return await work()
  } finally {
    unlock()
  }
}

/** Reads everything and says what is wrong; 1 where something is. */
export function verify({ dataDir, json }: { dataDir: string; json: boolean }): Promise<number> {
  return locked(dataDir, async () => {
    const description = readDescription(dataDir)
    const whole = new Digest()
    const reports = []
    for (let partition = 0; partition < description.partitions; partition++) {
      const report = await verifyPartition(dataDir, description, partition, createActors)
      if (report.digest !== '') whole.addDigest(report.digest)
      reports.push(report)
    }
    const faults = reports.flatMap((report) => report.faults)
    // Until its files are made, nothing was sealed.
    if (description.made) faults.push(...(await vaultFaults(dataDir)))
    const digest = whole.toString()
    if (json) print(JSON.stringify({ ok: faults.length === 0, digest, partitions: reports, faults }))
    else {
      for (const { partition, sequence, entities, commands } of reports) {
        const replayed = `${commands.toLocaleString('en')} commands replayed from the log`
        print(
          `partition ${partition}: record ${sequence.toLocaleString('en')}, ${entities.toLocaleString('en')} entities, ${replayed}`,
        )
      }
      for (const fault of faults) print(`FAULT ${fault}`)
      print(faults.length === 0 ? `whole and balanced, digest ${digest}` : `${faults.length} faults`)
    }
    return faults.length === 0 ? 0 : 1
  })
}

/** Backs up into a new directory: through the server where one has the data directory open, else directly. */
export async function backup({
  directory,
  dataDir,
  url,
}: {
  directory: string
  dataDir: string
  url: string
}): Promise<number> {
  const target = resolve(directory)
  const { id } = readDescription(dataDir)
  let unlock: (() => void) | undefined
  try {
    unlock = await lockDataDirectory(dataDir)
  } catch (error) {
    if (!(error instanceof DoorbusterError && error.code === 'locked')) throw error
  }
  if (unlock) await backupStopped(dataDir, target).finally(unlock)
  else await backupThroughServer(target, id, url)
  print(`backed up to ${target}`)
  return 0
}

const BACKUP_DEADLINE_MS = 3_600_000

async function backupThroughServer(directory: string, dataDirectoryId: string, url: string): Promise<void> {
  const client = await DoorbusterClient.connect(url, { deadlineMs: BACKUP_DEADLINE_MS })
  try {
    const { status, body } = await client.command('backup.create', { directory, dataDirectoryId })
    if (status >= 300) throw new DoorbusterError('backup_failed', (body as { detail: string }).detail)
  } finally {
    await client.close()
  }
}

export async function restoreFrom({ directory, dataDir }: { directory: string; dataDir: string }): Promise<number> {
  await restore(resolve(directory), dataDir)
  const status = await verify({ dataDir, json: false })
  print(status === 0 ? `restored to ${dataDir}` : `${dataDir} was restored from a backup that is damaged`)
  return status
}

export function reshardTo({ partitions, dataDir }: { partitions: number; dataDir: string }): Promise<number> {
  return locked(dataDir, async () => {
    await deliverMessages(dataDir)
    const { description, digest } = await reshard(
      dataDir,
      readDescription(dataDir),
      partitions,
      createActors,
      redistribute,
    )
    print(`${dataDir} now has ${description.partitions} partitions, digest ${digest}`)
    return 0
  })
}

/** Runs the engine alone until no message between partitions is under way. */
async function deliverMessages(dataDir: string): Promise<void> {
  const description = readDescription(dataDir)
  if (description.partitions === 1) return
  const host = await Host.start({
    dataDir,
    description,
    threads: availableParallelism(),
    actorsModule: new URL('../../actors/main.js', import.meta.url).href,
    onFatal(error) {
      throw error
    },
  })
  host.links.listen({ frameReply() {}, reply() {}, refused() {}, event() {} })
  const waiting = (): boolean =>
    Array.from({ length: description.partitions }, (_, partition) => host.links.stats(partition)).some(
      ({ messagesWaiting }) => messagesWaiting > 0,
    )
  do await setTimeout(50)
  while (waiting())
  await host.stop()
}
