/**
 * The look that all documents share: A4, a title, a header block, tables whose head is repeated on each page, and a
 * footer with the page's number. All of it is rows of wrapped cells; a row that fits no page goes on over the next.
 *
 * The same calls make the same bytes: the date and with it the file's id come from the caller, no clock is read.
 */
import assert from 'node:assert'
import { buffer } from 'node:stream/consumers'
import PDFDocument from 'pdfkit'
import { printable } from './printable.js'

/** A column of a table; the one without a width takes what the others leave. A tick box has no text. */
export interface Column {
  title: string
  widthPoints?: number
  align?: 'left' | 'right'
  tickBox?: true
}

export interface Block {
  title: string
  text: string
}

interface Style {
  bold?: boolean
  sizePoints?: number
  /** Grey behind it. */
  band?: boolean
  /** A table's own row: ruled off below, and where there is something to tick. */
  entry?: boolean
}

type Font = 'Helvetica' | 'Helvetica-Bold'

const MARGIN_POINTS = 42
const FOOTER_POINTS = 20
const CELL_PADDING_POINTS = 4
const TEXT_SIZE_POINTS = 9
const LINE_HEIGHT = 1.25
const TICK_BOX_POINTS = 9
/** A row of up to so many lines is not cut at the end of a page; a head, counted in lines of text, never stands alone. */
const UNCUT_LINES = 10
const HEAD_LINES = 4
const BAND = '#e8e8e8'
const RULE = '#b0b0b0'

/** An ISO 8601 time in UTC to the minute: where the reader stands is not known here. */
const minute = (date: Date): string => date.toISOString().slice(0, 16).replace('T', ' ').concat(' UTC')

export class Pages {
  readonly created: string
  private readonly title: string
  private readonly document: PDFKit.PDFDocument
  private readonly widths = new Map<string, number>()
  private y = MARGIN_POINTS
  private repeatedHead: (() => void) | undefined

  /** @param createdAt ISO 8601 */
  constructor(title: string, createdAt: string) {
    const date = new Date(createdAt)
    assert(!Number.isNaN(date.getTime()), `A document's time must be ISO 8601, not ${JSON.stringify(createdAt)}.`)
    this.created = minute(date)
    this.title = printable(title).replaceAll('\n', ' ')
    this.document = new PDFDocument({
      size: 'A4',
      margin: MARGIN_POINTS,
      bufferPages: true,
      displayTitle: true,
      lang: 'en',
      info: { Title: this.title, Producer: 'Doorbuster', Creator: 'Doorbuster', CreationDate: date },
    })
    this.row([this.fullWidth()], [this.title], { bold: true, sizePoints: 16 })
    this.y += CELL_PADDING_POINTS
  }

  /** Titled texts side by side, such as addresses. */
  blocks(blocks: Block[]): void {
    const widthPoints = this.innerWidth() / blocks.length
    const columns = blocks.map(({ title }) => ({ title, widthPoints }))
    const head = () => {
      this.row(columns, titles(columns), { bold: true })
      this.y -= CELL_PADDING_POINTS
    }
    this.underHead(head, [blocks.map(({ text }) => text)], columns)
    this.y += CELL_PADDING_POINTS
  }

  /** A titled text over the whole width, as long as it may be. */
  paragraph({ title, text }: Block): void {
    this.blocks([{ title, text }])
  }

  /** A titled table; title and head are repeated on each page that it goes over. */
  table(title: string, columns: Column[], rows: string[][]): void {
    const heading = this.oneLine(title, 'Helvetica-Bold', 11)
    const head = () => {
      this.row([this.fullWidth()], [heading], { bold: true, sizePoints: 11 })
      this.row(columns, titles(columns), { bold: true, band: true })
    }
    this.underHead(head, rows, columns, { entry: true })
    this.y += 3 * CELL_PADDING_POINTS
  }

  /** Numbers the pages and closes the document. */
  async finish(): Promise<Buffer> {
    const { count } = this.document.bufferedPageRange()
    const y = this.document.page.height - MARGIN_POINTS
    const footer = this.oneLine(this.title, 'Helvetica', 8)
    for (let page = 0; page < count; page++) {
      this.document.switchToPage(page)
      this.document.font('Helvetica').fontSize(8)
      const number = `${page + 1} / ${count}`
      const numberX = MARGIN_POINTS + this.innerWidth() - CELL_PADDING_POINTS - this.document.widthOfString(number)
      this.document.text(footer, MARGIN_POINTS + CELL_PADDING_POINTS, y, { lineBreak: false })
      this.document.text(number, numberX, y, { lineBreak: false })
    }
    this.document.end()
    return buffer(this.document)
  }

  /** Rows below a head that is drawn again on each page they reach, and on none without a row. */
  private underHead(head: () => void, rows: string[][], columns: Column[], style?: Style): void {
    if (this.linesLeft(TEXT_SIZE_POINTS) < HEAD_LINES + UNCUT_LINES) this.newPage()
    head()
    this.repeatedHead = head
    for (const row of rows) this.row(columns, row, style)
    this.repeatedHead = undefined
  }

