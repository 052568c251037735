/** Who NATS clients may be, made anew for each test: nkeys, an operator's JWTs with a credentials file, and certificates. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nkeys } from 'nats'
import { temporaryDirectory } from './test-server.js'

type KeyPair = ReturnType<typeof nkeys.createUser>

const seedOf = (keys: KeyPair): string => Buffer.from(keys.getSeed()).toString()

function writeIn(directory: string, name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content, { mode: 0o600 })
  return path
}

/** A user by nkey: what the server is configured with, and the file with the seed. */
export function nkeyUser(): { publicKey: string; seed: string; seedFile: string } {
  const user = nkeys.createUser()
  const seed = seedOf(user)
  return { publicKey: user.getPublicKey(), seed, seedFile: writeIn(temporaryDirectory(), 'user.nk', `${seed}\n`) }
}

/** A JWT as NATS has them (version 2): signed by `issuer` with its nkey. */
function jwt(issuer: KeyPair, subject: KeyPair, name: string, type: string, claims: object = {}): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const body = {
    jti: Math.random().toString(36),
    iat: Math.floor(Date.now() / 1_000),
    iss: issuer.getPublicKey(),
    name,
    sub: subject.getPublicKey(),
    nats: { type, version: 2, ...claims },
  }
  const signed = `${encode({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encode(body)}`
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`
}

/** A server in operator mode with one account, and a credentials file of a user of it. */
export function credentials(): { config: string; credsFile: string; seed: string } {
  const operator = nkeys.createOperator()
  const [system, account, user] = [nkeys.createAccount(), nkeys.createAccount(), nkeys.createUser()]
  const none = -1
  const limits = { subs: none, data: none, payload: none, imports: none, exports: none, wildcards: true, conn: none }
  const stored = { mem_storage: none, disk_storage: none, streams: none, consumer: none }
  const systemJwt = jwt(operator, system, 'SYS', 'account', { limits: { ...limits, leaf: none } })
  const accountJwt = jwt(operator, account, 'SHOP', 'account', { limits: { ...limits, leaf: none, ...stored } })
  const userJwt = jwt(account, user, 'doorbuster', 'user', { pub: {}, sub: {}, subs: none, data: none, payload: none })
  const config = [
    `operator: ${jwt(operator, operator, 'OP', 'operator', { system_account: system.getPublicKey() })}`,
    `system_account: ${system.getPublicKey()}`,
    'resolver: MEMORY',
    `resolver_preload { ${system.getPublicKey()}: ${systemJwt}, ${account.getPublicKey()}: ${accountJwt} }`,
  ].join('\n')
  const seed = seedOf(user)
  const file = [
    '-----BEGIN NATS USER JWT-----',
    userJwt,
    '------END NATS USER JWT------',
    '',
    '-----BEGIN USER NKEY SEED-----',
    seed,
    '------END USER NKEY SEED------',
    '',
  ].join('\n')
  return { config, credsFile: writeIn(temporaryDirectory(), 'user.creds', file), seed }
}

export interface Certificates {
  readonly ca: string
  readonly serverCert: string
  readonly serverKey: string
  readonly clientCert: string
  readonly clientKey: string
}

/** An authority, a server's certificate for 127.0.0.1 and a client's, as PEM files. */
export function certificates(): Certificates {
  const directory = temporaryDirectory()
  const at = (name: string): string => join(directory, name)
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...newKey, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=test', '-days', '2')
  const issue = (name: string, usage: string): void => {
    const extensions = writeIn(directory, `${name}.ext`, `subjectAltName=IP:127.0.0.1\nextendedKeyUsage=${usage}\n`)
    openssl('req', ...newKey, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${name}`)
    const authority = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial']
    openssl('x509', '-req', '-in', at(`${name}.csr`), ...authority, '-out', at(`${name}.pem`), '-extfile', extensions)
  }
  issue('server', 'serverAuth')
  issue('client', 'clientAuth')
  return {
    ca: at('ca.pem'),
    serverCert: at('server.pem'),
    serverKey: at('server.key'),
    clientCert: at('client.pem'),
    clientKey: at('client.key'),
  }
}
