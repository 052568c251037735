/**
 * Decides which addresses the gateway may call, so that a URL from a client or a partner cannot reach what stands inside
 * the operator's network (server-side request forgery). A URL is looked at when it is given; the address behind its name
 * is looked at when it is connected to, each time, so a name that changes its mind in between gains nothing.
 */
import { type LookupAddress, type LookupAllOptions, lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { buildConnector } from 'undici'
import { DoorbusterError } from '../../engine/errors.js'
import { URL_LENGTH_MAX } from './limits.js'
import { OutwardError } from './outward-error.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Network = [Address, number]

export interface AddressPolicy {
  /** Plain HTTP as well as HTTPS. */
  allowHttp?: boolean
  /** Private, loopback, unique-local and carrier-grade NAT addresses; link-local and cloud metadata never. */
  allowPrivate?: boolean
  /**
   * Host names (their private addresses may be called), addresses and networks in CIDR notation (all of it may be called,
   * whatever it is).
   */
  allowed?: readonly string[]
  /** None: any port. */
  ports?: readonly number[]
}

/** Finds all addresses of a name, like `dns.lookup`. */
export type Resolver = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

const PRIVATE_RANGES = new Set(['private', 'loopback', 'uniqueLocal', 'carrierGradeNat'])

/** Where clouds tell a machine its credentials, beside the link-local 169.254.169.254, which is never private. */
const METADATA: Network[] = ['168.63.129.16/32', '100.100.100.200/32', 'fd00:ec2::254/128', 'fd20:ce::254/128'].map(
  (network) => ipaddr.parseCIDR(network),
)

/**
 * All that IANA has given out for IPv6 unicast. What is outside is refused, since ipaddr.js calls unicast whatever it has
 * no name for: `::7f00:1`, the old IPv4-compatible notation of 127.0.0.1, for one.
 */
const GLOBAL_UNICAST_V6: Network = ipaddr.parseCIDR('2000::/3')

const isIn = (address: Address, [network, bits]: Network): boolean =>
  address.kind() === network.kind() && address.match(network, bits)

/** As names are compared: lower case, no brackets, no dot of the root. */
const plainHost = (hostname: string): string =>
  hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')

const refused = (message: string): OutwardError => new OutwardError('refused_address', message)

export class AddressGuard {
  private readonly hosts = new Set<string>()
  private readonly networks: Network[] = []

  /** Throws DoorbusterError `invalid` where an entry of `allowed` can't be read. */
  constructor(private readonly policy: AddressPolicy = {}) {
    for (const entry of policy.allowed ?? []) {
      if (isIP(entry)) this.networks.push([ipaddr.parse(entry), isIP(entry) === 4 ? 32 : 128])
      else if (entry.includes('/') && isIP(entry.split('/')[0]!) && ipaddr.isValidCIDR(entry))
        this.networks.push(ipaddr.parseCIDR(entry))
      else if (/^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i.test(entry) && !/^[\d.]+$/.test(entry))
        this.hosts.add(plainHost(entry))
      else {
        const detail = `"${entry}" is no host name, address or network; write erp.example, 10.1.2.3 or 10.1.0.0/16.`
        throw new DoorbusterError('invalid', detail)
      }
    }
  }

  /**
   * The URL, if what stands in it may be called: scheme, port, no credentials, and an address that is written out in
   * whatever notation. Throws OutwardError `refused_address`.
   */
  url(text: string): URL {
    if (text.length > URL_LENGTH_MAX) throw refused(`The URL is longer than ${URL_LENGTH_MAX} characters; shorten it.`)
    // The URL standard drops these without a word, so what a person reads is not what would be called.
    if (/[\s\p{Cc}\\]/u.test(text))
      throw refused('The URL has spaces, control characters or backslashes; take them out.')
    if (!URL.canParse(text)) throw refused('This is no URL; give a whole one, such as https://shop.example/hook.')
    const url = new URL(text)
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && this.policy.allowHttp))
      throw refused(`Only ${this.policy.allowHttp ? 'http and https' : 'https'} is called; give such a URL.`)
    if (url.username !== '' || url.password !== '')
      throw refused('The URL has a user name or a password in it; take them out, URLs are shown and logged.')
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
    if (this.policy.ports && !this.policy.ports.includes(port))
      throw refused(`Port ${port} is not called; the allowed ones are ${this.policy.ports.join(', ')}.`)
    this.checkHost(url.hostname)
    return url
  }

  /** Throws where the host is an address, or a name of this machine, that may not be called. */
  private checkHost(hostname: string): void {
    const host = plainHost(hostname)
    if (isIP(host)) this.checkAddress(host, host)
    else if (host === '') throw refused('The URL names no host; give one, such as https://shop.example/hook.')
    else if (host === 'localhost' || host.endsWith('.localhost')) this.checkAddress('127.0.0.1', host)
  }

  private allows(text: string, host: string): boolean {
    if (!isIP(text)) return false
    const address = ipaddr.parse(text)
    if (this.networks.some((network) => isIn(address, network))) return true
    if (METADATA.some((network) => isIn(address, network))) return false
    const range: string = address.range()
    if (range === 'unicast') return address.kind() === 'ipv4' || isIn(address, GLOBAL_UNICAST_V6)
    return PRIVATE_RANGES.has(range) && (this.policy.allowPrivate === true || this.hosts.has(plainHost(host)))
  }

  private checkAddress(address: string, host: string): void {
    if (this.allows(address, host)) return
    throw refused(
      `${host} is, or leads to, an address that may not be called; have the operator allow it if it should.`,
    )
  }

  /** A look-up for sockets: of the addresses that the resolver finds only those that may be called. */
  private lookup(resolve: Resolver): LookupFunction {
    return (hostname, options, callback) => {
      resolve(hostname, { ...options, all: true }, (error, found) => {
        if (error) return callback(error, [])
        const addresses = found.filter(({ address }) => this.allows(address, hostname))
        const first = addresses[0]
        if (!first) {
          const why = `${hostname} leads to no address that may be called; have the operator allow it if it should.`
          return callback(refused(why), [])
        }
        if (options.all) callback(null, addresses)
        else callback(null, first.address, first.family)
      })
    }
  }

  /** Connects for undici, only to what may be called. */
  connector(
    build: typeof buildConnector,
    timeoutMs: number,
    resolve: Resolver = systemLookup,
  ): buildConnector.connector {
    const connect = build({ timeout: timeoutMs, lookup: this.lookup(resolve) })
    return (options, callback) => {
      try {
        // An address that is written out is never looked up, so it is checked here.
        this.checkHost(options.hostname)
      } catch (error) {
        callback(error as OutwardError, null) // checkHost throws nothing else
        return
      }
      connect(options, (error, socket) => {
        if (error) return callback(error, null)
        // What the socket itself says is the last word, before a byte of the request is sent.
        const { remoteAddress } = socket
        if (remoteAddress !== undefined && this.allows(remoteAddress, options.hostname)) return callback(null, socket)
        socket.destroy()
        callback(
          remoteAddress === undefined
            ? new OutwardError('unreachable', `${options.hostname} closed the connection at once.`)
            : refused(`${options.hostname} leads to an address that may not be called.`),
          null,
        )
      })
    }
  }
}
