/** Calls of WooCommerce’s REST API v3: the address from the settings, basic authentication with the key pair of the secret. */
import type { Connection, OutwardHttp } from '../channel.js'
import { neededUrl } from '../connection-settings.js'
import { neededSecret } from '../secret.js'
import { settingsOf } from './settings.js'

export interface WooCall {
  get(path: string): Promise<unknown>
  post(path: string, body: object): Promise<unknown>
  put(path: string, body: object): Promise<unknown>
}

export function wooCall(connection: Connection, http: OutwardHttp): WooCall {
  const api = neededUrl(settingsOf(connection))
  const key = neededSecret(connection.secret, 'consumerKey')
  const pair = Buffer.from(`${key}:${neededSecret(connection.secret, 'consumerSecret')}`)
  const headers = { authorization: `Basic ${pair.toString('base64')}` }
  const call = (method: 'GET' | 'POST' | 'PUT') => (path: string, body?: object) =>
    http.json({ method, url: `${api}/${path}`, headers, ...(body === undefined ? {} : { body }) })
  return { get: call('GET'), post: call('POST'), put: call('PUT') }
}
