/** Work on one thing, one after the other: whoever comes meanwhile waits instead of meeting what is half done. */

/** By owner, so that servers in one process do not wait for each other; by key, what is under way last. */
const all = new WeakMap<object, Map<string, Promise<unknown>>>()

export function inTurn<T>(owner: object, key: string, work: () => Promise<T>): Promise<T> {
  const turns = all.get(owner) ?? new Map<string, Promise<unknown>>()
  all.set(owner, turns)
  const now = (turns.get(key) ?? Promise.resolve()).then(work, work)
  turns.set(key, now)
  const forget = (): void => {
    if (turns.get(key) === now) turns.delete(key)
  }
  now.then(forget, forget)
  return now
}
