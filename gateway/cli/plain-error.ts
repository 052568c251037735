/** Errors that a person at the command line can act on are told in a sentence; all others keep their stack. */
import { DoorbusterError } from '../../engine/errors.js'
import { ClientError } from '../client/index.js'

/** Runs a command; what its surroundings did (a missing file, a lost connection) becomes a `DoorbusterError`. */
export async function withPlainErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ClientError) throw new DoorbusterError(error.code, error.message, { cause: error })
    if (isDamagedGzip(error))
      throw new DoorbusterError('bad_file', `the file is not gzip or is damaged: ${error.message}`)
    if (error instanceof Error && 'errno' in error) throw new DoorbusterError('io', error.message, { cause: error })
    throw error
  }
}

function isDamagedGzip(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
}
