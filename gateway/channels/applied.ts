/** What came of something that a channel said: done, or refused for good. */

/** What was done about an event, for whoever looks at the delivery. */
export interface Applied {
  order?: string
  person?: string
  did: string
}

/** It cannot be carried out, and trying again would not change that. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly errors: { path: string; message: string }[] = [],
  ) {
    super(message)
  }
}
