/**
 * The order of commands that concern the same thing: a SKU, an order, a reservation. Each waits for those before it that
 * share a key with it; whatever shares none goes on beside it. Reservations and adjustments of one SKU are given to its
 * partition in their order without waiting for each other's outcome, since the partition keeps that order; so a SKU that
 * everybody wants costs one flush for many of them.
 */
import { parseFulfillmentId } from '../../actors/order/order-id.js'

/** A command that waits for others, or has others wait for it. */
export class Step {
  readonly followers: Step[] = []
  /** Steps before it that have not ended. */
  waitsFor = 0
  constructor(readonly keys: StepKeys) {}
}

export interface StepKeys {
  /** It has these for itself. */
  readonly alone: readonly string[]
  /** It goes on beside others that share these. */
  readonly shared: readonly string[]
}

interface Tail {
  /** The last step that has the key for itself, where it has not ended. */
  alone: Step | undefined
  /** Steps behind it that share the key; made where there are any, since most keys are one step's own. */
  shared: Set<Step> | undefined
}

const NOBODY: never[] = []

export class KeyOrder<S extends Step> {
  private readonly tails = new Map<string, Tail>()

  /** Puts a step behind those that it has to wait for; whether it may begin at once. */
  enter(step: S): boolean {
    for (const key of step.keys.shared) {
      const tail = this.tail(key)
      if (tail.alone) follow(step, tail.alone)
      tail.shared ??= new Set()
      tail.shared.add(step)
    }
    for (const key of step.keys.alone) {
      const tail = this.tail(key)
      if (tail.shared && tail.shared.size > 0) for (const before of tail.shared) follow(step, before)
      else if (tail.alone) follow(step, tail.alone)
      tail.shared = undefined
      tail.alone = step
    }
    return step.waitsFor === 0
  }

  private tail(key: string): Tail {
    let tail = this.tails.get(key)
    if (!tail) {
      tail = { alone: undefined, shared: undefined }
      this.tails.set(key, tail)
    }
    return tail
  }

  /** Takes a step out that has ended; those that may begin now, in their order. */
  leave(step: S): S[] {
    for (const key of step.keys.shared) this.free(key, step)
    for (const key of step.keys.alone) this.free(key, step)
    // Only steps of this order follow one another, so its followers are of its kind.
    if (step.followers.length === 0) return NOBODY
    return (step.followers as S[]).filter((follower) => --follower.waitsFor === 0)
  }

  private free(key: string, step: S): void {
    const tail = this.tails.get(key)
    if (!tail) return
    if (tail.alone === step) tail.alone = undefined
    tail.shared?.delete(step)
    if (!tail.alone && !tail.shared?.size) this.tails.delete(key)
  }
}

function follow(step: Step, before: Step): void {
  if (before === step) return
  before.followers.push(step)
  step.waitsFor++
}

/** Families whose commands say something absolute of a SKU; what others do to it is a matter of more or less. */
const SKU_ALONE = new Set(['inventory', 'product', 'supply', 'pool', 'sale'])
const ADJUSTMENT = 'inventory.adjust'

/** Fields that name something, and what they name. */
const NAMING: Readonly<Record<string, string>> = {
  order: 'order',
  reservation: 'reservation',
  reservationId: 'reservation',
  supply: 'supply',
  transfer: 'transfer',
}
/** Fields that hold a list of things. */
const LISTS = ['lines', 'items', 'reservations', 'orders', 'commands', 'skus', 'products'] as const

const isText = (value: unknown): value is string => typeof value === 'string'

interface Found {
  readonly family: string
  readonly alone: Set<string>
  readonly skus: Set<string>
}

function collect(value: unknown, found: Found): void {
  if (typeof value !== 'object' || value === null) return
  // Any object may be read by the names of its fields.
  const fields = value as Record<string, unknown>
  if (isText(fields.sku)) found.skus.add(`sku/${fields.sku}`)
  for (const field in NAMING) if (isText(fields[field])) found.alone.add(`${NAMING[field]}/${fields[field]}`)
  if (isText(fields.fulfillment)) {
    found.alone.add(`order/${parseFulfillmentId(fields.fulfillment)?.order ?? fields.fulfillment}`)
  }
  // An adjustment's id is its own and no other command's, and a fulfillment step's too.
  if (isText(fields.id) && found.family !== 'inventory' && found.family !== 'fulfillment') {
    found.alone.add(`${found.family}/${fields.id}`)
  }
  if (isText(fields.externalId)) found.alone.add(`external/${String(fields.channel)}/${fields.externalId}`)
  for (const list of LISTS) {
    const items = fields[list]
    if (!Array.isArray(items)) continue
    for (const item of items) {
      if (!isText(item)) collect(item, found)
      else if (list === 'skus') found.skus.add(`sku/${item}`)
      else found.alone.add(`${found.family}/${item}`)
    }
  }
}

/** What a command concerns. One that names nothing stands behind all of its family that name nothing either. */
export function keysOf(name: string, body: unknown): StepKeys {
  const family = name.slice(0, Math.max(0, name.indexOf('.'))) || name
  const found: Found = { family, alone: new Set(), skus: new Set() }
  collect(body, found)
  const isAlone = SKU_ALONE.has(family) && name !== ADJUSTMENT
  if (isAlone) for (const sku of found.skus) found.alone.add(sku)
  const shared = isAlone ? [] : [...found.skus]
  const alone = [...found.alone]
  return alone.length === 0 && shared.length === 0 ? { alone: [`all/${family}`], shared } : { alone, shared }
}
