/** Calls of a BigCommerce store’s API: the address from the settings, the token from the secret; lists are read whole. */
import type { Connection, OutwardHttp } from '../channel.js'
import { neededUrl } from '../connection-settings.js'
import { neededSecret } from '../secret.js'
import { PAGE_ROWS } from './payloads.js'
import { settingsOf } from './settings.js'

/** 5,000 rows: more lines than an order may have here. */
const PAGES_MAX = 20

export interface StoreCall {
  /** Undefined where the answer is empty: the V2 API answers 204 where there is nothing. */
  get(path: string): Promise<unknown>
  /** All rows of a V2 list, each page seen to be a list by `read`. */
  all<Row>(path: string, read: (page: unknown) => Row[]): Promise<Row[]>
  post(path: string, body: object): Promise<unknown>
  put(path: string, body: object): Promise<unknown>
}

export function storeCall(connection: Connection, http: OutwardHttp): StoreCall {
  const api = neededUrl(settingsOf(connection))
  const headers = { 'x-auth-token': neededSecret(connection.secret, 'accessToken'), accept: 'application/json' }
  const call = (method: 'GET' | 'POST' | 'PUT') => (path: string, body?: object) =>
    http.json({ method, url: `${api}/${path}`, headers, ...(body === undefined ? {} : { body }) })
  const get = call('GET')
  async function all<Row>(path: string, read: (page: unknown) => Row[]): Promise<Row[]> {
    const rows: Row[] = []
    for (let page = 1; page <= PAGES_MAX; page++) {
      const found = read((await get(`${path}?limit=${PAGE_ROWS}&page=${page}`)) ?? [])
      rows.push(...found)
      if (found.length < PAGE_ROWS) return rows
    }
    throw new Error(`${path} has more than ${PAGES_MAX * PAGE_ROWS} rows`)
  }
  return { get, all, post: call('POST'), put: call('PUT') }
}
