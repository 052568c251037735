/** A mail server and an SMS gateway that take what they are sent, and can refuse to. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import { headerOf, type ReadMail, readMail } from '../../gateway/notify/read-mail.contract.js'
import { whenDone } from './test-server.js'

export interface ReceivedMail extends ReadMail {
  to: string
  subject: string
  messageId: string
  raw: string
}

export class Mailbox {
  readonly mails: ReceivedMail[] = []
  /** Receivers that it says are not there. */
  readonly unknown = new Set<string>()
  /** A mail to it is taken, and that it was is never said. */
  silentTo: string | undefined
  url = ''

  static async open(): Promise<Mailbox> {
    const mailbox = new Mailbox()
    const server = new SMTPServer({
      authOptional: true,
      disableReverseLookup: true,
      disabledCommands: ['STARTTLS'],
      closeTimeout: 100,
      onRcptTo({ address }, _session, done) {
        if (!mailbox.unknown.has(address)) return done()
        done(Object.assign(new Error(`5.1.1 <${address}> is not known here`), { responseCode: 550 }))
      },
      onData(stream, _session, done) {
        text(stream).then((raw) => {
          mailbox.take(raw)
          if (mailbox.mails.at(-1)?.to !== mailbox.silentTo) done()
        }, done)
      },
    })
    // A server that is killed breaks its connections off.
    server.on('error', () => undefined)
    const listening = server.listen(0, '127.0.0.1')
    await once(listening, 'listening')
    // Of a server that listens on a port, the address is this.
    mailbox.url = `smtp://127.0.0.1:${(listening.address() as AddressInfo).port}`
    whenDone(() => new Promise<void>((resolve) => server.close(resolve)))
    return mailbox
  }

  private take(raw: string): void {
    const mail = readMail(raw)
    const header = (name: string) => headerOf(mail.headers, name)
    const to = /<([^>]*)>/.exec(header('to'))?.[1] ?? header('to')
    this.mails.push({ ...mail, to, subject: header('subject'), messageId: header('message-id'), raw })
  }

  /** What has come for an address; a repeat under the same Message-ID once, as a mail program shows it. */
  of(address: string): ReceivedMail[] {
    const own = this.mails.filter(({ to }) => to === address)
    return [...new Map(own.map((mail) => [mail.messageId, mail])).values()]
  }
}

export interface ReceivedSms {
  to: string
  from: string
  text: string
  key: string
  callback: string | null
}

export class SmsGateway {
  readonly received: ReceivedSms[] = []
  url = ''

  static async open(): Promise<SmsGateway> {
    const gateway = new SmsGateway()
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        const form = new URLSearchParams(body)
        const key = String(request.headers['idempotency-key'])
        gateway.received.push({
          to: form.get('To') ?? '',
          from: form.get('From') ?? '',
          text: form.get('Body') ?? '',
          key,
          callback: form.get('StatusCallback'),
        })
        response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ sid: `SM-${key}` }))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    gateway.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    whenDone(() => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    })
    return gateway
  }

  of(number: string): ReceivedSms[] {
    const own = this.received.filter(({ to }) => to === number)
    return [...new Map(own.map((sms) => [sms.key, sms])).values()]
  }
}
