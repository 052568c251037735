/**
 * A small strict reader of multipart/report (RFC 6522): its parts with their headers, and the fields of those that machines
 * read. Everything is bounded, and each character is looked at a fixed number of times.
 */

export interface ReportPart {
  /** Names in lower case; of a name that comes twice the first. */
  headers: ReadonlyMap<string, string>
  /** Lower case, without parameters. */
  type: string
  body: string
}

/** Reports repeat the mail that they are about at most in part; what is longer is cut off. */
export const REPORT_CHARACTERS_MAX = 1_048_576
/** A text for people, one for machines, and the mail: more than that has no meaning. */
const PARTS_MAX = 10
/** One for the report, and one for each receiver. */
const GROUPS_MAX = 21
const HEADER_LINES_MAX = 1_000
const LINE_CHARACTERS_MAX = 10_000

/** The parts of a report, and of which kind it says that it is; undefined where the text is no multipart/report. */
export function reportParts(raw: string): { reportType: string; parts: ReportPart[] } | undefined {
  const lines = raw.slice(0, REPORT_CHARACTERS_MAX).split(/\r\n|\n|\r/)
  const { headers, rest } = headersOf(lines)
  const contentType = headers.get('content-type') ?? ''
  const boundary = parameterOf(contentType, 'boundary')
  if (mediaType(contentType) !== 'multipart/report' || !boundary || boundary.length > 200) return undefined
  const parts: ReportPart[] = []
  let part: string[] | undefined
  for (const line of rest) {
    const isEnd = line.trimEnd() === `--${boundary}--`
    if (!isEnd && line.trimEnd() !== `--${boundary}`) {
      part?.push(line)
      continue
    }
    if (part) parts.push(partOf(part))
    part = []
    if (isEnd || parts.length === PARTS_MAX) return { reportType: reportTypeOf(contentType), parts }
  }
  // A report that was cut off has no last boundary, but its part for machines comes early.
  if (part) parts.push(partOf(part))
  return { reportType: reportTypeOf(contentType), parts }
}

const reportTypeOf = (contentType: string): string => parameterOf(contentType, 'report-type').toLowerCase()

function partOf(lines: string[]): ReportPart {
  const { headers, rest } = headersOf(lines)
  const type = mediaType(headers.get('content-type') ?? 'text/plain')
  return { headers, type, body: decoded(rest.join('\n'), headers.get('content-transfer-encoding') ?? '') }
}

/** RFC 3464 wants 7bit; some senders encode the part nevertheless. */
function decoded(body: string, encoding: string): string {
  switch (encoding.trim().toLowerCase()) {
    case 'base64':
      return Buffer.from(body, 'base64').toString()
    case 'quoted-printable':
      return body
        .replace(/=\n/g, '')
        .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    default:
      return body
  }
}

/** Groups of fields with empty lines between them, as reports have them: the first of them, as many as make sense. */
export function fieldGroups(body: string): ReadonlyMap<string, string>[] {
  const groups: string[][] = []
  let isWithin = false
  for (const line of body.split(/\r\n|\n|\r/)) {
    if (line !== '' && !isWithin) groups.push([])
    isWithin = line !== ''
    if (groups.length > GROUPS_MAX) break
    if (isWithin) groups.at(-1)?.push(line)
  }
  return groups.slice(0, GROUPS_MAX).map((lines) => headersOf(lines).headers)
}

/** Header fields up to an empty line, with their continuations, and the lines behind it. */
export function headersOf(lines: readonly string[]): { headers: Map<string, string>; rest: string[] } {
  const headers = new Map<string, string>()
  let name = ''
  for (const [at, line] of lines.entries()) {
    if (line === '') return { headers, rest: lines.slice(at + 1) }
    if (at >= HEADER_LINES_MAX) continue
    const text = line.slice(0, LINE_CHARACTERS_MAX)
    const colon = text.indexOf(':')
    if (/^[ \t]/.test(text)) {
      const value = headers.get(name)
      if (value !== undefined && value.length < LINE_CHARACTERS_MAX) headers.set(name, `${value} ${text.trim()}`)
      continue
    }
    name = colon > 0 ? text.slice(0, colon).trim().toLowerCase() : ''
    if (name !== '' && !headers.has(name)) headers.set(name, text.slice(colon + 1).trim())
    else name = ''
  }
  return { headers, rest: [] }
}

const mediaType = (contentType: string): string => (contentType.split(';', 1)[0] ?? '').trim().toLowerCase()

/** Of `type; name=value; name="value"`. Empty where it is not there. */
function parameterOf(contentType: string, wanted: string): string {
  for (const [, name, quoted, bare] of contentType.matchAll(/;\s*([\w-]+)=(?:"([^"]*)"|([^\s;"]+))/g)) {
    if (name?.toLowerCase() === wanted) return quoted ?? bare ?? ''
  }
  return ''
}
