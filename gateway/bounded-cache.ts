/** Answers that are dear to work out and that are asked for again and again, at most `max` of them: then it begins anew. */
export class BoundedCache<T> {
  private readonly answers = new Map<string, T>()

  constructor(private readonly max: number) {}

  /** What `work` throws is not kept. */
  get(key: string, work: () => T): T {
    const known = this.answers.get(key)
    if (known !== undefined) return known
    const answer = work()
    if (this.answers.size >= this.max) this.answers.clear()
    this.answers.set(key, answer)
    return answer
  }
}
