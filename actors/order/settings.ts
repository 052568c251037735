/** What a retailer sets for all orders: one document, the same in every partition. */
import type { Store } from '../../engine/store.js'
import { readDocument, writeDocument } from '../documents.js'
import { DEFAULT_RETURN_POLICY, type ReturnPolicy } from '../return/return-policy.js'
import { DEFAULT_WEIGHTS, type ShippingService, type SourcingWeights } from '../sourcing/costs.js'

export interface Deadlines {
  /** Seconds that a location has to accept. */
  accept: number
  /** Seconds from then until it is picked, and from there until it is packed. */
  pick: number
  pack: number
  /** Seconds after the promised cut-off until it counts as late. */
  shipGrace: number
  /** Seconds after the promised delivery until the carrier counts as silent. */
  silent: number
  /** Seconds between two steps of an escalation. */
  escalate: number
}

/** Other deadlines for a location, for a service, or for a location's orders of one service. */
export interface DeadlineException {
  /** Location id. */
  location?: string
  service?: string
  deadlines: Partial<Deadlines>
}

export interface OrderSettings {
  /** Seconds in which a customer may change his mind before anything is released. */
  remorseSeconds: number
  /** A fraud score from which on an order is held for review. */
  fraudThreshold: number
  /** Days after delivery in which goods are taken back, and behind which an order is completed. */
  returnDays: number
  returns: ReturnPolicy
  services: ShippingService[]
  defaultService: string
  weights: SourcingWeights
  deadlines: Deadlines
  /** Later ones win. */
  deadlineExceptions: DeadlineException[]
  /** How often the same units may be lost and shipped again. */
  reshipmentsMax: number
}

const HOUR = 3_600

export const DEFAULT_SETTINGS: OrderSettings = {
  remorseSeconds: 0,
  fraudThreshold: 80,
  returnDays: 30,
  returns: DEFAULT_RETURN_POLICY,
  services: [
    { name: 'standard', transitDays: { domestic: 2, foreign: 5 }, costFactor: 1 },
    { name: 'express', transitDays: { domestic: 1, foreign: 2 }, costFactor: 2.5 },
    { name: 'pickup', transitDays: { domestic: 0, foreign: 0 }, costFactor: 0 },
  ],
  defaultService: 'standard',
  weights: DEFAULT_WEIGHTS,
  deadlines: {
    accept: 4 * HOUR,
    pick: 24 * HOUR,
    pack: 8 * HOUR,
    shipGrace: 2 * HOUR,
    silent: 48 * HOUR,
    escalate: 4 * HOUR,
  },
  deadlineExceptions: [],
  reshipmentsMax: 2,
}

const KEY = 'settings/orders'

export class Settings {
  private current: OrderSettings = DEFAULT_SETTINGS

  constructor(private readonly store: Store) {}

  get orders(): OrderSettings {
    return this.current
  }

  put(settings: OrderSettings): void {
    this.current = settings
    writeDocument(this.store, KEY, settings)
  }

  rebuild(): void {
    this.current = { ...DEFAULT_SETTINGS, ...readDocument<OrderSettings>(this.store, KEY) }
  }

  /** The deadlines of a location for a service. */
  deadlinesOf(location: string, service: string): Deadlines {
    const { deadlines, deadlineExceptions } = this.current
    if (deadlineExceptions.length === 0) return deadlines
    const own = deadlineExceptions.filter(
      (exception) =>
        (exception.location === undefined || exception.location === location) &&
        (exception.service === undefined || exception.service === service),
    )
    return Object.assign({}, deadlines, ...own.map((exception) => exception.deadlines))
  }

  service(name: string): ShippingService | undefined {
    return this.current.services.find((service) => service.name === name)
  }
}