  /** One row at the current height. A short one moves to the next page whole; a long one is cut between its lines. */
  private row(columns: Column[], cells: string[], style: Style = {}): void {
    const { bold = false, sizePoints = TEXT_SIZE_POINTS, band = false, entry = false } = style
    const font = bold ? 'Helvetica-Bold' : 'Helvetica'
    const placed = this.place(columns)
    const wrapped = placed.map(({ width }, index) =>
      this.wrap(printable(cells[index] ?? ''), width - 2 * CELL_PADDING_POINTS, font, sizePoints),
    )
    const lines = Math.max(...wrapped.map((cell) => cell.length))
    if (this.linesLeft(sizePoints) < Math.min(lines, UNCUT_LINES)) this.newPage()
    for (let from = 0; from < lines; ) {
      if (from > 0) this.newPage()
      const to = Math.min(lines, from + this.linesLeft(sizePoints))
      assert(to > from, 'A page holds at least one line below the repeated head.')
      const height = rowHeight(to - from, sizePoints)
      if (band) this.document.save().rect(MARGIN_POINTS, this.y, this.innerWidth(), height).fill(BAND).restore()
      this.document.font(font).fontSize(sizePoints)
      for (const [index, { column, x, width }] of placed.entries()) {
        if (column.tickBox && entry && from === 0) this.tickBox(x)
        this.lines(wrapped[index]!.slice(from, to), x, width, column.align ?? 'left', sizePoints)
      }
      this.y += height
      if (entry) this.rule()
      from = to
    }
  }

  private lines(lines: string[], x: number, width: number, align: 'left' | 'right', sizePoints: number): void {
    for (const [index, line] of lines.entries()) {
      const y = this.y + CELL_PADDING_POINTS + index * sizePoints * LINE_HEIGHT
      const indent =
        align === 'left' ? CELL_PADDING_POINTS : width - CELL_PADDING_POINTS - this.document.widthOfString(line)
      if (line !== '') this.document.text(line, x + indent, y, { lineBreak: false })
    }
  }

  private tickBox(x: number): void {
    this.document
      .rect(x + CELL_PADDING_POINTS, this.y + CELL_PADDING_POINTS, TICK_BOX_POINTS, TICK_BOX_POINTS)
      .lineWidth(0.8)
      .stroke('black')
  }

  private rule(): void {
    const right = MARGIN_POINTS + this.innerWidth()
    this.document.moveTo(MARGIN_POINTS, this.y).lineTo(right, this.y).lineWidth(0.5).stroke(RULE)
  }

  /**
   * A text's lines in a width: broken behind a space or a hyphen, inside a word only where the word is wider than the
   * line. pdfkit's own wrapping measures the rest of a word anew for each line, which a megabyte without a space turns
   * into hours; this measures each character about twice. Kerning is left out: it hardly ever widens.
   */
  private wrap(text: string, width: number, font: Font, sizePoints: number): string[] {
    const lines: string[] = []
    for (const paragraph of text.split('\n')) {
      let start = 0
      let breakAt = 0
      let used = 0
      for (let index = 0; index < paragraph.length; index++) {
        const character = paragraph[index]!
        const wide = this.widthOf(character, font) * sizePoints
        if (used + wide > width && character !== ' ' && index > start) {
          const end = breakAt > start ? breakAt : index
          lines.push(paragraph.slice(start, end).trimEnd())
          used = 0
          for (let moved = end; moved < index; moved++) used += this.widthOf(paragraph[moved]!, font) * sizePoints
          start = end
        }
        used += wide
        if (character === ' ' || character === '-') breakAt = index + 1
      }
      lines.push(paragraph.slice(start).trimEnd())
    }
    return lines
  }

  private oneLine(text: string, font: Font, sizePoints: number): string {
    const width = this.innerWidth() - 80
    const [first = '', ...rest] = this.wrap(printable(text).replaceAll('\n', ' '), width, font, sizePoints)
    return rest.length === 0 ? first : `${first}…`
  }

  /** Points at a size of one. */
  private widthOf(character: string, font: Font): number {
    const key = font + character
    const known = this.widths.get(key)
    if (known !== undefined) return known
    const width = this.document.font(font).fontSize(1).widthOfString(character)
    this.widths.set(key, width)
    return width
  }

  private place(columns: Column[]): { column: Column; x: number; width: number }[] {
    const given = columns.reduce((sum, { widthPoints = 0 }) => sum + widthPoints, 0)
    let x = MARGIN_POINTS
    return columns.map((column) => {
      const width = column.widthPoints ?? this.innerWidth() - given
      x += width
      return { column, x: x - width, width }
    })
  }

  private linesLeft(sizePoints: number): number {
    return Math.floor((this.bottom() - this.y - 2 * CELL_PADDING_POINTS) / (sizePoints * LINE_HEIGHT))
  }

  private newPage(): void {
    this.document.addPage()
    this.y = MARGIN_POINTS
    this.repeatedHead?.()
  }

  private fullWidth(): Column {
    return { title: '', widthPoints: this.innerWidth() }
  }

  private innerWidth(): number {
    return this.document.page.width - 2 * MARGIN_POINTS
  }

  private bottom(): number {
    return this.document.page.height - MARGIN_POINTS - FOOTER_POINTS
  }
}

const titles = (columns: Column[]): string[] => columns.map(({ title }) => title)

const rowHeight = (lines: number, sizePoints: number): number =>
  lines * sizePoints * LINE_HEIGHT + 2 * CELL_PADDING_POINTS
