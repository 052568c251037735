import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { type BareSocket, openSocket } from './socket.js'

let server: WebSocketServer | undefined
afterEach(() => {
  for (const client of server?.clients ?? []) client.terminate()
  server?.close()
})

async function listen(): Promise<{ server: WebSocketServer; port: number }> {
  server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    path: '/v1/socket',
    handleProtocols: () => 'doorbuster.v1',
  })
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

test('messages of every length come back whole, however the network cuts them', async () => {
  const { server, port } = await listen()
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
  const lengths = [0, 1, 125, 126, 127, 2_056, 65_535, 65_536, 300_000, 5, 700_000]
  const got: Buffer[] = []
  let socket: BareSocket | undefined
  await new Promise<void>((resolve, reject) => {
    openSocket(port, {
      onMessage(bytes, start, end) {
        got.push(Buffer.from(bytes.subarray(start, end)))
        if (got.length === lengths.length) resolve()
      },
      onClosed: (reason) => reject(new Error(reason)),
    }).then((opened) => {
      socket = opened
      for (const length of lengths) opened.send(Buffer.alloc(length, length & 0xff))
    }, reject)
  })
  socket?.close()
  expect(got.map((bytes) => bytes.length)).toEqual(lengths)
  expect(got.every((bytes) => bytes.every((byte) => byte === (bytes.length & 0xff)))).toBe(true)
})

test("the server's ping is answered, and its close is told with code and reason", async () => {
  const { server, port } = await listen()
  const reason = await new Promise<string>((resolve, reject) => {
    server.on('connection', (socket) => {
      socket.ping('here?')
      socket.on('pong', (data) => socket.close(1007, `pong ${data.toString()}`))
    })
    openSocket(port, { onMessage: () => {}, onClosed: resolve }).catch(reject)
  })
  expect(reason).toBe('the server closed the socket: 1007 pong here?')
})

test('a server that refuses the upgrade is named with its answer', async () => {
  const http = createServer((_request, response) => response.writeHead(404).end())
  http.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  await expect(openSocket(port, { onMessage: () => {}, onClosed: () => {} })).rejects.toThrow('403 Forbidden')
  http.close()
})
