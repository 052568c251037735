/** Fills a server with SKUs, locations and stock, by the same bulk calls that an import uses. */
import { STATUS_CODES } from '../actors/inventory/wire.js'
import { demoLocations } from '../gateway/cli/demo-network.js'
import { CountFrameWriter, type DoorbusterClient, ReplyReader } from '../gateway/client/index.js'
import type { Server } from './server.js'
import { type BareSocket, openSocket } from './socket.js'

const PRODUCTS_PER_COMMAND = 500
const COMMANDS_IN_FLIGHT = 8
const COUNTS_PER_FRAME = 1_024
const FRAMES_IN_FLIGHT = 8
/** Enough that no run of the bench sells out, and far below what a quantity may be. */
const STOCK_OF_EACH = 2_000_000_000
const CAPACITY_OF_EACH = 2_000_000_000

export interface Catalogue {
  readonly names: readonly string[]
  /** The SKUs' indices, in the same order. */
  readonly skus: Uint32Array
}

/** `skus` products with stock to spare; where there are many locations, each SKU has its share at every one. */
export function fill(server: Server, skus: number, locations = 1): Promise<Catalogue> {
  return fillPlaces(
    server,
    skus,
    Array.from({ length: locations }, (_, i) => location(`W${i + 1}`, i + 1)),
  )
}

/**
 * The same at the 25 places of the demonstration's network, which can take on any number of orders a day. Customers are not
 * written to, unless `writes`: what is measured is orders.
 */
export async function fillNetwork(server: Server, skus: number, writes = false): Promise<Catalogue> {
  if (!writes) await writeNothing(server)
  return fillPlaces(
    server,
    skus,
    demoLocations.map((place) => ({ ...place, capacityPerDay: CAPACITY_OF_EACH })),
  )
}

async function writeNothing(server: Server): Promise<void> {
  const client = await server.client()
  try {
    await command(client, 'brand.put', { id: 'default', name: 'Bench', kinds: { email: [], sms: [] } })
  } finally {
    client.close()
  }
}

async function fillPlaces(server: Server, skus: number, locations: readonly { id: string }[]): Promise<Catalogue> {
  const client = await server.client()
  try {
    for (const place of locations) await command(client, 'location.put', place)
    const places = locations.map(({ id }) => id)
    const names = Array.from({ length: skus }, (_, i) => `SKU-${String(i).padStart(7, '0')}`)
    const indices = await putProducts(client, names)
    const interned = await client.intern([], places)
    await putCounts(server.port, indices, interned.locations)
    return { names, skus: indices }
  } finally {
    client.close()
  }
}

async function putProducts(client: DoorbusterClient, names: readonly string[]): Promise<Uint32Array> {
  const indices = new Uint32Array(names.length)
  let next = 0
  const lane = async () => {
    while (next < names.length) {
      const from = next
      next += PRODUCTS_PER_COMMAND
      const products = names.slice(from, next).map((sku) => ({
        sku,
        name: sku,
        weightGrams: 500,
        price: { amount: '9.99', currency: 'GBP' },
      }))
      // The body that this command answers with; a server that answers otherwise fails at the first use.
      const body = (await command(client, 'product.putMany', { products })) as { indices: number[] }
      indices.set(body.indices, from)
    }
  }
  await Promise.all(Array.from({ length: COMMANDS_IN_FLIGHT }, lane))
  return indices
}

async function putCounts(port: number, skus: Uint32Array, locations: readonly number[]): Promise<void> {
  const counts = skus.length * locations.length
  const onHand = Math.floor(STOCK_OF_EACH / locations.length)
  const reply = new ReplyReader()
  const writer = new CountFrameWriter(COUNTS_PER_FRAME)
  let sent = 0
  let answered = 0
  let socket: BareSocket | undefined
  const send = () => {
    writer.begin(sent)
    for (; sent < counts && !writer.isFull; sent++) {
      // SKU by SKU, so that each SKU's locations are written while it is at hand.
      const sku = skus[Math.floor(sent / locations.length)] as number
      writer.add(sku, onHand, 0, locations[sent % locations.length] as number)
    }
    socket?.send(writer.finish())
  }
  await new Promise<void>((resolve, reject) => {
    openSocket(port, {
      onMessage(bytes, start, end) {
        if (!reply.read(bytes.subarray(start, end))) return
        for (let i = 0; i < reply.count; i++) {
          const status = reply.status(i)
          if (status !== 0) reject(new Error(`A count of stock was refused: ${STATUS_CODES[status] ?? status}.`))
        }
        answered += reply.count
        if (answered === counts) resolve()
        else if (sent < counts) send()
      },
      onClosed: (reason) => reject(new Error(reason)),
    }).then((opened) => {
      socket = opened
      for (let i = 0; i < FRAMES_IN_FLIGHT && sent < counts; i++) send()
    }, reject)
  }).finally(() => socket?.close())
}

async function command(client: DoorbusterClient, name: string, body: unknown): Promise<unknown> {
  const reply = await client.command(name, body)
  if (reply.status >= 300) throw new Error(`${name} answered ${reply.status}: ${JSON.stringify(reply.body)}`)
  return reply.body
}

function location(id: string, priority: number) {
  return {
    id,
    name: id,
    type: 'warehouse',
    address: { line1: '1 Dock Road', city: 'Leeds', postalCode: 'LS1 1AA', country: 'GB' },
    latitude: 53.8,
    longitude: -1.55,
    capacityPerDay: 100_000,
    cutoff: '16:00',
    timeZone: 'Europe/London',
    priority,
    handlingCost: { amount: '1.00', currency: 'GBP' },
    active: true,
  }
}
