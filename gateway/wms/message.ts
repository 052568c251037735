/**
 * What a WMS says has been done, or could not be, for a fulfillment order, and the commands that this is here. A message may
 * say more than one step: goods that are packed were accepted, and where cartons name their contents they were picked.
 */
import { z } from 'zod'
import { BULK_ITEMS_MAX } from '../limits.js'
import { fulfillmentId } from '../order-schemas.js'
import { entityId, quantity, skuName } from '../schemas.js'

const text = (max: number) => z.string().min(1).max(max)
const lines = z
  .array(z.object({ sku: skuName, quantity: z.int().min(0).max(0x7fff_ffff) }))
  .min(1)
  .max(500)
const cartons = z
  .array(
    z.object({
      id: text(100).optional(),
      weightGrams: z.int().min(0).max(10_000_000),
      trackingNumber: text(100).optional(),
      lines: z
        .array(z.object({ sku: skuName, quantity }))
        .min(1)
        .max(500)
        .optional()
        .meta({ description: 'What is in it' }),
    }),
  )
  .min(1)
  .max(100)

const said = {
  id: entityId.max(60).meta({ description: 'The WMS’s own: the same message counts once' }),
  fulfillment: fulfillmentId,
  at: z.iso.datetime({ offset: true }).optional().meta({ description: 'When it was done there' }),
}

export const wmsMessage = z.discriminatedUnion('type', [
  z.object({ ...said, type: z.literal('accept') }),
  z.object({ ...said, type: z.literal('pick'), lines: lines.optional().meta({ description: 'Found; none: all' }) }),
  z.object({ ...said, type: z.literal('short_pick'), lines: lines.meta({ description: 'Found of what is short' }) }),
  z.object({ ...said, type: z.literal('damaged'), lines: lines.meta({ description: 'Units that are damaged' }) }),
  z.object({ ...said, type: z.literal('cannot_ship'), reason: text(500).default('cannot_ship') }),
  z.object({ ...said, type: z.literal('pack'), cartons }),
  z.object({
    ...said,
    type: z.literal('ship'),
    carrier: text(100),
    trackingNumber: text(100).optional(),
    cartons: cartons.optional(),
  }),
  z.object({ ...said, type: z.literal('deliver') }),
])
export type WmsMessage = z.output<typeof wmsMessage>

export const wmsMessages = z.object({ messages: z.array(wmsMessage).min(1).max(BULK_ITEMS_MAX) })

/** In which order things are done to goods: messages come as they like. */
const RANK: Record<WmsMessage['type'], number> = {
  accept: 0,
  short_pick: 1,
  damaged: 2,
  pick: 3,
  cannot_ship: 4,
  pack: 5,
  ship: 6,
  deliver: 7,
}

export function inOrder(a: WmsMessage, b: WmsMessage): number {
  return RANK[a.type] - RANK[b.type] || (a.at ?? '').localeCompare(b.at ?? '')
}

export interface Command {
  action: 'accept' | 'reject' | 'pick' | 'pack' | 'ship' | 'deliver' | 'fail'
  body: object
}

/** A fulfillment order as its operation shows it. */
export interface FulfillmentState {
  status: string
  location: string
  lines: { sku: string; quantity: number; picked: number }[]
}

/** What a message is: commands, in their order; or it waits for an earlier one; or it cannot be. */
export type Reading = { commands: Command[] } | { waits: string } | { refused: string }

