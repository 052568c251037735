/**
 * The facts a rule may ask about, and their form for CEL. This is the one place where numbers are converted: an int of
 * CEL is a bigint, a double a number. A fact reaches CEL as an instance of a class whose fields are declared, or, for
 * what users wrote, as a Map: neither shows a prototype to an expression.
 */
import { ATTRIBUTE_DEPTH_MAX } from './limits.js'

/** Money is in major units. A text that is unknown is empty. */
export interface RuleFacts {
  order: {
    id: string
    channel: string
    currency: string
    total: number
    itemCount: number
    lineCount: number
    shippingService: string
    allowSplit: boolean
    allowBackorder: boolean
    priority: number
    country: string
    postalCode: string
    region: string
    city: string
    paymentStatus: string
    tags: readonly string[]
    /** The fraud score. */
    score: number
  }
  /** Name, address and words of a customer are sealed: no rule sees them. */
  customer: { id: string; emailDomain: string }
  lines: readonly LineFacts[]
  stock: readonly StockFacts[]
  time: TimeFacts
}

export interface LineFacts {
  sku: string
  quantity: number
  unitPrice: number
  total: number
  weightGrams: number
  /** The product's, as its owner wrote them: JSON. A whole number is an int, any other a double. */
  attributes: Readonly<Record<string, unknown>>
  atp: number
}

export interface StockFacts {
  sku: string
  atp: number
}

export interface TimeFacts {
  ms: number
  /** 0 to 23, UTC. */
  hour: number
  /** 1 is Monday, 7 is Sunday, UTC. */
  weekday: number
  /** YYYY-MM-DD, UTC. */
  date: string
}

const MS_PER_HOUR = 3_600_000
const MS_PER_DAY = 86_400_000

/** The log's time in the calendar's words. For the years 0 to 9999. */
export function timeFacts(ms: number): TimeFacts {
  const days = Math.floor(ms / MS_PER_DAY)
  const hour = Math.floor((ms - days * MS_PER_DAY) / MS_PER_HOUR)
  // 1970-01-01 was a Thursday, the fourth day of its week.
  const weekday = ((((days + 3) % 7) + 7) % 7) + 1
  return { ms, hour, weekday, date: dateOfDay(days) }
}

/** Howard Hinnant's `civil_from_days`: years begin in March, so that the leap day is the last of its year. */
function dateOfDay(daysSince1970: number): string {
  const days = daysSince1970 + 719_468
  const era = Math.floor(days / 146_097)
  const dayOfEra = days - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

/** What is no whole number stays a number: CEL then says that the field has the wrong type, and only that rule fails. */
const int = (value: number): bigint | number => (Number.isSafeInteger(value) ? BigInt(value) : value)

export class CelOrder {
  readonly id: string
  readonly channel: string
  readonly currency: string
  readonly total: number
  readonly itemCount: bigint | number
  readonly lineCount: bigint | number
  readonly shippingService: string
  readonly allowSplit: boolean
  readonly allowBackorder: boolean
  readonly priority: bigint | number
  readonly country: string
  readonly postalCode: string
  readonly region: string
  readonly city: string
  readonly paymentStatus: string
  readonly tags: readonly string[]
  readonly score: bigint | number

  constructor(order: RuleFacts['order']) {
    this.id = order.id
    this.channel = order.channel
    this.currency = order.currency
    this.total = order.total
    this.itemCount = int(order.itemCount)
    this.lineCount = int(order.lineCount)
    this.shippingService = order.shippingService
    this.allowSplit = order.allowSplit
    this.allowBackorder = order.allowBackorder
    this.priority = int(order.priority)
    this.country = order.country
    this.postalCode = order.postalCode
    this.region = order.region
    this.city = order.city
    this.paymentStatus = order.paymentStatus
    this.tags = order.tags
    this.score = int(order.score)
  }
}

export class CelCustomer {
  readonly id: string
  readonly emailDomain: string

  constructor(customer: RuleFacts['customer']) {
    this.id = customer.id
    this.emailDomain = customer.emailDomain
  }
}

export class CelLine {
  readonly sku: string
  readonly quantity: bigint | number
  readonly unitPrice: number
  readonly total: number
  readonly weightGrams: bigint | number
  readonly atp: bigint | number
  readonly #written: Readonly<Record<string, unknown>>
  #attributes: Map<string, unknown> | undefined

  constructor(line: LineFacts) {
    this.sku = line.sku
    this.quantity = int(line.quantity)
    this.unitPrice = line.unitPrice
    this.total = line.total
    this.weightGrams = int(line.weightGrams)
    this.atp = int(line.atp)
    this.#written = line.attributes
  }

  get attributes(): Map<string, unknown> {
    this.#attributes ??= attributeMap(this.#written, 0)
    return this.#attributes
  }
}

export class CelStock {
  readonly sku: string
  readonly atp: bigint | number

  constructor(stock: StockFacts) {
    this.sku = stock.sku
    this.atp = int(stock.atp)
  }
}

export class CelTime {
  readonly ms: bigint | number
  readonly hour: bigint | number
  readonly weekday: bigint | number
  readonly date: string

  constructor(time: TimeFacts) {
    this.ms = int(time.ms)
    this.hour = int(time.hour)
    this.weekday = int(time.weekday)
    this.date = time.date
  }
}

/** Each of the facts is converted when the first rule asks for it: most rules never look at the lines. */
export class CelFacts {
  readonly #facts: RuleFacts
  #order: CelOrder | undefined
  #customer: CelCustomer | undefined
  #lines: CelLine[] | undefined
  #stock: CelStock[] | undefined
  #time: CelTime | undefined

  constructor(facts: RuleFacts) {
    this.#facts = facts
  }

  get order(): CelOrder {
    this.#order ??= new CelOrder(this.#facts.order)
    return this.#order
  }

  get customer(): CelCustomer {
    this.#customer ??= new CelCustomer(this.#facts.customer)
    return this.#customer
  }

  get lines(): CelLine[] {
    this.#lines ??= this.#facts.lines.map((line) => new CelLine(line))
    return this.#lines
  }

  get stock(): CelStock[] {
    this.#stock ??= this.#facts.stock.map((stock) => new CelStock(stock))
    return this.#stock
  }

  get time(): CelTime {
    this.#time ??= new CelTime(this.#facts.time)
    return this.#time
  }
}

function attributeMap(written: object, depth: number): Map<string, unknown> {
  const map = new Map<string, unknown>()
  for (const [name, value] of Object.entries(written)) map.set(name, attributeValue(value, depth + 1))
  return map
}

function attributeValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return int(value)
    case 'object':
      if (value === null || depth > ATTRIBUTE_DEPTH_MAX) return null
      if (Array.isArray(value)) return value.map((element) => attributeValue(element, depth + 1))
      return attributeMap(value, depth)
    default:
      return null
  }
}
