/** A server with a few places and an article, and the calls that tests make of it again and again. */
import { randomUUID } from 'node:crypto'
import { beforeAll, expect } from 'vitest'
import { stockUp } from './catalogue.js'
import { type Answer, call, problemFaults, type ReservationDocument } from './http-call.js'
import { TestServer } from './test-server.js'

export class Shop {
  server!: TestServer
  private made = 0

  /** A shop of a test file: 1,000 of TEE at W1 and S1 each. */
  static open(args: readonly string[] = []): Shop {
    const shop = new Shop()
    beforeAll(async () => {
      shop.server = await TestServer.start({ args })
      await stockUp(shop.server.url, ['TEE'], 1_000, ['W1', 'S1'])
    }, 60_000)
    return shop
  }

  readonly call = <Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<Body>> => call<Body>(this.server.url, method, path, body, headers)

  /** Asks for one of a SKU, unless the fields say otherwise. */
  readonly reserve = (fields: Record<string, unknown>, headers?: Record<string, string>) =>
    this.call<ReservationDocument>('POST', '/v1/reservations', { id: randomUUID(), quantity: 1, ...fields }, headers)

  readonly batch = (reservations: readonly Record<string, unknown>[], allOrNothing = true) =>
    this.call<{ reservations: (ReservationDocument & { code?: string })[] }>('POST', '/v1/reservations/batch', {
      reservations,
      allOrNothing,
    })

  readonly settle = (id: string, how: 'confirm' | 'release') =>
    this.call<ReservationDocument>('POST', `/v1/reservations/${id}/${how}`)

  readonly statusOf = async (id: string): Promise<string> => (await this.server.reservation(id)).status

  /** A SKU of a test's own. */
  readonly newSku = async (onHand: number, location = 'W1', fields: Record<string, unknown> = {}): Promise<string> => {
    const sku = `OWN-${this.made++}`
    expect((await this.call('PUT', `/v1/products/${sku}`, { name: 'Own', ...fields })).status).toBe(200)
    expect((await this.call('PUT', `/v1/inventory/${sku}/${location}`, { onHand })).status).toBe(200)
    return sku
  }

  /** A sale that opened yesterday and closes tomorrow, unless the fields say otherwise. */
  readonly sale = (id: string, skus: readonly unknown[], fields: Record<string, unknown> = {}) => {
    const [opensAt, closesAt] = [-1, 1].map((days) => new Date(Date.now() + days * 86_400_000).toISOString())
    return this.call<SaleDocument>('PUT', `/v1/sales/${id}`, { opensAt, closesAt, skus, ...fields })
  }
}

export interface SaleDocument {
  readonly id: string
  readonly status: string
  readonly channels: readonly string[]
  readonly skus: readonly { sku: string; quantity?: number; taken: number }[]
}

export const expectProblem = (answer: Answer<unknown>, status: number, code: string): void =>
  expect(problemFaults(answer, status, code)).toEqual([])
