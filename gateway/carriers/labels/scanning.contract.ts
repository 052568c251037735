/** What a scanner reads from a printed label: the PDF's pages drawn as pixels, and barcodes decoded from those. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { getDocument, type PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader'

const wasm = createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm')
prepareZXingModule({ overrides: { wasmBinary: new Uint8Array(await readFile(wasm)).buffer } })

/** `identifier`: the symbology's mark by ISO/IEC 15424: ]C0 is Code 128, ]C1 is GS1-128. */
export interface Scan {
  identifier: string
  text: string
}

export interface Picture {
  data: Uint8ClampedArray
  width: number
  height: number
}

type RenderParameters = Parameters<PDFPageProxy['render']>[0]
type CanvasContext = NonNullable<RenderParameters['canvasContext']>

interface CanvasFactory {
  create(width: number, height: number): Pick<RenderParameters, 'canvas'> & { context: CanvasContext }
}

const decoder = new TextDecoder()

/** The barcodes of a picture from top to bottom. */
export async function scan({ data, width, height }: Picture): Promise<Scan[]> {
  const image = { data: new Uint8ClampedArray(data), width, height, colorSpace: 'srgb' as const }
  const found = await readBarcodes(image, { formats: ['Code128'], tryHarder: true, maxNumberOfSymbols: 9 })
  return found
    .toSorted((a, b) => a.position.topLeft.y - b.position.topLeft.y)
    .map(({ symbologyIdentifier, bytes }) => ({ identifier: symbologyIdentifier, text: decoder.decode(bytes) }))
}

/** Each page of a PDF, at 203 dots an inch as a thermal printer has it. */
export async function picturesOf(pdf: Uint8Array): Promise<Picture[]> {
  const loading = getDocument({ data: pdf.slice(), verbosity: 0 })
  const document = await loading.promise
  const pictures: Picture[] = []
  for (let number = 1; number <= document.numPages; number++) {
    const page = await document.getPage(number)
    const viewport = page.getViewport({ scale: 203 / 72 })
    // pdf.js brings a canvas for Node, whose type it does not tell.
    const { canvas, context } = (document.canvasFactory as CanvasFactory).create(
      Math.round(viewport.width),
      Math.round(viewport.height),
    )
    await page.render({ canvas, canvasContext: context, viewport }).promise
    const { data, width, height } = context.getImageData(0, 0, Math.round(viewport.width), Math.round(viewport.height))
    pictures.push({ data, width, height })
  }
  await loading.destroy()
  return pictures
}

/** What a page's readers see as text, page by page. */
export async function textsOf(pdf: Uint8Array): Promise<string[][]> {
  const loading = getDocument({ data: pdf.slice(), verbosity: 0 })
  const document = await loading.promise
  const pages: string[][] = []
  for (let number = 1; number <= document.numPages; number++) {
    const { items } = await (await document.getPage(number)).getTextContent()
    pages.push(items.flatMap((item) => ('str' in item && item.str.trim() !== '' ? [item.str] : [])))
  }
  await loading.destroy()
  return pages
}
