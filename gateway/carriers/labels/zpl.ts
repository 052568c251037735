/**
 * Shipping labels as ZPL II for thermal printers of 203 dots an inch, 4 × 6 inches. The commands are those of Zebra's
 * ZPL II programming guide: ^FO place, ^A0 font, ^FD data to ^FS, ^FH escapes, ^BC Code 128, ^GB rule.
 *
 * Whatever a customer wrote goes to the printer as data only: all but letters, digits and three signs is escaped.
 */
import { MARGIN, type Mark, marksOf, PAGE_HEIGHT, PAGE_WIDTH } from './layout.js'
import { checkLabels, type ShippingLabel } from './shipping-label.js'
import { symbolOf } from './zpl-code128.js'

const DOTS_PER_INCH = 203
const POINTS_PER_INCH = 72
/** Half a millimetre at this resolution: what GS1 asks of an SSCC on a parcel. */
const MODULE_DOTS_MAX = 4
const QUIET_MODULES = 10

const dots = (points: number): number => Math.round((points * DOTS_PER_INCH) / POINTS_PER_INCH)
const WIDTH_DOTS = dots(PAGE_WIDTH)

/** A text for ^FD behind ^FH: bytes of UTF-8 (^CI28), all that may mean something to a printer as _ and two digits. */
export function escaped(text: string): string {
  let data = ''
  for (const byte of Buffer.from(text, 'utf8')) {
    const character = String.fromCharCode(byte)
    data += /[0-9A-Za-z .-]/.test(character) ? character : `_${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return data
}

function barcode({ symbology, data, y, height }: Mark & { type: 'barcode' }): string {
  const { invocation, modules } = symbolOf(data, symbology === 'gs1-128')
  const moduleDots = Math.max(1, Math.min(MODULE_DOTS_MAX, Math.floor(WIDTH_DOTS / (modules + 2 * QUIET_MODULES))))
  const x = Math.floor((WIDTH_DOTS - modules * moduleDots) / 2)
  return `^FO${x},${dots(y)}^BY${moduleDots},2,${dots(height)}^BCN,${dots(height)},N,N,N,N^FD${invocation}^FS`
}

function commandOf(mark: Mark): string {
  switch (mark.type) {
    case 'text': {
      const size = dots(mark.size)
      return `^FO${dots(mark.x)},${dots(mark.y)}^A0N,${size},${size}^FH_^FD${escaped(mark.text)}^FS`
    }
    case 'rule':
      return `^FO${dots(MARGIN)},${dots(mark.y)}^GB${WIDTH_DOTS - 2 * dots(MARGIN)},2,2^FS`
    case 'barcode':
      return barcode(mark)
  }
}

const labelZpl = (label: ShippingLabel): string =>
  [
    '^XA',
    '^CI28',
    `^PW${WIDTH_DOTS}`,
    `^LL${dots(PAGE_HEIGHT)}`,
    '^LH0,0',
    ...marksOf(label).map(commandOf),
    '^PQ1',
    '^XZ',
    '',
  ].join('\n')

/** One format after the other, in the labels' order. Rejects with `bad_label` or `bad_identifier`, and then makes nothing. */
export async function labelsZpl(labels: readonly ShippingLabel[]): Promise<string> {
  checkLabels(labels)
  return labels.map(labelZpl).join('')
}
