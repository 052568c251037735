/** Looks for words in files and output, as somebody would who has got hold of them. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

export function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** The words that stand in the bytes, in UTF-8, Latin-1 or UTF-16 of either order, as they are or in lower case. */
export function found(words: readonly string[], bytes: Buffer): string[] {
  const folded = Buffer.from(bytes.toString('latin1').toLowerCase(), 'latin1')
  return words.filter((word) =>
    [word, word.toLowerCase()].some((text) => {
      const wide = Buffer.from(text, 'utf16le')
      const forms = [Buffer.from(text), Buffer.from(text, 'latin1'), wide, Buffer.from(wide).swap16()]
      return forms.some((form) => bytes.includes(form) || folded.includes(form))
    }),
  )
}
