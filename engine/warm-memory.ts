/**
 * Memory is cheap to use and dear to get: the first touch of a page goes to the kernel, and on a virtual machine to the
 * host, and costs as much as a hundred reservations. So a partition that has nothing else to do touches what it will
 * need next.
 */
const SYSTEM_PAGE_WORDS = 1024

/** How far a piece of memory has been touched. */
export class WarmMemory {
  private warmWords = 0

  constructor(private readonly words: Uint32Array) {}

  /** Touches up to `pages` more system pages below word `end`; false where there is nothing left to do. */
  warm(end: number, pages: number): boolean {
    const limit = Math.min(end, this.words.length)
    for (let i = 0; i < pages && this.warmWords < limit; i++) {
      // Written with what stands there, which changes nothing and makes the page ours.
      this.words[this.warmWords] = this.words[this.warmWords]!
      this.warmWords += SYSTEM_PAGE_WORDS
    }
    return this.warmWords < limit
  }
}
