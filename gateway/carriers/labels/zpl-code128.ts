/**
 * Code 128 as ^BC takes it in its mode N, where the data says itself which set of characters follows (ZPL II programming
 * guide, "Code 128 invocation characters"): `>:` starts in set B, `>;` in C, `>6` goes over to B, `>5` to C, `>8` is FNC1.
 * Said by us, a symbol is the same on every printer, and it is known how wide it gets.
 */
import { SEPARATOR } from '../gs1-128.js'

export interface Symbol128 {
  invocation: string
  /** Its width without the quiet zones. */
  modules: number
}

/** ISO/IEC 15417: each symbol character has 11 modules, the stop character 13. */
const CHARACTER_MODULES = 11
const STOP_MODULES = 13
const FNC1 = '>8'
/** Two digits in one character of set C make up for going there from so many on. */
const DIGITS_WORTH_C = 4
/** In set B `>` and what a printer takes for a command are said by a number: `>0` and what else the guide lists. */
const SAID_BY_NUMBER = new Map([
  ['>', '>0'],
  ['^', '><'],
  ['~', '>='],
])

/** Printable ASCII, with SEPARATOR where FNC1 is. */
export function symbolOf(data: string, gs1: boolean): Symbol128 {
  let rest = data
  let set = /^\d{4}/.test(data) ? 'C' : 'B'
  let invocation = set === 'C' ? '>;' : '>:'
  // Start, check character, and one for each that is said below.
  let characters = 2
  const say = (text: string) => {
    invocation += text
    characters += 1
  }
  if (gs1) say(FNC1)
  while (rest !== '') {
    const digits = /^\d*/.exec(rest)![0].length
    if (rest[0] === SEPARATOR) {
      say(FNC1)
      rest = rest.slice(1)
    } else if (set === 'C' && digits >= 2) {
      say(rest.slice(0, 2))
      rest = rest.slice(2)
    } else if (set === 'C') {
      say('>6')
      set = 'B'
    } else if (digits >= DIGITS_WORTH_C && digits % 2 === 0) {
      say('>5')
      set = 'C'
    } else {
      say(SAID_BY_NUMBER.get(rest[0]!) ?? rest[0]!)
      rest = rest.slice(1)
    }
  }
  return { invocation, modules: characters * CHARACTER_MODULES + STOP_MODULES }
}
