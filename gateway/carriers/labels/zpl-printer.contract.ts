/**
 * What a ZPL printer takes from a format: its commands one by one, texts with their escapes undone, and Code 128 as the
 * symbol characters that the invocation codes stand for, drawn so that a scanner can read them.
 */
import bwip from 'bwip-js/node'
import type { Picture } from './scanning.contract.js'

export interface Command {
  name: string
  parameters: string
}

/** ^ and ~ begin a command wherever they stand; names have two letters, but for A and its font. */
export function commandsOf(zpl: string): Command[] {
  return zpl
    .split(/(?=[\^~])/)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const length = part.startsWith('^A0') ? 2 : 3
      return { name: part.slice(0, length), parameters: part.slice(length).replace(/\n$/, '') }
    })
}

const unescaped = (data: string): string =>
  Buffer.from(
    data.replace(/_([0-9A-F]{2})|[^\0-\x7f]/g, (match, hex: string | undefined) =>
      hex === undefined ? match : String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    'latin1',
  ).toString('utf8')

const followedByData = (commands: Command[], name: string): string[] =>
  commands.flatMap((command, index) => {
    const next = commands[index + 1]
    return command.name === name && next?.name === '^FD' ? [next.parameters] : []
  })

export const textsOf = (commands: Command[]): string[] => followedByData(commands, '^FH').map(unescaped)
export const barcodesOf = (commands: Command[]): string[] => followedByData(commands, '^BC')

/** Values of symbol characters (ISO/IEC 15417) for what follows > in Zebra's table. */
const INVOKED: Record<string, number> = {
  ...{ '<': 62, '0': 30, '=': 94, '1': 95, '2': 96, '3': 97, '4': 98, '5': 99, '6': 100, '7': 101, '8': 102 },
  ...{ '9': 103, ':': 104, ';': 105 },
}
const [CODE_C, CODE_B, START_B, START_C] = [99, 100, 104, 105]

/** The values of a symbol's characters, without check and stop. */
export function valuesOf(invocation: string): number[] {
  const values: number[] = []
  let pairs = false
  for (let index = 0; index < invocation.length; ) {
    const character = invocation[index]!
    if (character === '>') {
      const value = INVOKED[invocation[index + 1]!]!
      if (value === CODE_C || value === START_C) pairs = true
      if (value === CODE_B || value === START_B) pairs = false
      values.push(value)
      index += 2
    } else if (pairs) {
      values.push(Number(invocation.slice(index, index + 2)))
      index += 2
    } else {
      values.push(character.charCodeAt(0) - 32)
      index += 1
    }
  }
  return values
}

/** The symbol's bars and spaces, in modules. */
export function barsOf(invocation: string): number[] {
  const text = valuesOf(invocation)
    .map((value) => `^${String(value).padStart(3, '0')}`)
    .join('')
  // `raw` is an option of this symbology that the types leave out.
  const [symbol] = bwip.raw({ bcid: 'code128', text, raw: true } as Parameters<typeof bwip.raw>[0])
  return (symbol as { sbs: number[] }).sbs // a linear symbol has these
}

/** Bars in black on white, three dots a module, with quiet zones. */
export function drawn(bars: number[]): Picture {
  const [module, quiet, height] = [3, 12, 60]
  const row: number[] = []
  const fill = (modules: number, value: number) => {
    for (let dot = 0; dot < modules * module; dot++) row.push(value, value, value, 255)
  }
  fill(quiet, 255)
  for (const [index, width] of bars.entries()) fill(width, index % 2 === 0 ? 0 : 255)
  fill(quiet, 255)
  const data = new Uint8ClampedArray(row.length * height)
  for (let line = 0; line < height; line++) data.set(row, line * row.length)
  return { data, width: row.length / 4, height }
}
