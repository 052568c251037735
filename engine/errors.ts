/** The one hierarchy of errors: a stable code for programs, a sentence that says what to do for people. */
export class DoorbusterError extends Error {
  /** `code` is stable; `message` says what is wrong and what to do. */
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = new.target.name
  }
}

/** What stands on disk is not what was written: never skipped, always named. */
export class DamageError extends DoorbusterError {
  constructor(message: string, options?: ErrorOptions) {
    super('damaged', message, options)
  }
}

/** The log cannot take more: the batch is not durable, nothing of it is applied, and nobody is told that it is. */
export class LogWriteError extends DoorbusterError {
  constructor(message: string, options?: ErrorOptions) {
    super('log_write_failed', message, options)
  }
}

/** What the system said, for the end of a sentence. */
export const systemReason = (error: unknown): string => (error instanceof Error ? error.message : String(error))
