/** What tests read out of a mail: enough of MIME for what nodemailer writes. */

export interface ReadMail {
  /** As they came, unfolded: name and value. */
  headers: [string, string][]
  text: string
  html: string
}

export function readMail(raw: string): ReadMail {
  const { headers, body } = split(raw)
  const type = headerOf(headers, 'content-type')
  const boundary = /boundary="([^"]+)"/.exec(type)?.[1]
  if (boundary === undefined) return { headers, text: decoded(headers, body), html: '' }
  const parts = body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => split(part.replace(/^\r\n/, '').replace(/\r\n$/, '')))
  const textOf = (wanted: string): string => {
    const part = parts.find((one) => headerOf(one.headers, 'content-type').startsWith(wanted))
    return part ? decoded(part.headers, part.body) : ''
  }
  return { headers, text: textOf('text/plain'), html: textOf('text/html') }
}

/** The value of a header that is there once, its encoded words (RFC 2047) read. */
export function headerOf(headers: ReadMail['headers'], name: string): string {
  const values = headers.filter(([one]) => one.toLowerCase() === name)
  if (values.length > 1) throw new Error(`${name} is there ${values.length} times`)
  return (values[0]?.[1] ?? '')
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?UTF-8\?([QB])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
      kind.toUpperCase() === 'B' ? Buffer.from(word, 'base64').toString() : quotedPrintable(word.replaceAll('_', ' ')),
    )
}

function split(raw: string): { headers: [string, string][]; body: string } {
  const end = raw.indexOf('\r\n\r\n')
  const lines = raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  return { headers, body: raw.slice(end + 4) }
}

function decoded(headers: ReadMail['headers'], body: string): string {
  const encoding = headerOf(headers, 'content-transfer-encoding').toLowerCase()
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString().replaceAll('\r\n', '\n')
  return (encoding === 'quoted-printable' ? quotedPrintable(body.replace(/=\r\n/g, '')) : body).replaceAll('\r\n', '\n')
}

const quotedPrintable = (text: string): string =>
  Buffer.from(
    text.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString()
