import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { DoorbusterError } from '../../engine/errors.js'
import { connectionOptions } from './options.js'

const directory = mkdtempSync(join(tmpdir(), 'doorbuster-nats-options-'))
afterAll(() => rmSync(directory, { recursive: true }))

function file(name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

/** What the first authenticator would send. */
function login(nats: string): object {
  const { authenticator } = connectionOptions({ nats })
  const [first] = Array.isArray(authenticator) ? authenticator : []
  // Those of these tests need no nonce, and give what they were given.
  return first ? (first('') as object) : {}
}

describe('the URLs of NATS', () => {
  test.each([
    ['nats://127.0.0.1:4222', ['127.0.0.1:4222'], {}],
    ['localhost', ['localhost:4222'], {}],
    [' nats://a:1 , nats://b:2,', ['a:1', 'b:2'], {}],
    ['nats://a:80', ['a:80'], {}],
    ['nats://[::1]:5000', ['[::1]:5000'], {}],
    ['nats://shop:pass%20word@a:1', ['a:1'], { user: 'shop', pass: 'pass word' }],
    ['nats://secret%3Atoken@a:1', ['a:1'], { auth_token: 'secret:token' }],
  ])('%s is read', (nats, servers, who) => {
    expect(connectionOptions({ nats }).servers).toEqual(servers)
    expect(login(nats)).toEqual(who)
  })

  test.each([
    ['', 'no URL'],
    ['http://a', 'begins with http://'],
    ['ws://a', 'begins with ws://'],
    ['nats://a:99999', 'cannot be read'],
    ['nats://a/path', 'host and a port'],
    ['nats://a?x=1', 'host and a port'],
    ['nats://%zz:x@a', 'percent-encoded'],
    ['nats://u:p@a,nats://u:q@b', 'different users'],
  ])('%s is refused', (nats, words) => {
    expect(() => connectionOptions({ nats })).toThrow(words)
  })

  test('whatever is given, it is read or refused by name, and what may be a password is not told', () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^[a-z0-9]{12,20}$/), (noise, secret) => {
        try {
          connectionOptions({ nats: `nats://user:${secret}@${noise}` })
        } catch (error) {
          expect(error).toBeInstanceOf(DoorbusterError)
          expect((error as Error).message).not.toContain(secret)
        }
      }),
    )
  })
})

describe('who the server is to NATS', () => {
  const nats = 'nats://a'
  test('is one thing, not two', () => {
    expect(() => connectionOptions({ nats: 'nats://u:p@a', natsToken: 't' })).toThrow('give one')
  })
  test('files that are not there, or are something else, are refused by name', () => {
    expect(() => connectionOptions({ nats, natsCreds: '/none/such' })).toThrow('--nats-creds: /none/such')
    expect(() => connectionOptions({ nats, natsCreds: file('a', 'nothing') })).toThrow('not a credentials file')
    expect(() => connectionOptions({ nats, natsNkey: file('b', 'SUAB') })).toThrow('no user seed')
    expect(() => connectionOptions({ nats, natsTlsCa: '/none/such' })).toThrow('--nats-tls-ca')
    expect(() => connectionOptions({ nats, natsTlsKey: file('c', '') })).toThrow('give both')
  })
})
