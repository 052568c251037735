/** Sets the stage for a replay: locations, products and stock, before the clock starts. */
import { NO_LOCATION, QUANTITY_MAX, STATUS_CODES, Status } from '../../actors/inventory/wire.js'
import { DoorbusterError } from '../../engine/errors.js'
import {
  type CommandReply,
  CountFrameWriter,
  type DoorbusterClient,
  FRAME_RECORDS,
  type FrameSocket,
  ReplyReader,
} from '../client/index.js'
import { ownLocations } from './demo-network.js'
import type { History } from './history.js'
import { type Inventory, readInventories } from './inventory-view.js'
import { stableHash } from './stable-hash.js'

const PRODUCTS_PER_COMMAND = 500
const COUNT_FRAMES_IN_FLIGHT = 8
const CURRENCY = 'GBP'

export interface Stage {
  /** The server's index of each article. */
  readonly skuIndices: Uint32Array
  /** What the server says of each article's stock once it is counted, before the first reservation. */
  readonly before: readonly Inventory[]
  /** Articles that the server had stock or reservations of already: what is told is the difference. */
  readonly articlesKnownBefore: number
}

/**
 * Seeds each article with floor(`stockFactor` × its total demand), all of it at one location that its SKU's hash picks
 * among the warehouses and stores: a reservation that may be served anywhere is then refused exactly when the
 * network has too little, and "first come, first served" can be checked line by line.
 */
export async function setStage(
  history: History,
  stockFactor: number,
  client: DoorbusterClient,
  socket: FrameSocket,
): Promise<Stage> {
  const skus = history.articles.map((article) => article.sku)
  const [locations, skuIndices] = await Promise.all([putLocations(client), putProducts(history, client)])
  const earlier = await readInventories(client, skus)
  const known = earlier.filter(({ onHand, reserved, allocated }) => onHand + reserved + allocated > 0).length

  const counts = skus.map((sku, article) => {
    const place = stableHash(sku) % ownLocations.length
    const stock = Math.floor(stockFactor * (history.demand[article] ?? 0))
    // What is promised there already keeps its units: the seed comes on top.
    const there = earlier[article]?.locations.find(({ location }) => location === ownLocations[place]?.id)
    const onHand = Math.min(QUANTITY_MAX, stock + (there?.reserved ?? 0) + (there?.allocated ?? 0))
    return { sku: skuIndices[article] ?? 0, onHand, location: locations[place] ?? NO_LOCATION }
  })
  await sendCounts(socket, counts)
  return { skuIndices, before: await readInventories(client, skus), articlesKnownBefore: known }
}

async function putLocations(client: DoorbusterClient): Promise<number[]> {
  const replies = await Promise.all(ownLocations.map((location) => client.command('location.put', location)))
  for (const reply of replies) expectDone(reply, 'location.put')
  const ids = ownLocations.map(({ id }) => id)
  const { locations } = await client.intern([], ids)
  const missing = ids.filter((_, i) => (locations[i] ?? -1) < 0)
  if (missing.length > 0)
    throw new DoorbusterError('refused', `the server does not know the locations that it took: ${missing.join(', ')}`)
  return locations
}

async function putProducts({ articles }: History, client: DoorbusterClient): Promise<Uint32Array> {
  const chunks = []
  for (let at = 0; at < articles.length; at += PRODUCTS_PER_COMMAND) {
    const products = articles.slice(at, at + PRODUCTS_PER_COMMAND).map(({ sku, name, price }) => ({
      sku,
      name: name || sku,
      price: { amount: price || '0.00', currency: CURRENCY },
    }))
    chunks.push(client.command('product.putMany', { products }))
  }
  const indices = (await Promise.all(chunks)).flatMap((reply) => {
    expectDone(reply, 'product.putMany')
    const body = reply.body as { indices?: unknown; errors?: unknown } | null // looked at below
    if (!Array.isArray(body?.indices))
      throw new DoorbusterError('refused', 'product.putMany did not answer with indices')
    if (Array.isArray(body.errors) && body.errors.length > 0) {
      throw new DoorbusterError('refused', `product.putMany refused some: ${JSON.stringify(body.errors[0])}`)
    }
    return body.indices as number[]
  })
  if (indices.length !== articles.length)
    throw new DoorbusterError('refused', 'product.putMany answered for another number of products')
  return Uint32Array.from(indices)
}

interface Count {
  readonly sku: number
  readonly onHand: number
  readonly location: number
}

/** Sends counts in packed frames, a few in flight. */
function sendCounts(socket: FrameSocket, counts: readonly Count[]): Promise<void> {
  const frames = Math.ceil(counts.length / FRAME_RECORDS)
  const free = Array.from({ length: COUNT_FRAMES_IN_FLIGHT }, () => new CountFrameWriter(FRAME_RECORDS))
  const inFlight = new Map<number, CountFrameWriter>()
  const reader = new ReplyReader()
  return new Promise((resolve, reject) => {
    let next = 0
    const send = () => {
      for (let writer = free.at(-1); writer && next < frames; writer = free.at(-1)) {
        free.pop()
        writer.begin(next)
        const from = next * FRAME_RECORDS
        for (const { sku, onHand, location } of counts.slice(from, from + FRAME_RECORDS))
          writer.add(sku, onHand, 0, location)
        inFlight.set(next++, writer)
        socket.send(writer.finish())
      }
      if (inFlight.size === 0) resolve()
    }
    socket.onClose = (code, reason) =>
      reject(new DoorbusterError('refused', `the server closed the connection: ${code} ${reason}`))
    socket.onFrame = (bytes) => {
      const writer = reader.read(bytes) ? inFlight.get(reader.frame) : undefined
      if (!writer) return reject(new DoorbusterError('refused', 'the server sent a reply to no frame of ours'))
      inFlight.delete(reader.frame)
      for (let record = 0; record < reader.count; record++) {
        const status = reader.status(record)
        if (status !== Status.done)
          return reject(
            new DoorbusterError('refused', `a count of stock was refused: ${STATUS_CODES[status] ?? status}`),
          )
      }
      free.push(writer)
      send()
    }
    send()
  })
}

function expectDone(reply: CommandReply, name: string): void {
  if (reply.status < 300) return
  throw new DoorbusterError('refused', `${name} was refused with ${reply.status}: ${JSON.stringify(reply.body)}`)
}
