/**
 * Who may talk to a server that knows no keys: programs on this machine. A page of somebody else's in a browser on this
 * machine is not one of them, so a foreign Origin is refused, and a foreign Host too (a name of theirs that resolves to
 * this machine).
 */
import type { HttpRequest } from 'uWebSockets.js'

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]']

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)

export class Guard {
  private readonly hosts: Set<string>
  private readonly origins: Set<string>

  constructor(host: string, port: number) {
    const names = [...LOOPBACK, host.includes(':') ? `[${host}]` : host]
    this.hosts = new Set(names.map((name) => `${name}:${port}`))
    if (port === 80) for (const name of names) this.hosts.add(name)
    this.origins = new Set([...this.hosts].map((name) => `http://${name}`))
  }

  /** Why a request is foreign; undefined where it is not. */
  refusal(request: HttpRequest): string | undefined {
    // Names of hosts are the same in capitals.
    const host = request.getHeader('host').toLowerCase()
    if (!this.hosts.has(host)) return `The Host ${host} is not this server; call it by the address that it listens on.`
    const origin = request.getHeader('origin').toLowerCase()
    if (origin !== '' && !this.origins.has(origin)) return `Pages of ${origin} may not call this server.`
    return undefined
  }
}
