/** Calls of Shopify’s Admin API: the address from the settings, the token from the secret, paths of our own making. */
import type { Connection, OutwardHttp } from '../channel.js'
import { neededUrl } from '../connection-settings.js'
import { neededSecret } from '../secret.js'
import { settingsOf } from './settings.js'

export interface ShopifyCall {
  get(path: string): Promise<unknown>
  post(path: string, body: object): Promise<unknown>
}

export function shopifyCall(connection: Connection, http: OutwardHttp): ShopifyCall {
  const api = neededUrl(settingsOf(connection))
  const headers = { 'x-shopify-access-token': neededSecret(connection.secret, 'accessToken') }
  return {
    get: (path) => http.json({ method: 'GET', url: `${api}/${path}`, headers }),
    post: (path, body) => http.json({ method: 'POST', url: `${api}/${path}`, headers, body }),
  }
}
