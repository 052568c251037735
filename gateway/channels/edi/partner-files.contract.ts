/** Files as a partner would send them, for the tests here; made for them, with separators to choose. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Stamp } from './documents.js'
import { type EdiFile, readInterchanges } from './index.js'
import { ediSettings } from './settings.js'

export const STAMP: Stamp = { controlNumber: 77, atMs: Date.UTC(2026, 2, 9, 8, 5) }
export const OURS = { qualifier: 'ZZ', id: 'DOORBUSTER' }
export const THEIRS = { qualifier: '12', id: '5551234567' }
export const bothEnds = ediSettings.parse({ ours: OURS, theirs: THEIRS })

export const read = (text: string, settings: Record<string, unknown> = {}): EdiFile =>
  readInterchanges(text, { settings }, STAMP)

const FOLDER = resolve('../shared/data/channels/edi')
/** Samples that stand outside of the project. */
export const samplesAreThere = existsSync(FOLDER)
export const sample = (name: string): string => readFileSync(resolve(FOLDER, name), 'utf8')

export interface X12Separators {
  element: string
  component: string
  terminator: string
  lineBreak: string
}
export const USUAL: X12Separators = { element: '*', component: '>', terminator: '~', lineBreak: '\n' }

/** Segments in an envelope; each is written with `*` here and with the separators there. */
export function x12File(
  type: string,
  functionalId: string,
  sets: string[][],
  { element, component, terminator, lineBreak }: X12Separators = USUAL,
  control = '000000042',
): string {
  const segments = [
    `ISA*00*          *00*          *12*5551234567     *ZZ*DOORBUSTER     *260309*0800*U*00401*${control}*0*P*`,
    `GS*${functionalId}*5551234567*DOORBUSTER*20260309*0800*7*X*004010`,
    ...sets.flatMap((segments, at) => {
      const number = String(at + 1).padStart(4, '0')
      return [`ST*${type}*${number}`, ...segments, `SE*${segments.length + 2}*${number}`]
    }),
    `GE*${sets.length}*7`,
    `IEA*1*${control}`,
  ]
  return segments
    .map((segment, at) => segment.replaceAll('*', element) + (at === 0 ? component : '') + terminator + lineBreak)
    .join('')
}

export const ORDER_850 = [
  'BEG*00*SA*PO-1001**20260309',
  'CUR*BY*GBP',
  'PER*BD*Ada Byron*TE*020 7946 0000*EM*ada@example.com',
  'DTM*010*20260312',
  'N1*BY*Analytical Stores*92*0042',
  'N1*ST*Ada Byron*92*0099',
  'N3*12 St James Square*Flat 2',
  'N4*London**SW1Y 4JH*GB',
  'PO1*10*2*EA*19.99*PE*BP*B-77*SK*TEE-RED-M',
  'PO1*20*1*EA*5*PE*SK*MUG-BLUE',
  'CTT*2',
  'AMT*TT*44.98',
]

export interface EdifactSeparators {
  component: string
  element: string
  decimal: string
  release: string
  terminator: string
}
export const STANDARD: EdifactSeparators = { component: ':', element: '+', decimal: '.', release: '?', terminator: "'" }

/** One message in an interchange; `una` where separators are not the standard's. */
export function edifactFile(
  identifier: string,
  segments: string[],
  separators: EdifactSeparators = STANDARD,
  reference = 'REF42',
): string {
  const all = [
    `UNB+UNOC:3+5412345000013:14+DOORBUSTER:ZZ+260309:0800+${reference}`,
    `UNH+1+${identifier}`,
    ...segments,
    `UNT+${segments.length + 2}+1`,
    `UNZ+1+${reference}`,
  ]
  const { component, element, decimal, release, terminator } = separators
  const una = separators === STANDARD ? '' : `UNA${component}${element}${decimal}${release || ' '} ${terminator}`
  return una + all.map((segment) => respelt(segment, separators) + terminator).join('\n')
}

/** The segment's `+`, `:` and `.` in numbers as the separators have them; released signs stay texts. */
function respelt(segment: string, { component, element, decimal, release, terminator }: EdifactSeparators): string {
  const special = new Set([component, element, terminator, release].filter((sign) => sign !== ''))
  let out = ''
  for (let at = 0; at < segment.length; at++) {
    const sign = segment.charAt(at)
    if (sign === '?') {
      at++
      const text = segment.charAt(at)
      out += special.has(text) ? release + text : text
    } else if (sign === '+') out += element
    else if (sign === ':') out += component
    else if (sign === '.' && /\d/.test(segment.charAt(at + 1))) out += decimal
    else out += special.has(sign) ? release + sign : sign
  }
  return out
}

export const ORDERS = [
  'BGM+220+PO-2002+9',
  'DTM+137:20260309:102',
  'DTM+2:20260316:102',
  'FTX+AAI+++Ring twice',
  'NAD+BY+5412345000013::9++Analytical Stores',
  "NAD+DP+++Ada Byron+12 St James?'s Square:Flat 2+London++SW1Y 4JH+GB",
  'CTA+IC',
  'COM+ada@example.com:EM',
  'COM+?+44 20 7946 0000:TE',
  'CUX+2:EUR:9',
  'ALC+C++++FC',
  'MOA+8:4.95',
  'LIN+1++4012345678901:EN',
  'PIA+1+TEE-RED-M:SA',
  'QTY+21:3:PCE',
  'PRI+AAA:12.5',
  'TAX+7+VAT+++:::20+S',
  'MOA+124:7.5',
  'LIN+2++4012345678918:EN',
  'QTY+21:1:PCE',
  'PRI+AAA:8',
  'UNS+S',
  'MOA+77:57.95',
  'CNT+2:2',
]
