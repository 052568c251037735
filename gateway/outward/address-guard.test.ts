import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import fc from 'fast-check'
import { buildConnector } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { AddressGuard, type Resolver } from './address-guard.js'
import { OutwardClient } from './outward-http.js'

/** URLs that lead inside by what stands in them, in the notations that filters are got round with. */
const HOSTILE = [
  'http://127.0.0.1/',
  'http://127.1/',
  'http://127.0.0.1./',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0x7f.1/',
  'http://0177.0.0.1/',
  'http://017700000001/',
  'http://%31%32%37.0.0.1/',
  'http://１２７.0.0.1/',
  'http://127。0。0。1/',
  'http://0/',
  'http://0.0.0.0/',
  'http://0.1.2.3/',
  'http://10.1.2.3/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://100.100.100.200/latest/meta-data/',
  'http://169.254.169.254/latest/meta-data/',
  'http://0xa9fea9fe/',
  'http://168.63.129.16/machine',
  'http://192.0.0.192/opc/v2/',
  'http://198.18.0.1/',
  'http://203.0.113.7/',
  'http://224.0.0.1/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://[::]/',
  'http://[::1]/',
  'http://[::127.0.0.1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::ffff:8.8.8.8]/',
  'http://[::ffff:0:127.0.0.1]/',
  'http://[64:ff9b::127.0.0.1]/',
  'http://[2002:7f00:1::]/',
  'http://[2001:0:7f00:1::]/',
  'http://[fe80::1]/',
  'http://[fec0::1]/',
  'http://[fc00::1]/',
  'http://[fd00:ec2::254]/latest/meta-data/',
  'http://[ff02::1]/',
  'http://[2001:db8::1]/',
  'http://[100::1]/',
  'http://[4000::1]/',
  'http://localhost/',
  'http://LOCALHOST./',
  'http://ⓛocalhost/',
  'http://admin.localhost/',
]

/** What is refused whatever it leads to. */
const IMPROPER = [
  'ftp://shop.example/',
  'file:///etc/passwd',
  'gopher://shop.example/_x',
  'javascript:alert(1)',
  'data:text/plain,x',
  'http://ada:secret@shop.example/',
  'http://ada@shop.example/',
  'http://shop.example\\@evil.example/',
  'http://shop.example/\r\nX-Evil: 1',
  'http://shop .example/',
  'http://',
  'shop.example',
  '//shop.example/',
  '',
  'http://256.256.256.256/',
  `http://shop.example/${'a'.repeat(3_000)}`,
]

describe('a URL', () => {
  const guard = new AddressGuard({ allowHttp: true })

  it.each(HOSTILE)('that leads inside is refused: %s', (url) => {
    expect(() => guard.url(url)).toThrow(expect.objectContaining({ code: 'refused_address' }))
  })

  it.each(IMPROPER)('that is not a proper one is refused: %s', (url) => {
    expect(() => guard.url(url)).toThrow(expect.objectContaining({ code: 'refused_address' }))
  })

  it('of an address inside is refused in every notation of it, and never by what the message repeats', () => {
    const number = fc.integer({ min: 0x7f000000, max: 0x7fffffff })
    const written = number.chain((value) => {
      const [a, b, c, d] = [24, 16, 8, 0].map((shift) => (value >>> shift) & 255) as [number, number, number, number]
      const part = (byte: number) => fc.constantFrom(`${byte}`, `0x${byte.toString(16)}`, `0${byte.toString(8)}`)
      return fc.oneof(
        fc.constantFrom(`${value}`, `0x${value.toString(16)}`, `0${value.toString(8)}`),
        fc.tuple(part(a), part(b), part(c), part(d)).map((parts) => parts.join('.')),
        fc.tuple(part(a), fc.constant(`${(b << 16) | (c << 8) | d}`)).map((parts) => parts.join('.')),
        fc.tuple(part(a), part(b), fc.constant(`${(c << 8) | d}`)).map((parts) => parts.join('.')),
      )
    })
    fc.assert(
      fc.property(written, (host) => {
        expect(() => guard.url(`http://${host}/secret-path?token=abc`)).toThrow(/^(?!.*(secret-path|abc))/s)
      }),
    )
  })

  it('of a public host is taken, and given back as it will be called', () => {
    expect(guard.url('https://shop.example/hook?a=1').href).toBe('https://shop.example/hook?a=1')
    expect(guard.url('http://93.184.216.34:8080/').hostname).toBe('93.184.216.34')
    expect(guard.url('https://[2606:4700:4700::1111]/').port).toBe('')
  })

  it('is https unless plain HTTP is allowed, and on an allowed port', () => {
    expect(() => new AddressGuard().url('http://shop.example/')).toThrow(/Only https/)
    const narrow = new AddressGuard({ ports: [443, 8443] })
    expect(narrow.url('https://shop.example:8443/').port).toBe('8443')
    expect(narrow.url('https://shop.example/').port).toBe('')
    expect(() => narrow.url('https://shop.example:25/')).toThrow(/Port 25 .* 443, 8443/)
  })
})

