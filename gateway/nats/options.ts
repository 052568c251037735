/**
 * What the server was told of NATS, as its client wants it. Secrets come from URLs, options and files; a complaint names
 * the option or the file, never what is in it.
 */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
  type TlsOptions,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from 'nats'
import { DoorbusterError } from '../../engine/errors.js'

export interface NatsOptions {
  /** One URL or several with commas: nats://host:port or tls://host:port, with user:password@ or token@ where wanted. */
  nats: string
  /** Path of a credentials file (a JWT and its seed). */
  natsCreds?: string
  /** Path of a file with an nkey seed. */
  natsNkey?: string
  natsToken?: string
  /** Paths of PEM files. */
  natsTlsCa?: string
  natsTlsCert?: string
  natsTlsKey?: string
}

const RECONNECT_WAIT_MS = 250
const RECONNECT_WAIT_MS_MAX = 2_000
const CONNECT_TIMEOUT_MS = 5_000
const PING_INTERVAL_MS = 20_000

const refused = (detail: string): DoorbusterError => new DoorbusterError('bad_option', detail)

interface Login {
  user: string
  /** None: the user is a token, as NATS clients have it. */
  password: string | undefined
}

interface Address {
  server: string
  hostname: string
  isTls: boolean
  login: Login | undefined
}

/** `place`: which URL of several, since one that may hold a password cannot be shown. */
function parseUrl(text: string, place: number): Address {
  const complaint = (what: string): DoorbusterError =>
    refused(`--nats: URL ${place} ${what}; write nats://host:port, or tls://host:port`)
  const [, scheme = 'nats', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/i.exec(text) ?? []
  if (!/^(nats|tls)$/i.test(scheme)) throw complaint(`begins with ${scheme}://, which is not spoken here`)
  // URL knows no rules for nats://, so it is read as one that it knows; port 80 is that one's own and would vanish.
  let url: URL
  try {
    url = new URL(`ws://${rest}`)
  } catch {
    throw complaint('cannot be read')
  }
  if (url.hostname === '' || (url.pathname !== '/' && url.pathname !== '') || url.search !== '' || url.hash !== '') {
    throw complaint('is not a host and a port')
  }
  const port = url.port || (/:80$/.test(rest) ? '80' : '4222')
  try {
    const user = decodeURIComponent(url.username)
    const password = decodeURIComponent(url.password)
    const login = user === '' ? undefined : { user, password: password === '' ? undefined : password }
    const hostname = url.hostname.replaceAll(/^\[|\]$/g, '')
    return { server: `${url.hostname}:${port}`, hostname, isTls: scheme.toLowerCase() === 'tls', login }
  } catch {
    throw complaint('has a user or password that is not percent-encoded')
  }
}

function readOption(flag: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    // Node's errors have a code.
    const { code } = error as NodeJS.ErrnoException
    throw refused(`${flag}: ${path} cannot be read (${code ?? 'unknown'}); name a file that the server may read`)
  }
}

/** A file that is read at each connection, so that a new secret is taken without a restart; read now to find faults. */
function fromFile(flag: string, path: string): () => Uint8Array {
  readOption(flag, path)
  return () => readOption(flag, path)
}

/** The seed alone: such files may end with a line break or hold comments, as `nk` and `nsc` write them. */
function nkeySeed(path: string): () => Uint8Array {
  const read = fromFile('--nats-nkey', path)
  const seed = (): Uint8Array => {
    const found = /^\s*(SU[A-Z2-7]{56})\s*$/m.exec(Buffer.from(read()).toString('latin1'))?.[1]
    if (found === undefined) throw refused(`--nats-nkey: ${path} holds no user seed (a line that begins with SU)`)
    return Buffer.from(found, 'latin1')
  }
  seed()
  return seed
}

function authenticators(options: NatsOptions, addresses: Address[]): Authenticator[] {
  const ways: Authenticator[] = []
  if (options.natsCreds !== undefined) {
    const read = fromFile('--nats-creds', options.natsCreds)
    if (!Buffer.from(read()).includes('BEGIN NATS USER JWT')) {
      throw refused(`--nats-creds: ${options.natsCreds} is not a credentials file as nsc writes them`)
    }
    ways.push(credsAuthenticator(read))
  }
  if (options.natsNkey !== undefined) ways.push(nkeyAuthenticator(nkeySeed(options.natsNkey)))
  if (options.natsToken !== undefined) ways.push(tokenAuthenticator(options.natsToken))
  const logins = addresses.flatMap(({ login }) => (login ? [login] : []))
  const [login] = logins
  if (logins.some(({ user, password }) => user !== login!.user || password !== login!.password)) {
    throw refused('--nats: the URLs have different users; the servers of one cluster take the same one')
  }
  if (login) {
    const { user, password } = login
    ways.push(password === undefined ? tokenAuthenticator(user) : usernamePasswordAuthenticator(user, password))
  }
  if (ways.length > 1) {
    throw refused('Of --nats-creds, --nats-nkey, --nats-token and a user in --nats, give one')
  }
  return ways
}

/**
 * The client gives Node no name where a server is known by its address, and Node then expects one for localhost. So the
 * certificate is compared with the addresses that were given: it has to be made for one of them.
 */
function identityCheck(hostnames: string[]): (host: string, certificate: PeerCertificate) => Error | undefined {
  const ips = hostnames.filter((name) => isIP(name) !== 0)
  return (host, certificate) => {
    if (host !== 'localhost' || hostnames.includes('localhost') || ips.length === 0) {
      return checkServerIdentity(host, certificate)
    }
    const faults = ips.map((ip) => checkServerIdentity(ip, certificate))
    return faults.includes(undefined) ? undefined : faults[0]
  }
}

function tlsOptions(options: NatsOptions, addresses: Address[]): TlsOptions | undefined {
  const { natsTlsCa: caFile, natsTlsCert: certFile, natsTlsKey: keyFile } = options
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw refused('--nats-tls-cert and --nats-tls-key belong together; give both')
  }
  if (!addresses.some(({ isTls }) => isTls) && caFile === undefined && certFile === undefined) return undefined
  if (caFile !== undefined) readOption('--nats-tls-ca', caFile)
  if (certFile !== undefined) readOption('--nats-tls-cert', certFile)
  if (keyFile !== undefined) readOption('--nats-tls-key', keyFile)
  // The client hands on to Node whatever else stands here, which its types leave out.
  const more: object = { checkServerIdentity: identityCheck(addresses.map(({ hostname }) => hostname)) }
  return {
    ...more,
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  }
}

/** Throws DoorbusterError `bad_option` with what to write instead. */
export function connectionOptions(options: NatsOptions): ConnectionOptions {
  const texts = options.nats
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
  if (texts.length === 0) throw refused('--nats: no URL; write nats://host:port')
  const addresses = texts.map((text, i) => parseUrl(text, i + 1))
  const tls = tlsOptions(options, addresses)
  let waitMs = RECONNECT_WAIT_MS
  return {
    servers: addresses.map(({ server }) => server),
    name: 'doorbuster',
    authenticator: authenticators(options, addresses),
    timeout: CONNECT_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxReconnectAttempts: -1,
    // An account may be put right on the server while we wait.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => {
      waitMs = Math.min(RECONNECT_WAIT_MS_MAX, waitMs * 1.2)
      return waitMs * (0.75 + Math.random() / 2)
    },
    ...(tls ? { tls } : {}),
  }
}
