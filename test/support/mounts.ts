/** File systems of a test's own: small ones, which fill up, and read-only views. They need root and go with their test. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { whenDone } from './test-server.js'

function tried(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

function mount(...args: string[]): string | undefined {
  const point = mkdtempSync(join(tmpdir(), 'doorbuster-mount-'))
  if (tried('mount', ...args, point)) return point
  rmdirSync(point)
  return undefined
}

function unmount(point: string): void {
  if (tried('umount', '-l', point)) rmdirSync(point)
}

/** A file system in memory of so many MiB. */
export function smallDisk(mebibytes: number): string {
  const point = mount('-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'doorbuster-test')
  if (point === undefined) throw new Error('a file system cannot be mounted here')
  whenDone(() => unmount(point))
  return point
}

/** A directory once more, read-only. */
export function readOnlyView(directory: string): string {
  const point = mount('--bind', directory)
  if (point !== undefined) whenDone(() => unmount(point))
  if (point === undefined || !tried('mount', '-o', 'remount,ro,bind', point))
    throw new Error(`${directory} cannot be mounted read-only`)
  return point
}

/** Whether this process may mount at all. */
export const canMount = ((): boolean => {
  const point = mount('-t', 'tmpfs', '-o', 'size=1m', 'doorbuster-test')
  if (point !== undefined) unmount(point)
  return point !== undefined
})()