describe('what an operator allows', () => {
  it('is private addresses as a whole, but neither link-local ones nor cloud metadata', () => {
    const guard = new AddressGuard({ allowPrivate: true })
    for (const host of ['127.0.0.1', '10.0.0.1', '192.168.0.1', '100.64.0.1', '[::1]', '[fd12::1]', 'localhost'])
      expect(guard.url(`https://${host}/`).protocol).toBe('https:')
    for (const host of ['169.254.169.254', '100.100.100.200', '[fd00:ec2::254]', '[fe80::1]', '0.0.0.0', '224.0.0.1'])
      expect(() => guard.url(`https://${host}/`)).toThrow(/may not be called/)
  })

  it('is single addresses and networks, and nothing beside them', () => {
    const guard = new AddressGuard({ allowed: ['10.1.0.0/16', '192.168.7.7', 'fd12::/16'] })
    for (const host of ['10.1.255.255', '192.168.7.7', '[fd12::7]'])
      expect(guard.url(`https://${host}/`).protocol).toBe('https:')
    for (const host of ['10.2.0.0', '192.168.7.8', '[fd13::7]']) expect(() => guard.url(`https://${host}/`)).toThrow()
  })

  it.each(['10', '10.1.2', 'http://erp.example', 'erp example', '10.1.2.3/33', '', '010.0.0.1'])(
    'cannot be written so that it is misread: "%s"',
    (entry) => {
      expect(() => new AddressGuard({ allowed: [entry] })).toThrow(expect.objectContaining({ code: 'invalid' }))
    },
  )
})

