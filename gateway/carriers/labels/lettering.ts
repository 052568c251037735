/**
 * Texts in the lines that a label has for them. Widths are those of Helvetica Bold: the printers' own font is narrower,
 * so what fits on the PDF fits on a thermal label too.
 */
import PDFDocument from 'pdfkit'
import { printable } from '../../documents/printable.js'

/** What can be seen of a text at most; the rest is not even looked at. */
const CHARACTERS_MAX = 400

const font = new PDFDocument({ autoFirstPage: false }).font('Helvetica-Bold').fontSize(1)
const widths = new Map<string, number>()

function widthOf(character: string): number {
  const known = widths.get(character)
  if (known !== undefined) return known
  const width = font.widthOfString(character)
  widths.set(character, width)
  return width
}

/** In points at a size of one point. `printable` leaves 217 characters, so that the widths kept are as many. */
export function widthOfText(text: string): number {
  let width = 0
  for (const character of text) width += widthOf(character)
  return width
}

/** The text as a label can show it: one line, no spaces at its ends or twice. */
export const shown = (text: string): string => printable(text.slice(0, CHARACTERS_MAX)).replace(/\s+/g, ' ').trim()

/** As much of it as fits; where something is left out it ends in an ellipsis. */
function cut(text: string, width: number): string {
  if (widthOfText(text) <= width) return text
  let end = text.length
  while (end > 0 && widthOfText(`${text.slice(0, end)}…`) > width) end -= 1
  return `${text.slice(0, end).trimEnd()}…`
}

/**
 * At most `linesMax` lines of at most `width` (in text sizes): broken at spaces, inside a word only where it is wider than
 * a line. What goes beyond the last line is left out and an ellipsis says so.
 */
export function linesOf(text: string, width: number, linesMax: number): string[] {
  const lines: string[] = []
  let rest = shown(text)
  while (rest !== '' && lines.length < linesMax - 1 && widthOfText(rest) > width) {
    let end = 1
    while (widthOfText(rest.slice(0, end + 1)) <= width) end += 1
    const space = rest.lastIndexOf(' ', end)
    const broken = space > 0 ? space : end
    lines.push(rest.slice(0, broken).trimEnd())
    rest = rest.slice(broken).trimStart()
  }
  if (rest !== '' && linesMax > 0) lines.push(cut(rest, width))
  return lines
}
