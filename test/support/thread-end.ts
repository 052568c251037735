/** Ends one thread of a running server, as nothing from outside can but Node's own debugger. */
import { WebSocket } from 'ws'
import type { TestServer } from './test-server.js'

/** Start the server with it: its debugger then listens on a free port. */
export const debuggable = { NODE_OPTIONS: '--inspect-port=0' }

const TIMEOUT_MS = 20_000
const LISTENING = /Debugger listening on (ws:\/\/\S+)/

interface DebuggerMessage {
  readonly method?: string
  readonly params?: { sessionId: string; workerInfo: { url: string } }
}

async function debuggerAddress(server: TestServer): Promise<string> {
  server.signal('SIGUSR1')
  for (const until = performance.now() + TIMEOUT_MS; performance.now() < until; ) {
    const [, address] = LISTENING.exec(server.stderr) ?? []
    if (address !== undefined) return address
    await new Promise((done) => setTimeout(done, 20))
  }
  throw new Error(`the debugger does not listen: ${server.stderr}`)
}

/** Ends the first thread whose script has this name; resolves once it was told to. */
export async function endThread(server: TestServer, script: string): Promise<void> {
  const socket = new WebSocket(await debuggerAddress(server))
  await new Promise<void>((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`no thread runs ${script}`)), TIMEOUT_MS)
    const send = (id: number, method: string, params: object) => socket.send(JSON.stringify({ id, method, params }))
    socket.once('error', fail)
    socket.once('open', () => send(1, 'NodeWorker.enable', { waitForDebuggerOnStart: false }))
    socket.on('message', (data) => {
      const { method, params } = JSON.parse(String(data)) as DebuggerMessage
      if (method !== 'NodeWorker.attachedToWorker' || !params?.workerInfo.url.includes(script)) return
      clearTimeout(timer)
      const order = { id: 1, method: 'Runtime.evaluate', params: { expression: 'process.exit(7)' } }
      send(2, 'NodeWorker.sendMessageToWorker', { sessionId: params.sessionId, message: JSON.stringify(order) })
      done()
    })
  })
  // The process ends with its thread; a socket that is gone then is no error.
  socket.removeAllListeners('error').on('error', () => {})
  void server.exited.then(() => socket.terminate())
}
