import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { type ProviderHome, providerContract, refusal, sms } from '../provider.contract.js'
import { type TwilioSettings, twilioProvider } from './twilio-provider.js'

interface Posted {
  method: string
  path: string
  headers: IncomingMessage['headers']
  form: URLSearchParams
}
interface SmsHome extends ProviderHome {
  posted: Posted[]
}

const homes: ProviderHome[] = []
afterEach(async () => {
  for (const home of homes.splice(0)) await home.close()
})

/** Takes every message; the same key has the same SID, as a gateway that honours it answers. */
function accept(response: ServerResponse, { headers }: Posted): void {
  response.writeHead(201, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ sid: `SM-${headers['idempotency-key']}`, status: 'queued' }))
}

async function home(answer = accept, settings: Partial<TwilioSettings> = {}): Promise<SmsHome> {
  const posted: Posted[] = []
  const server = createServer((incoming, response) => {
    const { method = '', url: path = '', headers } = incoming
    void text(incoming).then((body) => {
      const one = { method, path, headers, form: new URLSearchParams(body) }
      posted.push(one)
      answer(response, one)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  // Of a server that listens on a port, the address is this.
  const { port } = server.address() as AddressInfo
  const provider = twilioProvider({
    accountSid: 'AC1',
    authToken: 'token',
    baseUrl: `http://127.0.0.1:${port}`,
    ...settings,
  })
  const stop = async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  const made: SmsHome = {
    provider,
    posted,
    received: async () =>
      posted.map(({ form, headers }) => ({
        to: form.get('To') ?? '',
        subject: '',
        text: form.get('Body') ?? '',
        identity: String(headers['idempotency-key']),
        headers: [],
      })),
    breakDown: stop,
    async close() {
      await provider.close()
      await stop()
    },
  }
  homes.push(made)
  return made
}

providerContract('the SMS gateway', ['sms'], () => home())

test('a message is posted as the Messages resource takes it', async () => {
  const { provider, posted } = await home(accept, { statusCallbackUrl: 'https://shop.example/sms?brand=lamp' })
  expect(await provider.send(sms(), 'event-1&x=2')).toEqual({ providerId: 'SM-event-1&x=2' })
  const [{ method, path, headers, form }] = [posted[0]!]
  expect({ method, path }).toEqual({ method: 'POST', path: '/2010-04-01/Accounts/AC1/Messages.json' })
  expect(headers.authorization).toBe(`Basic ${Buffer.from('AC1:token').toString('base64')}`)
  expect(headers['content-type']).toContain('application/x-www-form-urlencoded')
  expect(Object.fromEntries(form)).toEqual({
    To: '+447400123456',
    From: 'LampShade',
    Body: 'It is on its way.',
    StatusCallback: 'https://shop.example/sms?brand=lamp&key=event-1%26x%3D2',
  })
})

test('a pool of senders goes in the place of the sender', async () => {
  const { provider, posted } = await home(accept, { messagingServiceSid: 'MG1' })
  await provider.send(sms(), 'event-1')
  expect(posted[0]?.form.get('MessagingServiceSid')).toBe('MG1')
  expect(posted[0]?.form.has('From')).toBe(false)
})

test.each([
  [400, { code: 21211, message: 'Invalid To' }, true, 'bad_address'],
  [400, { code: 21614, message: 'Not a mobile number' }, true, 'bad_address'],
  [400, { code: 21610, message: 'Unsubscribed recipient' }, true, 'unsubscribed'],
  [400, { code: 99999, message: 'Something new' }, true, 'refused'],
  [401, { code: 20003, message: 'Authenticate' }, true, 'misconfigured'],
  [404, {}, true, 'misconfigured'],
  [413, 'not JSON', true, 'refused'],
  [302, '', true, 'refused'],
  [429, { code: 20429, message: 'Too many requests' }, false, 'overloaded'],
  [500, 'broken', false, 'unreachable'],
  [503, { message: 'busy' }, false, 'overloaded'],
])('the answer %d %j', async (status, body, permanent, code) => {
  const { provider } = await home((response) => {
    response
      .writeHead(status, { location: 'http://127.0.0.1:1/' })
      .end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  const error = await refusal(provider.send(sms(), 'event-1'))
  expect({ permanent: error.permanent, code: error.code }).toEqual({ permanent, code })
})

test.each([
  ['7', 7_000],
  ['999999999', 86_400_000],
  ['soon', undefined],
  ['-1', undefined],
])('Retry-After: %s is %j ms', async (header, retryAfterMs) => {
  const { provider } = await home((response) => response.writeHead(429, { 'retry-after': header }).end())
  expect((await refusal(provider.send(sms(), 'event-1'))).retryAfterMs).toBe(retryAfterMs)
})

test.each<[string, (response: ServerResponse) => void]>([
  ['breaks off', (response) => response.destroy()],
  [
    'breaks off in the middle',
    (response) => response.writeHead(201, { 'content-length': '100' }).write('{', () => response.destroy()),
  ],
  ['never answers', () => undefined],
  ['answers without end', (response) => response.writeHead(201).write('{'.repeat(200_000))],
])('a gateway that %s is tried again', async (_, answer) => {
  const { provider } = await home((response) => answer(response), { requestMsMax: 500 })
  expect(await refusal(provider.send(sms(), 'event-1'))).toMatchObject({ permanent: false, code: 'unreachable' })
})

test('a message that was taken is not sent again because the answer cannot be read', async () => {
  const { provider } = await home((response) => response.writeHead(201).end('<html>'))
  expect(await provider.send(sms(), 'event-1')).toEqual({ providerId: '' })
})

test('credentials go in the clear to nobody but this machine', () => {
  expect(() => twilioProvider({ accountSid: 'AC1', authToken: 't', baseUrl: 'http://gateway.example' })).toThrow(
    'https',
  )
  expect(() => twilioProvider({ accountSid: '../x', authToken: 't' })).toThrow('account SID')
})
