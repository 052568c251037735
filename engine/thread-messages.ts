/** What the engine's threads tell the main thread besides what goes through mailboxes. */
import { parentPort } from 'node:worker_threads'
import { DoorbusterError } from './errors.js'

export type ThreadMessage =
  | { type: 'ready' }
  /** Answers wait in a mailbox. */
  | { type: 'bell' }
  | { type: 'recovered'; partition: number; records: number; commands: number; milliseconds: number; sequence: number }
  | { type: 'checkpointFailed'; partition: number; reason: string }
  /** The thread ends with an error that a person can act on. */
  | { type: 'died'; code: string; message: string }

export const tellMain = (message: ThreadMessage): void => parentPort!.postMessage(message)

/** Runs a thread to its end. An error keeps its code on the way to the main thread. */
export async function runThread(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof DoorbusterError)) throw error
    tellMain({ type: 'died', code: error.code, message: error.message })
  }
}
