/** What tests read out of the documents that are made here. */
import { inflateSync } from 'node:zlib'

/** The content of each page, in order: pdfkit writes them before anything else that is compressed, and nothing else is. */
export function contentsOf(pdf: Buffer): string[] {
  const contents: string[] = []
  const [open, close] = ['stream\n', '\nendstream']
  for (let at = pdf.indexOf(open); at !== -1; ) {
    const end = pdf.indexOf(close, at)
    contents.push(inflateSync(pdf.subarray(at + open.length, end)).toString('latin1'))
    at = pdf.indexOf(open, end + close.length)
  }
  return contents
}

/** What a reader sees, page by page: each drawn line of text, decoded from the `[<hex> kerning …] TJ` of its content. */
export function pagesOf(pdf: Buffer): string[][] {
  const windows1252 = new TextDecoder('windows-1252')
  return contentsOf(pdf).map((content) =>
    Array.from(content.matchAll(/\[(.*)\] TJ/g), ([, parts]) => {
      const hex = Array.from(parts!.matchAll(/<([0-9a-f]*)>/g), ([, digits]) => digits).join('')
      return windows1252.decode(Buffer.from(hex, 'hex'))
    }),
  )
}
