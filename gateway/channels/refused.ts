/** What a channel asked for and what cannot be done, however often it is tried: apart from faults that pass. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly errors: { path: string; message: string }[] = [],
  ) {
    super(message)
  }
}
