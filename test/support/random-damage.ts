/** Damage that is drawn: bytes, lengths and pages of a file. */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { contentOf, type Damage, edit } from './damage.js'
import type { Random } from './random.js'

const PAGE_BYTES = 4_096

export interface Region {
  readonly what: string
  readonly from: number
  readonly to: number
}

/** Where in an LMDB file the meta pages, keys and values lie. */
export async function regionsOf(path: string): Promise<Region[]> {
  const bytes = readFileSync(path)
  const regions: Region[] = [{ what: 'meta pages', from: 0, to: 2 * PAGE_BYTES }]
  await edit(path, (db, keys) => {
    for (const key of keys) {
      const content = contentOf(db, key)
      const at = bytes.indexOf(content)
      if (at >= 0) regions.push({ what: `the value of ${key.toString('latin1')}`, from: at, to: at + content.length })
      const keyAt = bytes.indexOf(key, 2 * PAGE_BYTES)
      if (keyAt >= 0) regions.push({ what: `the key ${key.toString('latin1')}`, from: keyAt, to: keyAt + key.length })
    }
  })
  return regions
}

/** The partition's number is the directory that its files lie in. */
const inFile = (path: string, name: string, apply: (directory: string) => void): Damage => ({
  name,
  partition: Number(path.split('/').at(-2)),
  apply,
})

const printable = (text: string): string =>
  text.replaceAll(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`)

/** A byte changed somewhere: mostly where something lies, sometimes anywhere. */
export function byteFlip(random: Random, path: string, size: number, regions: readonly Region[]): Damage {
  const kinds = ['the value', 'the value', 'the value', 'meta', 'the key', '']
  const kind = random.pick(kinds)
  const some = regions.filter(({ what }) => what.startsWith(kind))
  const region = kind === '' || some.length === 0 ? { what: 'anywhere', from: 0, to: size } : random.pick(some)
  const at = random.between(region.from, region.to - 1)
  const mask = random.chance(0.5) ? 1 << random.below(8) : random.between(1, 255)
  return inFile(path, `${path}: byte ${at} ^ ${mask} (${printable(region.what)})`, (directory) => {
    const target = join(directory, path)
    const byte = readFileSync(target)[at]! ^ mask
    overwrite(target, at, Buffer.from([byte]))
  })
}

export function truncation(random: Random, path: string, size: number): Damage {
  const length = random.pick([
    random.below(size),
    random.below(Math.floor(size / PAGE_BYTES)) * PAGE_BYTES,
    size - 1,
    size - PAGE_BYTES,
    random.below(3 * PAGE_BYTES),
  ])
  return inFile(path, `${path} cut off at ${length} of ${size} bytes`, (directory) => {
    const handle = openSync(join(directory, path), 'r+')
    ftruncateSync(handle, length)
    closeSync(handle)
  })
}

/** A page that holds zeros, or another page's bytes. */
export function lostPage(random: Random, path: string, size: number): Damage {
  const pages = Math.floor(size / PAGE_BYTES)
  const page = random.below(pages)
  const from = random.chance(0.5) ? random.below(pages) : undefined
  const name = from === undefined ? 'is zeros' : `is page ${from}`
  return inFile(path, `${path}: page ${page} of ${pages} ${name}`, (directory) => {
    const target = join(directory, path)
    const content =
      from === undefined
        ? Buffer.alloc(PAGE_BYTES)
        : readFileSync(target).subarray(from * PAGE_BYTES, (from + 1) * PAGE_BYTES)
    overwrite(target, page * PAGE_BYTES, content)
  })
}

function overwrite(path: string, at: number, bytes: Buffer): void {
  const handle = openSync(path, 'r+')
  writeSync(handle, bytes, 0, bytes.length, at)
  closeSync(handle)
}
