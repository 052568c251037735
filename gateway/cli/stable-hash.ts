/** FNV-1a over UTF-16 code units, 32 bits (Fowler, Noll, Vo, 1991): the same in every run and on every machine. */
export function stableHash(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
