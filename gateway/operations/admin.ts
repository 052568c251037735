/** What an operator asks of a running server. */
import { z } from 'zod'
import { readDescription } from '../../engine/data-directory.js'
import { Digest } from '../../engine/digest.js'
import { DoorbusterError } from '../../engine/errors.js'
import { backupWhileServing } from '../backup.js'
import { problem } from '../problems.js'
import * as schemas from '../schemas.js'
import { failed, operation } from './operation.js'

export const adminOperations = [
  operation({
    name: 'backup.create',
    summary: 'Backs the data directory up into a new directory of this machine, while serving',
    http: { method: 'POST', path: '/v1/admin/backups', status: 201 },
    body: schemas.backup,
    async run({ directory, dataDirectoryId }, { dispatch, dataDir }) {
      if (dataDirectoryId !== undefined && dataDirectoryId !== readDescription(dataDir).id) {
        const detail = 'This server has another data directory open; ask the one that has it, by its address.'
        return problem(409, 'other_data_directory', detail)
      }
      try {
        const cuts = await backupWhileServing(dispatch, dataDir, directory)
        return { status: 201, body: { directory, sequences: cuts.map(({ sequence }) => sequence) } }
      } catch (error) {
        if (!(error instanceof DoorbusterError)) throw error
        return problem(409, error.code, error.message)
      }
    },
  }),
  operation({
    name: 'digest.get',
    summary:
      'The digest of the whole state: the same state, the same digest. Reads everything, and holds the others up',
    http: { method: 'GET', path: '/v1/admin/digest', status: 200 },
    query: z.object({}),
    async run(_input, { dispatch }) {
      const outcomes = await dispatch.queryAll('engine.digest', {})
      const refused = outcomes.find(failed)
      if (refused) return refused
      const whole = new Digest()
      for (const { body } of outcomes) whole.addDigest((body as { digest: string }).digest)
      return { status: 200, body: { digest: whole.toString() } }
    },
  }),
]
