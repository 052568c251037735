/** Ends one thread of a running server, as nothing from outside can but Node's own debugger. */
import { WebSocket } from 'ws'
import type { TestServer } from './test-server.js'

/** Start the server with it: its debugger then listens on a free port. */
export const debuggable = { NODE_OPTIONS: '--inspect-port=0' }

const TIMEOUT_MS = 20_000
const LISTENING = /Debugger listening on (ws:\/\/\S+)/

interface DebuggerMessage {
  readonly method?: string
  readonly params?: { sessionId: string; workerInfo?: { url: string } }
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

/** Ends the first thread whose script has this name. */
export async function endThread(server: TestServer, script: string): Promise<void> {
  const socket = new WebSocket(await debuggerAddress(server))
  const send = (id: number, method: string, params: object) => socket.send(JSON.stringify({ id, method, params }))
  let session: string | undefined
  await new Promise<void>((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`no thread that runs ${script} could be ended`)), TIMEOUT_MS)
    socket.once('error', fail)
    socket.once('open', () => send(1, 'NodeWorker.enable', { waitForDebuggerOnStart: false }))
    socket.on('message', (data) => {
      const { method, params } = JSON.parse(String(data)) as DebuggerMessage
      if (method === 'NodeWorker.attachedToWorker' && params?.workerInfo?.url.includes(script)) {
        session = params.sessionId
        const order = { id: 1, method: 'Runtime.evaluate', params: { expression: 'process.exit(7)' } }
        send(2, 'NodeWorker.sendMessageToWorker', { sessionId: session, message: JSON.stringify(order) })
      }
      if (method === 'NodeWorker.detachedFromWorker' && params?.sessionId === session) {
        clearTimeout(timer)
        done()
      }
    })
  })
  // A process that ends waits for its debugger to go first.
  socket.terminate()
}