describe('a name', () => {
  const closing: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })

  async function listen(host: string, port = 0): Promise<{ port: number; calls: () => number }> {
    let calls = 0
    const server: Server = createServer((_request, response) => {
      calls++
      response.setHeader('connection', 'close')
      response.end('{"ok":true}')
    })
    await new Promise<void>((resolve) => server.listen(port, host, resolve))
    closing.push(() => new Promise((resolve) => server.close(resolve)))
    return { port: (server.address() as AddressInfo).port, calls: () => calls }
  }

  const clientWith = (resolve: Resolver, allowed: string[] = []): OutwardClient => {
    const client = new OutwardClient({ policy: { allowHttp: true, allowed }, resolve, retries: 0 })
    closing.push(() => client.close())
    return client
  }

  it('that leads to a private address is refused when it is connected to, and nothing is sent', async () => {
    const inside = await listen('127.0.0.1')
    const client = clientWith((_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]))
    const url = `http://shop.example:${inside.port}/?token=secret`
    const call = client.json({ method: 'GET', url })
    await expect(call).rejects.toMatchObject({ code: 'refused_address', isWorthRetrying: false })
    await expect(call).rejects.toThrow(/^shop\.example leads to no address that may be called; have the operator/)
    expect(inside.calls()).toBe(0)
  })

  it('that changes its address after it was found good is refused with the new one', async () => {
    const good = await listen('127.0.0.1')
    const inside = await listen('127.0.0.2', good.port)
    const answers = ['127.0.0.1', '127.0.0.2']
    const resolve: Resolver = (_name, _options, callback) =>
      callback(null, [{ address: answers.shift() ?? '127.0.0.2', family: 4 }])
    const client = clientWith(resolve, ['127.0.0.1'])
    const url = `http://shop.example:${good.port}/`
    expect(await client.json({ method: 'GET', url })).toEqual({ ok: true })
    await expect(client.json({ method: 'GET', url })).rejects.toMatchObject({ code: 'refused_address' })
    expect([good.calls(), inside.calls()]).toEqual([1, 0])
  })

  it('is asked for once for each connection: what was checked is what is connected to', async () => {
    const good = await listen('127.0.0.1')
    const inside = await listen('127.0.0.2', good.port)
    let asked = 0
    const resolve: Resolver = (_name, _options, callback) =>
      callback(null, [{ address: asked++ === 0 ? '127.0.0.1' : '127.0.0.2', family: 4 }])
    const client = clientWith(resolve, ['127.0.0.1'])
    expect(await client.json({ method: 'GET', url: `http://shop.example:${good.port}/` })).toEqual({ ok: true })
    expect([asked, inside.calls()]).toEqual([1, 0])
  })

  it('with a good and a bad address is called at the good one only', async () => {
    const good = await listen('127.0.0.1')
    const inside = await listen('127.0.0.2', good.port)
    const resolve: Resolver = (_name, _options, callback) =>
      callback(null, [
        { address: '127.0.0.2', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ])
    const client = clientWith(resolve, ['127.0.0.1'])
    expect(await client.json({ method: 'GET', url: `http://shop.example:${good.port}/` })).toEqual({ ok: true })
    expect(inside.calls()).toBe(0)
  })

  it('that the operator allows may lead to a private address, and others still may not', async () => {
    const erp = await listen('127.0.0.1')
    const resolve: Resolver = (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }])
    const client = clientWith(resolve, ['ERP.example.'])
    expect(await client.json({ method: 'GET', url: `http://erp.example:${erp.port}/` })).toEqual({ ok: true })
    await expect(client.json({ method: 'GET', url: `http://crm.example:${erp.port}/` })).rejects.toThrow()
    expect(erp.calls()).toBe(1)
  })

  it('cannot be led to metadata or a mapped address even where private ones are allowed', async () => {
    for (const address of ['169.254.169.254', '::ffff:127.0.0.1', '::7f00:1', 'fe80::1%lo']) {
      const family = address.includes(':') ? 6 : 4
      const client = new OutwardClient({
        policy: { allowHttp: true, allowPrivate: true },
        resolve: (_name, _options, callback) => callback(null, [{ address, family }]),
        retries: 0,
      })
      closing.push(() => client.close())
      await expect(client.json({ method: 'GET', url: 'http://shop.example/' })).rejects.toMatchObject({
        code: 'refused_address',
      })
    }
  })

  it('is never followed to where a redirect leads', async () => {
    const inside = await listen('127.0.0.2')
    const redirecting = createServer((_request, response) => {
      response.writeHead(307, { location: `http://127.0.0.2:${inside.port}/` }).end()
    })
    await new Promise<void>((resolve) => redirecting.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => redirecting.close(resolve)))
    const client = clientWith(() => {}, ['127.0.0.0/8'])
    const { port } = redirecting.address() as AddressInfo
    const call = client.json({ method: 'POST', url: `http://127.0.0.1:${port}/`, body: {} })
    await expect(call).rejects.toMatchObject({ code: 'http_status', status: 307 })
    expect(inside.calls()).toBe(0)
  })

  it('written as an address is refused without a connection', async () => {
    let connections = 0
    const server = createTcpServer((socket) => {
      connections++
      socket.destroy()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => server.close(resolve)))
    const { port } = server.address() as AddressInfo
    const connect = new AddressGuard({ allowHttp: true }).connector(buildConnector, 1_000)
    for (const hostname of ['127.0.0.1', '[::1]', 'localhost', '::ffff:127.0.0.1']) {
      const error = await new Promise((resolve) =>
        connect({ hostname, protocol: 'http:', port: `${port}` }, (...[failure]) => resolve(failure)),
      )
      expect(error).toMatchObject({ code: 'refused_address' })
    }
    expect(connections).toBe(0)
  })
})
