/** What is used of the library `edifact`, which has no types of its own. */
declare module 'edifact' {
  /** A parser that calls back; its methods may be set, and are then called instead of listeners. */
  export class Parser {
    constructor(validator?: unknown)
    onopensegment: (name: string) => void
    onelement: () => void
    oncomponent: (text: string) => void
    onclosesegment: () => void
    /** Separators by character code. */
    configure(separators: {
      segmentTerminator: number
      dataElementSeparator: number
      componentDataSeparator: number
      decimalMark: number
      releaseCharacter: number
    }): void
    encoding(level: string): void
    /** Throws on a character that the level has not, and on a malformed segment. */
    write(text: string): void
    end(): void
  }

  export interface ReadSegment {
    name: string
    elements: string[][]
  }

  /** Reads a whole document, checking segments against the library's definitions. */
  export class Reader {
    constructor(options?: { autoDetectEncoding?: boolean })
    parse(document: string): ReadSegment[]
  }

  /** Checks the order of segments against a message's table. */
  export class Tracker {
    constructor(table: unknown)
    accept(segment: string): boolean
    on(event: 'error', listener: (error: Error) => void): void
    reset(): void
  }
}
