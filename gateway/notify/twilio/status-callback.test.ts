import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readStatusCallback } from './status-callback.js'

const url = 'https://shop.example/v1/sms/status?key=event-1'
const token = '12345'

/** Written out by hand from the description: address, then each field by name. */
function signed(fields: Record<string, string>, at = url, by = token): [string, string, string, string] {
  const text = Object.keys(fields)
    .sort()
    .reduce((all, name) => all + name + fields[name], at)
  return [at, new URLSearchParams(fields).toString(), createHmac('sha1', by).update(text).digest('base64'), token]
}

test('the signature is the one of Twilio’s own example', () => {
  const fields = {
    CallSid: 'CA1234567890ABCDE',
    Caller: '+14158675309',
    Digits: '1234',
    From: '+14158675309',
    To: '+18005551212',
  }
  const body = new URLSearchParams(fields).toString()
  const at = 'https://mycompany.com/myapp.php?foo=1&bar=2'
  // Signed, but no status of a message.
  expect(readStatusCallback(at, body, 'RSOYDt4T1cUTdK1PDd93/VVr8B8=', '12345')).toEqual({
    ok: false,
    reason: 'malformed',
  })
  expect(readStatusCallback(at, body, 'RSOYDt4T1cUTdK1PDd93/VVr8B9=', '12345')).toEqual({ ok: false, reason: 'forged' })
})

test.each([
  ['queued', 'underway'],
  ['sent', 'sent'],
  ['delivered', 'delivered'],
])('%s is read as %s, with the key of the message', (word, status) => {
  expect(readStatusCallback(...signed({ MessageSid: 'SM1', MessageStatus: word, To: '+447400123456' }))).toEqual({
    ok: true,
    status: { providerId: 'SM1', key: 'event-1', status },
  })
})

test.each([
  ['30005', true],
  ['30006', true],
  ['30003', false],
  ['30008', false],
])('undelivered with error %s is a bounce, for good: %s', (code, permanent) => {
  const fields = { MessageSid: 'SM1', MessageStatus: 'undelivered', ErrorCode: code, To: '+447400123456' }
  const read = readStatusCallback(...signed(fields))
  expect(read).toMatchObject({
    ok: true,
    status: {
      status: 'failed',
      failure: { kind: 'bounce', address: '+447400123456', permanent, reason: `undelivered, error ${code}` },
    },
  })
})

test('a changed field, another address, another token or no signature is forged', () => {
  const fields = { MessageSid: 'SM1', MessageStatus: 'delivered' }
  const [at, body, signature] = signed(fields)
  const forged = { ok: false, reason: 'forged' }
  expect(readStatusCallback(at, body.replace('delivered', 'failed'), signature, token)).toEqual(forged)
  expect(readStatusCallback(`${at}2`, body, signature, token)).toEqual(forged)
  expect(readStatusCallback(at, body, signature, '54321')).toEqual(forged)
  expect(readStatusCallback(at, body, undefined, token)).toEqual(forged)
  expect(readStatusCallback(at, body, '', token)).toEqual(forged)
  expect(readStatusCallback(...signed(fields, url, '')).ok).toBe(false)
})

test('a field that comes twice is signed with both its values, and a huge form is not looked at', () => {
  const body = 'MessageSid=SM1&MessageStatus=sent&MediaUrl=b&MediaUrl=a&MediaUrl=b'
  const signature = createHmac('sha1', token)
    .update(`${url}MediaUrlaMediaUrlbMessageSidSM1MessageStatussent`)
    .digest('base64')
  expect(readStatusCallback(url, body, signature, token)).toMatchObject({ ok: true })
  expect(readStatusCallback(url, 'a'.repeat(20_000), signature, token)).toEqual({ ok: false, reason: 'too_large' })
  expect(readStatusCallback(url, 'a&'.repeat(200), signature, token)).toEqual({ ok: false, reason: 'too_large' })
})

test('a status that nobody knows is malformed', () => {
  for (const word of ['', 'lost', '__proto__', 'constructor']) {
    const read = readStatusCallback(...signed({ MessageSid: 'SM1', MessageStatus: word }))
    expect(read).toEqual({ ok: false, reason: 'malformed' })
  }
})

test('whatever is posted, nothing unsigned is believed', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (at, body, signature) => {
      expect(readStatusCallback(at, body, signature, token).ok).toBe(false)
    }),
  )
})
