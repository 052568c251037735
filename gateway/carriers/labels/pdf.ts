/** Shipping labels as PDF, a page of 4 × 6 inches for each. Bars are drawn as shapes, sharp at every printer's resolution. */
import { buffer } from 'node:stream/consumers'
import bwip from 'bwip-js/node'
import PDFDocument from 'pdfkit'
import { SEPARATOR } from '../gs1-128.js'
import { MARGIN, type Mark, marksOf, PAGE_HEIGHT, PAGE_WIDTH } from './layout.js'
import { checkLabels, type ShippingLabel } from './shipping-label.js'

/** The widest bars that are of use: half a millimetre, what GS1 asks of an SSCC on a parcel. */
const MODULE_POINTS_MAX = (0.51 / 25.4) * 72
/** Empty space that a scanner needs at each side of Code 128 (ISO/IEC 15417). */
const QUIET_MODULES = 10

/** Widths of bars and spaces in turns, in modules, of a Code 128 symbol; in GS1-128 FNC1 stands in front. */
function modulesOf(symbology: 'code128' | 'gs1-128', data: string): number[] {
  const text = symbology === 'code128' ? data : `^FNC1${data.replaceAll(SEPARATOR, '^FNC1')}`
  const [symbol] = bwip.raw({ bcid: 'code128', text, parsefnc: symbology === 'gs1-128' })
  if (!symbol || !('sbs' in symbol)) throw new TypeError('Code 128 is a row of bars')
  return symbol.sbs
}

function drawBarcode(document: PDFKit.PDFDocument, { symbology, data, y, height }: Mark & { type: 'barcode' }): void {
  const modules = modulesOf(symbology, data)
  const count = modules.reduce((sum, width) => sum + width, 0)
  const module = Math.min(MODULE_POINTS_MAX, PAGE_WIDTH / (count + 2 * QUIET_MODULES))
  let x = (PAGE_WIDTH - count * module) / 2
  for (const [index, width] of modules.entries()) {
    if (index % 2 === 0) document.rect(x, y, width * module, height)
    x += width * module
  }
  document.fill('black')
}

function draw(document: PDFKit.PDFDocument, mark: Mark): void {
  switch (mark.type) {
    case 'text':
      document.font(mark.bold ? 'Helvetica-Bold' : 'Helvetica').fontSize(mark.size)
      if (mark.text !== '') document.fillColor('black').text(mark.text, mark.x, mark.y, { lineBreak: false })
      return
    case 'rule':
      document
        .moveTo(MARGIN, mark.y)
        .lineTo(PAGE_WIDTH - MARGIN, mark.y)
        .lineWidth(1)
        .stroke('black')
      return
    case 'barcode':
      drawBarcode(document, mark)
  }
}

/**
 * One PDF with a page for each label, in their order; the same labels make the same bytes. Rejects with `bad_label` or
 * `bad_identifier`, and then nothing is made.
 */
export async function labelsPdf(labels: readonly ShippingLabel[]): Promise<Uint8Array> {
  checkLabels(labels)
  const document = new PDFDocument({
    size: [PAGE_WIDTH, PAGE_HEIGHT],
    margin: 0,
    autoFirstPage: false,
    displayTitle: true,
    lang: 'en',
    info: {
      Title: labels.length === 1 ? `Shipping label ${labels[0]!.trackingNumber}` : `${labels.length} shipping labels`,
      Producer: 'Doorbuster',
      Creator: 'Doorbuster',
      // The file's id is made from it: a clock would make other bytes each time.
      CreationDate: new Date(labels[0]!.shipByMs),
    },
  })
  const made = buffer(document)
  for (const label of labels) {
    document.addPage()
    for (const mark of marksOf(label)) draw(document, mark)
  }
  document.end()
  return new Uint8Array(await made)
}
