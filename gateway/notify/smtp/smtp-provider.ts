/**
 * Mail over SMTP (RFC 5321), by a pool of connections to one server. Whether a message that was not acknowledged has arrived
 * nobody can know; sent again it has the same Message-ID.
 */
import { assert } from '../../../engine/assert.js'
import { nodemailer } from '../../lazy-libraries.js'
import { type MailIdentity, mailContent } from '../mail-content.js'
import { assertSendable, type Message, type Provider, SendError, type Sent } from '../provider.js'
import { sendErrorOf } from './smtp-error.js'

export interface SmtpSettings extends MailIdentity {
  host: string
  port: number
  /**
   * `implicit`: TLS from the first byte (port 465). `required`: STARTTLS or nothing is sent. `opportunistic`: STARTTLS where
   * the server offers it. `none`: in the clear, for a server on the same machine.
   */
  tls: 'implicit' | 'required' | 'opportunistic' | 'none'
  /** Certificates (PEM) of an authority of one's own, beside those that Node knows. */
  ca?: string
  /** The name in the server's certificate, where it is not the host. */
  serverName?: string
  user?: string
  password?: string
  connectionsMax?: number
}

const CONNECTIONS_MAX = 5
/** Messages that may wait for a connection: more are refused, to be tried again. */
const WAITING_MAX = 1_000
const CONNECT_MS_MAX = 15_000
/** Servers are slow to answer DATA where they look for spam. */
const SILENCE_MS_MAX = 60_000
/** Many servers close a connection after some messages; ours goes first. */
const MESSAGES_A_CONNECTION = 100

export function smtpProvider(settings: SmtpSettings): Provider {
  const { host, port, tls, user, password, ca, serverName, connectionsMax = CONNECTIONS_MAX } = settings
  assert((user === undefined) === (password === undefined), 'an SMTP user has a password, and a password a user')
  const transport = nodemailer().createTransport({
    pool: true,
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'none',
    maxConnections: connectionsMax,
    maxMessages: MESSAGES_A_CONNECTION,
    connectionTimeout: CONNECT_MS_MAX,
    greetingTimeout: CONNECT_MS_MAX,
    socketTimeout: SILENCE_MS_MAX,
    disableFileAccess: true,
    disableUrlAccess: true,
    tls: {
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      ...(ca === undefined ? {} : { ca }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    },
    ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password } }),
  })
  const underWay = new Set<Promise<Sent>>()
  let isClosed = false

  async function deliver(message: Message, key: string): Promise<Sent> {
    assertSendable(message, key, ['email'])
    // The line above refuses every other medium.
    assert(message.medium === 'email', 'only mail is left')
    try {
      const { messageId } = await transport.sendMail(mailContent(message, key, settings))
      return { providerId: messageId }
    } catch (error) {
      throw sendErrorOf(error)
    }
  }

  return {
    media: ['email'],
    async send(message, key) {
      if (isClosed) throw new SendError('unreachable', 'The mail provider is closed.', { permanent: false })
      if (underWay.size >= WAITING_MAX) {
        throw new SendError('overloaded', `${WAITING_MAX} mails are waiting for the server already.`, {
          permanent: false,
        })
      }
      const sending = deliver(message, key)
      underWay.add(sending)
      return sending.finally(() => underWay.delete(sending))
    },
    async close() {
      isClosed = true
      await Promise.allSettled(underWay)
      transport.close()
    },
  }
}
