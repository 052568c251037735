/**
 * The order of commands that concern the same thing: a SKU, an order, a reservation. Each waits for those before it that
 * share a key with it; whatever shares none goes on beside it. Commands of one name that want units of one SKU are given to
 * its partition in their order without waiting for each other's outcome, since the partition keeps that order; so a SKU
 * that everybody wants costs one flush for many of them.
 */
import { parseFulfillmentId } from '../../actors/order/order-id.js'

/** A command that waits for others, or has others wait for it. */
export class Step {
  followers: Step[] = NONE
  /** Those that share its keys, by the places of the keys. */
  groups: Group[] = NONE
  /** Where it stands, by the places of its keys, the shared ones first. */
  tails: Tail[] = NONE
  /** Steps and groups before it that have not ended. */
  waitsFor = 0
  constructor(readonly keys: StepKeys) {}
}

export interface StepKeys {
  /** It has these for itself. */
  readonly alone: readonly string[]
  /** It goes on beside others of its kind that share these. */
  readonly shared: readonly string[]
  readonly kind: string
}

/** Steps of one kind that share a key, with no other between them. */
interface Group {
  readonly kind: string
  count: number
  /** The group of another kind that they wait for; none once they have ended, so that no chain grows. */
  before: Group | undefined
  /** Who waits until the last of them has ended. */
  followers: Step[]
}

interface Tail {
  readonly key: string
  /** The last step that has the key for itself, where it has not ended. */
  alone: Step | undefined
  /** Those behind it that share the key. */
  group: Group | undefined
}

const NONE: never[] = []

export class KeyOrder<S extends Step> {
  private readonly tails = new Map<string, Tail>()

  /** Puts a step behind those that it has to wait for; whether it may begin at once. */
  enter(step: S): boolean {
    const { alone, shared, kind } = step.keys
    // Of their length at once: an array that grows takes room for many.
    step.tails = new Array(shared.length + alone.length)
    if (shared.length > 0) step.groups = new Array(shared.length)
    for (let i = 0; i < shared.length; i++) {
      const tail = this.tail(shared[i]!)
      step.tails[i] = tail
      if (tail.alone) follow(step, tail.alone)
      if (tail.group?.kind !== kind) tail.group = { kind, count: 0, before: tail.group, followers: NONE }
      const { before } = tail.group
      if (before && before.count > 0) wait(step, before)
      tail.group.count++
      step.groups[i] = tail.group
    }
    for (let i = 0; i < alone.length; i++) {
      const tail = this.tail(alone[i]!)
      step.tails[shared.length + i] = tail
      if (tail.group) {
        wait(step, tail.group)
      } else if (tail.alone) follow(step, tail.alone)
      tail.group = undefined
      tail.alone = step
    }
    return step.waitsFor === 0
  }

  private tail(key: string): Tail {
    let tail = this.tails.get(key)
    if (!tail) {
      tail = { key, alone: undefined, group: undefined }
      this.tails.set(key, tail)
    }
    return tail
  }

  /** A step that has to be tried again: from here on those that share its keys wait for it too. */
  holdBack(step: S): void {
    const { groups, tails } = step
    for (let i = 0; i < groups.length; i++) tails[i]!.alone ??= step
  }

  /** Takes a step out that has ended; those that may begin now, in their order. */
  leave(step: S): S[] {
    const { groups, tails } = step
    let ready: Step[] = NONE
    const free = (follower: Step): void => {
      if (--follower.waitsFor > 0) return
      if (ready === NONE) ready = []
      ready.push(follower)
    }
    for (let i = 0; i < tails.length; i++) {
      const tail = tails[i]!
      const group = groups[i]
      if (tail.alone === step) tail.alone = undefined
      if (group && --group.count === 0) {
        group.before = undefined
        for (const follower of group.followers) free(follower)
        if (tail.group === group) tail.group = undefined
      }
      if (!tail.alone && !tail.group) this.tails.delete(tail.key)
    }
    for (const follower of step.followers) free(follower)
    // Only steps of this order follow one another, so its followers are of its kind.
    return ready as S[]
  }
}

function wait(step: Step, before: Group): void {
  if (before.followers === NONE) before.followers = []
  before.followers.push(step)
  step.waitsFor++
}

function follow(step: Step, before: Step): void {
  if (before === step) return
  if (before.followers === NONE) before.followers = []
  before.followers.push(step)
  step.waitsFor++
}

/** Families whose commands say what is there of a SKU; others want some of it. */
const SKU_ALONE = new Set(['inventory', 'product', 'supply', 'pool', 'sale'])

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

/** A reservation is known by its id alone, which no other key looks like: there are many, and a key to make costs time. */
const keyOf = (family: string, id: string): string => (family === 'reservation' ? id : `${family}/${id}`)

function collect(value: unknown, found: Found): void {
  if (typeof value !== 'object' || value === null) return
  // Any object may be read by the names of its fields.
  const fields = value as Record<string, unknown>
  if (isText(fields.sku)) found.skus.add(`sku/${fields.sku}`)
  for (const field in NAMING) if (isText(fields[field])) found.alone.add(keyOf(NAMING[field]!, fields[field]))
  if (isText(fields.fulfillment)) {
    found.alone.add(`order/${parseFulfillmentId(fields.fulfillment)?.order ?? fields.fulfillment}`)
  }
  // An adjustment's id is its own and no other command's, and a fulfillment step's too.
  if (isText(fields.id) && found.family !== 'inventory' && found.family !== 'fulfillment') {
    found.alone.add(keyOf(found.family, fields.id))
  }
  if (isText(fields.externalId)) found.alone.add(`external/${String(fields.channel)}/${fields.externalId}`)
  for (const list of LISTS) {
    const items = fields[list]
    if (!Array.isArray(items)) continue
    for (const item of items) {
      if (!isText(item)) collect(item, found)
      else if (list === 'skus') found.skus.add(`sku/${item}`)
      else found.alone.add(keyOf(found.family, item))
    }
  }
}

/** What a command concerns. One that names nothing stands behind all of its family that name nothing either. */
export function keysOf(name: string, body: unknown): StepKeys {
  const family = name.slice(0, Math.max(0, name.indexOf('.'))) || name
  const found: Found = { family, alone: new Set(), skus: new Set() }
  collect(body, found)
  const isAlone = SKU_ALONE.has(family)
  if (isAlone) for (const sku of found.skus) found.alone.add(sku)
  const shared = isAlone ? [] : [...found.skus]
  const alone = [...found.alone]
  return alone.length === 0 && shared.length === 0
    ? { alone: [`all/${family}`], shared, kind: name }
    : { alone, shared, kind: name }
}
