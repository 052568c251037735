/** A line's body, or why it could not be read. Lines are counted from 1, a CSV header among them. */
export type Row =
  | { readonly line: number; readonly body: unknown; readonly text?: string; readonly reason?: undefined }
  /** `body`: as far as it could be made out, to tell what the line belongs to. */
  | { readonly line: number; readonly reason: string; readonly body?: Record<string, unknown> }
