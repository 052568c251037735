/** File systems of a test's own: small ones, which fill up, and read-only views. They need root and go with the test file. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

const mounted: string[] = []

function tried(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

function mount(...args: string[]): string | undefined {
  const point = mkdtempSync(join(tmpdir(), 'doorbuster-mount-'))
  if (tried('mount', ...args, point)) {
    mounted.push(point)
    return point
  }
  rmdirSync(point)
  return undefined
}

/** A file system in memory of so many MiB. */
export function smallDisk(mebibytes: number): string {
  const point = mount('-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'doorbuster-test')
  if (point === undefined) throw new Error('a file system cannot be mounted here')
  return point
}

/** A directory once more, read-only. */
export function readOnlyView(directory: string): string {
  const point = mount('--bind', directory)
  if (point === undefined || !tried('mount', '-o', 'remount,ro,bind', point))
    throw new Error(`${directory} cannot be mounted read-only`)
  return point
}

function unmountAll(): void {
  for (const point of mounted.splice(0).reverse()) if (tried('umount', '-l', point)) rmdirSync(point)
}

/** Whether this process may mount at all. */
export const canMount = ((): boolean => {
  const may = mount('-t', 'tmpfs', '-o', 'size=1m', 'doorbuster-test') !== undefined
  unmountAll()
  return may
})()

afterAll(unmountAll)