export function readMessage(message: WmsMessage, { status, lines: wanted }: FulfillmentState): Reading {
  const accepted: Command[] = status === 'pending' ? [{ action: 'accept', body: {} }] : []
  const isBegun = status === 'pending' || status === 'accepted'
  switch (message.type) {
    case 'accept':
      return { commands: [{ action: 'accept', body: {} }] }
    case 'pick':
    case 'short_pick':
      return { commands: [...accepted, { action: 'pick', body: message.lines ? { lines: message.lines } : {} }] }
    case 'damaged':
      return damaged(message.lines, status, wanted, accepted)
    case 'cannot_ship':
      return { commands: [{ action: isBegun ? 'reject' : 'fail', body: { reason: message.reason } }] }
    case 'pack': {
      const packed: Command = { action: 'pack', body: { packages: packagesOf(message.cartons) } }
      if (status === 'picking') return { commands: [packed] }
      const contents = contentsOf(message.cartons)
      if (!isBegun) return { commands: [packed] }
      return contents ? { commands: [...accepted, pickOf(contents, wanted), packed] } : { waits: 'pick' }
    }
    case 'ship': {
      const { carrier, trackingNumber, cartons: sent } = message
      const packages = packagesOf(sent ?? [])
      const shipped: Command = {
        action: 'ship',
        body: { carrier, packages, ...(trackingNumber === undefined ? {} : { trackingNumber }) },
      }
      const packed: Command = { action: 'pack', body: { packages } }
      if (status === 'picking') return sent ? { commands: [packed, shipped] } : { waits: 'pack' }
      if (!isBegun) return { commands: [shipped] }
      const contents = contentsOf(sent ?? [])
      return contents ? { commands: [...accepted, pickOf(contents, wanted), packed, shipped] } : { waits: 'pick' }
    }
    case 'deliver':
      if (status === 'shipped' || status === 'delivered') return { commands: [{ action: 'deliver', body: {} }] }
      return ['pending', 'accepted', 'picking', 'packed'].includes(status)
        ? { waits: 'ship' }
        : { commands: [{ action: 'deliver', body: {} }] }
  }
}

type Cartons = z.output<typeof cartons>

const packagesOf = (sent: Cartons): object[] =>
  sent.map(({ weightGrams, trackingNumber }) => ({
    weightGrams,
    ...(trackingNumber === undefined ? {} : { trackingNumber }),
  }))

/** What is in all cartons; undefined where one does not say. */
function contentsOf(sent: Cartons): Map<string, number> | undefined {
  if (sent.length === 0 || sent.some((carton) => carton.lines === undefined)) return undefined
  const units = new Map<string, number>()
  for (const { sku, quantity: count } of sent.flatMap((carton) => carton.lines!)) {
    units.set(sku, (units.get(sku) ?? 0) + count)
  }
  return units
}

/** What is in the cartons was found; what is not there was not. */
const pickOf = (contents: Map<string, number>, wanted: FulfillmentState['lines']): Command => ({
  action: 'pick',
  body: {
    lines: [...new Set([...wanted.map(({ sku }) => sku), ...contents.keys()])].map((sku) => ({
      sku,
      quantity: contents.get(sku) ?? 0,
    })),
  },
})

/** Before it is picked, what is damaged is not found; after that, all of it or none can be taken back. */
function damaged(
  units: { sku: string; quantity: number }[],
  status: string,
  wanted: FulfillmentState['lines'],
  accepted: Command[],
): Reading {
  const total = (lines: { sku: string; quantity: number }[], sku: string): number =>
    lines.reduce((sum, line) => sum + (line.sku === sku ? line.quantity : 0), 0)
  const skus = [...new Set(units.map(({ sku }) => sku))]
  const tooMany = skus.find((sku) => total(units, sku) > total(wanted, sku))
  if (tooMany !== undefined) return { refused: `more of ${tooMany} is damaged than is wanted` }
  const isPicked = status === 'packed' || wanted.some(({ sku, picked }) => skus.includes(sku) && picked > 0)
  if (!isPicked) {
    const found = skus.map((sku) => ({ sku, quantity: total(wanted, sku) - total(units, sku) }))
    return { commands: [...accepted, { action: 'pick', body: { lines: found } }] }
  }
  if (wanted.every(({ sku }) => total(units, sku) === total(wanted, sku))) {
    return { commands: [{ action: 'fail', body: { reason: 'damaged' } }] }
  }
  return { refused: 'a part of what is picked is damaged: say cannot_ship, and adjust the stock of what is damaged' }
}
