import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readMailReport, UnreadableReport } from './bounces.js'
import { keyOfMessageId, messageIdOf } from './message-id.js'

const secret = 'a secret of the tests'
const id = messageIdOf('event-1:shipped', 'shop.example', secret)

function report(
  type: string,
  machine: string,
  original = `Message-ID: ${id}\nTo: Ada Byron <ada@example.com>`,
): string {
  const part = type === 'delivery-status' ? 'message/delivery-status' : 'message/feedback-report'
  return `From: MAILER-DAEMON@mx.example
To: orders@shop.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=${type};
\tboundary="b/1"

For people, with --b/1 in a line.
--b/1
Content-Type: text/plain; charset=utf-8

It did not work: see https://mx.example
--b/1
Content-Type: ${part}

${machine}
--b/1
Content-Type: text/rfc822-headers

${original}
Subject: Your order 100234

--b/1--
`.replaceAll('\n', '\r\n')
}

const status = (recipient: string) => report('delivery-status', `Reporting-MTA: dns; mx.example\n\n${recipient}`)

test('a bounce names the address, the reason and the mail that it is about', () => {
  const raw = status(`Final-Recipient: rfc822; ada@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user
  in this place`)
  expect(readMailReport(raw, secret)).toEqual([
    {
      kind: 'bounce',
      address: 'ada@example.com',
      permanent: true,
      reason: '5.1.1 550 5.1.1 no such user in this place',
      key: 'event-1:shipped',
    },
  ])
})

test('an abuse report names who complained', () => {
  const raw = report(
    'feedback-report',
    'Feedback-Type: abuse\nUser-Agent: Example/1.0\nVersion: 1\nOriginal-Rcpt-To: <Ada@Example.com>',
  )
  expect(readMailReport(raw, secret)).toEqual([
    { kind: 'complaint', address: 'Ada@example.com', permanent: true, reason: 'abuse', key: 'event-1:shipped' },
  ])
})

test('where the address is blacked out, the key is left', () => {
  const raw = report('feedback-report', 'Feedback-Type: abuse\nVersion: 1', `Message-ID: ${id}\nTo: [redacted]`)
  expect(readMailReport(raw, secret)).toEqual([
    { kind: 'complaint', permanent: true, reason: 'abuse', key: 'event-1:shipped' },
  ])
})

test.each([
  ['5.1.1', true],
  ['5.1.10', true],
  ['5.0.0', true],
  ['5.2.1', true],
  ['5.4.1', true],
  ['5.2.2', false],
  ['5.3.4', false],
  ['5.7.1', false],
  ['4.4.7', false],
  ['nonsense', false],
])('the status %s means a dead address: %s', (code, permanent) => {
  const raw = status(`Final-Recipient: rfc822; ada@example.com\nAction: failed\nStatus: ${code}`)
  expect(readMailReport(raw, secret)[0]?.permanent).toBe(permanent)
})

test('who was written to goes before where that was forwarded to', () => {
  const raw = status(
    'Original-Recipient: rfc822;ada@example.com\nFinal-Recipient: rfc822;a.byron@other.example\nAction: failed\nStatus: 5.1.1',
  )
  expect(readMailReport(raw, secret)[0]?.address).toBe('ada@example.com')
})

test('a mail that is delivered, or still tried, has not bounced; a mail that is not spam is no complaint', () => {
  for (const action of ['delivered', 'delayed', 'relayed', 'expanded']) {
    expect(
      readMailReport(status(`Final-Recipient: rfc822; a@b.example\nAction: ${action}\nStatus: 4.0.0`), secret),
    ).toEqual([])
  }
  expect(readMailReport(report('feedback-report', 'Feedback-Type: not-spam\nVersion: 1'), secret)).toEqual([])
})

test('several receivers are several reports, and encoded parts are read', () => {
  const machine = `Reporting-MTA: dns; mx.example\n\n${['ada', 'eve'].map((name) => `Final-Recipient: rfc822; ${name}@example.com\nAction: failed\nStatus: 5.1.1\n\n`).join('')}`
  expect(readMailReport(report('delivery-status', machine), secret).map(({ address }) => address)).toEqual([
    'ada@example.com',
    'eve@example.com',
  ])
  const encoded = report('delivery-status', 'X').replace(
    'Content-Type: message/delivery-status\r\n\r\nX',
    `Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(machine).toString('base64')}`,
  )
  expect(readMailReport(encoded, secret)).toHaveLength(2)
})

test('a forged Message-ID gives no key', () => {
  const forged = `<${Buffer.from('event-2:shipped').toString('base64url')}.${'A'.repeat(22)}@shop.example>`
  const raw = report('feedback-report', 'Feedback-Type: abuse', `Message-ID: ${forged}\nTo: ada@example.com`)
  expect(readMailReport(raw, secret)[0]).not.toHaveProperty('key')
})

test.each([
  ['an ordinary mail', 'From: ada@example.com\r\nContent-Type: text/plain\r\n\r\nHello'],
  ['nothing', ''],
  ['a report of something else', report('disposition-notification', 'Disposition: displayed')],
  [
    'a report without its part for machines',
    report('delivery-status', '').replace('message/delivery-status', 'text/html'),
  ],
  ['an abuse report without a type', report('feedback-report', 'Version: 1')],
  ['a mail without a boundary', 'Content-Type: multipart/report; report-type=delivery-status\r\n\r\n'],
])('%s is refused as no report', (_, raw) => {
  expect(() => readMailReport(raw, secret)).toThrow(UnreadableReport)
})

test('a report of many megabytes, or of nothing but boundaries or header lines, takes little time and says little', () => {
  const head = 'Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n'
  const fields = 'Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n'
  const huge = [
    head + '--b\r\n'.repeat(2_000_000),
    `${head}--b\r\nContent-Type: message/delivery-status\r\n\r\nx: y\r\n\r\n${fields.repeat(100_000)}`,
    `${head}--b\r\nContent-Type: message/delivery-status\r\n${'\r\n'.repeat(500_000)}`,
    `${head}--b\r\n${' folded\r\n'.repeat(1_000_000)}`,
    `Content-Type: multipart/report${'; a='.repeat(3_000_000)}`,
    'x'.repeat(20_000_000),
  ]
  for (const raw of huge) {
    let found: unknown[] = []
    try {
      found = readMailReport(raw, secret)
    } catch (error) {
      expect(error).toBeInstanceOf(UnreadableReport)
    }
    expect(found.length).toBeLessThanOrEqual(20)
  }
})

test('whatever is made of a report, reading it ends in reports or in a refusal', () => {
  const raw = status('Final-Recipient: rfc822; ada@example.com\nAction: failed\nStatus: 5.1.1')
  fc.assert(
    fc.property(fc.nat(raw.length), fc.nat(40), fc.string({ unit: 'binary' }), (at, length, text) => {
      try {
        readMailReport(raw.slice(0, at) + text + raw.slice(at + length), secret)
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableReport)
      }
    }),
    { numRuns: 300 },
  )
})

test('the key of a Message-ID comes back, whatever it is, and only whole', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 150 }), fc.nat(), (key, at) => {
      const made = messageIdOf(key, 'shop.example', secret)
      expect(keyOfMessageId(made, secret)).toBe(key)
      const local = made.indexOf('@')
      const place = 1 + (at % (local - 1))
      const changed = made.slice(0, place) + (made[place] === 'A' ? 'B' : 'A') + made.slice(place + 1)
      expect(keyOfMessageId(changed, secret)).not.toBe(key)
    }),
  )
})
