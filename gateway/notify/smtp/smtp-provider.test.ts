import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterEach, expect, test } from 'vitest'
import { keyOfMessageId } from '../message-id.js'
import { mail, type ProviderHome, providerContract, refusal } from '../provider.contract.js'
import { headerOf, type ReadMail, readMail } from '../read-mail.contract.js'
import { certificate, certificateKey } from './mail-test-certificate.contract.js'
import { sendErrorOf } from './smtp-error.js'
import { type SmtpSettings, smtpProvider } from './smtp-provider.js'

const secret = 'a secret of the tests'
const homes: ProviderHome[] = []
afterEach(async () => {
  for (const home of homes.splice(0)) await home.close()
})

interface MailHome extends ProviderHome {
  mails: ReadMail[]
  connections(): number
}

async function home(options: SMTPServerOptions = {}, settings: Partial<SmtpSettings> = {}): Promise<MailHome> {
  const mails: ReadMail[] = []
  let connections = 0
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    key: certificateKey,
    cert: certificate,
    onConnect(_session, done) {
      connections += 1
      done()
    },
    onData(stream, _session, done) {
      text(stream).then((raw) => {
        mails.push(readMail(raw))
        done()
      }, done)
    },
    ...options,
  })
  // A client that breaks off is what some of the tests are about.
  server.on('error', () => undefined)
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  // Of a server that listens on a port, the address is this.
  const { port } = listening.address() as AddressInfo
  const provider = smtpProvider({
    host: '127.0.0.1',
    port,
    tls: 'none',
    domain: 'shop.example',
    messageIdSecret: secret,
    ...settings,
  })
  let isDown = false
  const stop = async () => {
    if (!isDown) await new Promise<void>((resolve) => server.close(resolve))
    isDown = true
  }
  const made: MailHome = {
    provider,
    mails,
    connections: () => connections,
    received: async () =>
      mails.map(({ headers, text: body }) => ({
        to: /<([^>]*)>/.exec(headerOf(headers, 'to'))?.[1] ?? headerOf(headers, 'to'),
        subject: headerOf(headers, 'subject'),
        text: body,
        identity: headerOf(headers, 'message-id'),
        headers: headers.map(([name]) => name.toLowerCase()),
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

const reply = (responseCode: number, message: string) => Object.assign(new Error(message), { responseCode })

providerContract('SMTP', ['email'], () => home())

test('the Message-ID leads back to the key, for who has the secret', async () => {
  const { provider, mails } = await home()
  await provider.send(mail(), 'event-1:order_confirmation')
  const id = headerOf(mails[0]!.headers, 'message-id')
  expect(id).toMatch(/@shop\.example>$/)
  expect(keyOfMessageId(id, secret)).toBe('event-1:order_confirmation')
  expect(keyOfMessageId(id, 'another secret of the tests')).toBeUndefined()
})

test('text and HTML go as alternatives, and notices of absence are asked not to answer', async () => {
  const { provider, mails } = await home()
  await provider.send(mail({ html: '<p>It is on its way: “5 €”</p>', replyTo: 'help@shop.example' }), 'event-1')
  const [{ headers, text: plain, html }] = [mails[0]!]
  expect(headerOf(headers, 'content-type')).toContain('multipart/alternative')
  expect(plain.trim()).toBe('It is on its way.')
  expect(html.trim()).toBe('<p>It is on its way: “5 €”</p>')
  expect(headerOf(headers, 'auto-submitted')).toBe('auto-generated')
  expect(headerOf(headers, 'reply-to')).toContain('help@shop.example')
})

test('only marketing can be unsubscribed from, by one click', async () => {
  const { provider, mails } = await home()
  const unsubscribeUrl = 'https://shop.example/unsubscribe?token=1'
  await provider.send(mail({ unsubscribeUrl }), 'event-1')
  await provider.send(mail({ unsubscribeUrl, purpose: 'marketing' }), 'event-2')
  const said = mails.map(({ headers }) => [
    headerOf(headers, 'list-unsubscribe'),
    headerOf(headers, 'list-unsubscribe-post'),
  ])
  expect(said).toEqual([
    ['', ''],
    [`<${unsubscribeUrl}>`, 'List-Unsubscribe=One-Click'],
  ])
})

test('a hundred mails need no more connections than were allowed', async () => {
  const { provider, mails, connections } = await home({}, { connectionsMax: 2 })
  await Promise.all(Array.from({ length: 100 }, (_, i) => provider.send(mail(), `event-${i}`)))
  expect(mails).toHaveLength(100)
  expect(connections()).toBeLessThanOrEqual(2)
})

test.each([
  ['550 without a code of its own', 550, 'no such user', true, 'bad_address'],
  ['5.1.1, there is nobody', 550, '5.1.1 no such user', true, 'bad_address'],
  ['5.7.1, policy', 550, '5.7.1 blocked by policy', true, 'refused'],
  ['5.2.2, full', 552, '5.2.2 mailbox full', true, 'refused'],
  ['450, greylisted', 450, '4.2.0 come again', false, 'overloaded'],
  ['421, busy', 421, 'too much to do', false, 'overloaded'],
])('a receiver refused with %s', async (_, code, said, permanent, meaning) => {
  const { provider } = await home({ onRcptTo: (_address, _session, done) => done(reply(code, said)) })
  const error = await refusal(provider.send(mail(), 'event-1'))
  expect({ permanent: error.permanent, code: error.code }).toEqual({ permanent, code: meaning })
  expect(error.message).toContain(said)
})

test('a mail refused after its text is refused, and not its address', async () => {
  const { provider } = await home({
    onData(stream, _session, done) {
      stream.resume().on('end', () => done(reply(554, 'looks like spam')))
    },
  })
  expect(await refusal(provider.send(mail(), 'event-1'))).toMatchObject({ permanent: true, code: 'refused' })
})

test('a wrong password is for a person to mend', async () => {
  const { provider } = await home(
    { authOptional: false, allowInsecureAuth: true, onAuth: (_auth, _session, done) => done(new Error('wrong')) },
    { user: 'shop', password: 'wrong' },
  )
  expect(await refusal(provider.send(mail(), 'event-1'))).toMatchObject({ code: 'misconfigured' })
})

test('with TLS required, the text and the password go over TLS', async () => {
  let isSecure = false
  const { provider, mails } = await home(
    {
      authOptional: false,
      onAuth({ username, password }, session, done) {
        isSecure = session.secure
        if (username === 'shop' && password === 'right') done(null, { user: 'shop' })
        else done(new Error('wrong'))
      },
    },
    { tls: 'required', ca: certificate, serverName: 'mail.test', user: 'shop', password: 'right' },
  )
  await provider.send(mail(), 'event-1')
  expect(isSecure).toBe(true)
  expect(mails).toHaveLength(1)
})

test.each([
  ['offers no TLS', { disabledCommands: ['STARTTLS'] }, { ca: certificate, serverName: 'mail.test' }],
  ['has a certificate that nobody vouches for', {}, { serverName: 'mail.test' }],
  ['has the certificate of another', {}, { ca: certificate, serverName: 'other.test' }],
])('with TLS required, nothing is sent to a server that %s', async (_, options, settings) => {
  const { provider, mails } = await home(options, { tls: 'required', ...settings })
  const error = await refusal(provider.send(mail(), 'event-1'))
  expect(error.permanent).toBe(false)
  expect(mails).toEqual([])
})

test('TLS from the first byte works too', async () => {
  const { provider, mails } = await home(
    { secure: true },
    { tls: 'implicit', ca: certificate, serverName: 'mail.test' },
  )
  await provider.send(mail(), 'event-1')
  expect(mails).toHaveLength(1)
})

test('a server that is no mail server, or breaks off, is tried again', async () => {
  const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const provider = smtpProvider({ host: '127.0.0.1', port, tls: 'none', domain: 'a.example', messageIdSecret: secret })
  expect((await refusal(provider.send(mail(), 'event-1'))).permanent).toBe(false)
  await provider.close()
  server.close()
})

test('an error that nodemailer has never heard of is tried again', () => {
  expect(sendErrorOf('strange')).toMatchObject({ permanent: false, code: 'unreachable', message: 'strange' })
})
