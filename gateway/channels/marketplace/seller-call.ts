/**
 * Calls of the Selling Partner API. An access token is asked for each time, since an adapter keeps nothing; names and
 * addresses of buyers need a restricted token beside it, which is asked for the orders’ paths alone.
 */
import { z } from 'zod'
import type { Connection, OutwardHttp } from '../channel.js'
import { readAs } from '../payload.js'
import { neededSecret } from '../secret.js'
import { settingsOf } from './settings.js'

const token = z.string().min(1).max(10_000)
const granted = z.object({ access_token: token })
const restricted = z.object({ restrictedDataToken: token })

/** What the restricted token is good for (SP-API, “Tokens API v2021-03-01”). */
const RESTRICTED = { method: 'GET', path: '/orders/v0/orders', dataElements: ['buyerInfo', 'shippingAddress'] }

export interface SellerCall {
  get(path: string): Promise<unknown>
  post(path: string, body: object): Promise<unknown>
  patch(path: string, body: object): Promise<unknown>
  /** The same account, seeing buyers’ names and addresses in lists of orders. */
  withBuyers(): Promise<Pick<SellerCall, 'get'>>
}

function callWith(accessToken: string, api: string, http: OutwardHttp): Omit<SellerCall, 'withBuyers'> {
  const headers = { 'x-amz-access-token': accessToken }
  const call = (method: 'GET' | 'POST' | 'PATCH') => (path: string, body?: object) =>
    http.json({ method, url: `${api}${path}`, headers, ...(body === undefined ? {} : { body }) })
  return { get: call('GET'), post: call('POST'), patch: call('PATCH') }
}

export async function sellerCall(connection: Connection, http: OutwardHttp): Promise<SellerCall> {
  const { apiUrl, tokenUrl } = settingsOf(connection)
  const answer = await http.json({
    method: 'POST',
    url: tokenUrl,
    body: {
      grant_type: 'refresh_token',
      refresh_token: neededSecret(connection.secret, 'refreshToken'),
      client_id: neededSecret(connection.secret, 'clientId'),
      client_secret: neededSecret(connection.secret, 'clientSecret'),
    },
  })
  const own = callWith(readAs(granted, answer, 'the access token').access_token, apiUrl, http)
  return {
    ...own,
    async withBuyers() {
      const given = await own.post('/tokens/2021-03-01/restrictedDataToken', { restrictedResources: [RESTRICTED] })
      return callWith(readAs(restricted, given, 'the restricted token').restrictedDataToken, apiUrl, http)
    },
  }
}
