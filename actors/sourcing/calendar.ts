/**
 * When a location ships and when a carrier delivers what it shipped. Time zones and holidays come as data, so that a
 * replay gives the same instants whatever time zone database the machine has. Integer arithmetic throughout.
 */

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** 1970-01-01 was a Thursday. */
const WEEKDAY_OF_DAY_0 = 3

/** A location without a working day in a year and more has its calendar wrong: the search ends. */
const DAYS_SEARCHED_MAX = 400

export interface Calendar {
  /** From an instant on (UTC, ms), local time is UTC and so many minutes. Sorted; the first covers all before it too. */
  readonly offsets: readonly (readonly [fromMs: number, minutes: number])[]
  /** Minute of the local day until which an order leaves the same day. */
  readonly cutoffMinutes: number
  /** Bit 0 is Monday, bit 6 Sunday. */
  readonly workingDays: number
  /** Local days since 1970-01-01, sorted. */
  readonly holidays: readonly number[]
}

/** The day of an instant in local time, in days since 1970-01-01. */
export function localDay({ offsets }: Calendar, timeMs: number): number {
  let minutes = offsets[0]?.[1] ?? 0
  for (let i = offsets.length - 1; i > 0; i--) {
    const [fromMs, minutesFrom] = offsets[i]!
    if (fromMs > timeMs) continue
    minutes = minutesFrom
    break
  }
  return Math.floor((timeMs + minutes * MINUTE_MS) / DAY_MS)
}

/**
 * The next cut-off at or after an instant on a working day that is no holiday, UTC in ms. Where the clocks jump over the
 * cut-off it is the instant at which they jump, where they show it twice it is the first of the two. Without a working
 * day in DAYS_SEARCHED_MAX days it is that of the last of them.
 */
export function nextCutoff(calendar: Calendar, fromMs: number): number {
  const known = lastAnswers.get(calendar)
  if (known && fromMs >= known.askedMs && fromMs <= known.cutoffMs) return known.cutoffMs
  const cutoffMs = searchCutoff(calendar, fromMs)
  lastAnswers.set(calendar, { askedMs: fromMs, cutoffMs, day: localDay(calendar, cutoffMs), deliveries: new Map() })
  return cutoffMs
}

/** The local day on which what is ordered at an instant is shipped. */
export function shippingDay(calendar: Calendar, fromMs: number): number {
  nextCutoff(calendar, fromMs)
  return lastAnswers.get(calendar)!.day
}

/**
 * What was found last for a calendar. Thousands of orders in a row ask for the same cut-off and the same days after it;
 * the answers are those that a search would give.
 */
interface LastAnswer {
  askedMs: number
  cutoffMs: number
  /** The cut-off's local day. */
  day: number
  /** By the number of working days after the cut-off. */
  deliveries: Map<number, number>
}
const lastAnswers = new WeakMap<Calendar, LastAnswer>()

function searchCutoff(calendar: Calendar, fromMs: number): number {
  // From the day before on: a cut-off that the clocks jump over at midnight falls into the next day.
  const first = localDay(calendar, fromMs) - 1
  let cutoffMs = fromMs
  for (let day = first; day <= first + DAYS_SEARCHED_MAX; day++) {
    const isLast = day === first + DAYS_SEARCHED_MAX
    if (!isLast && !isWorkingDay(calendar, day)) continue
    cutoffMs = firstInstantAt(calendar, day * DAY_MS + calendar.cutoffMinutes * MINUTE_MS)
    if (cutoffMs >= fromMs) break
  }
  return cutoffMs
}

/**
 * The end of the n-th working day after the local day of an instant, UTC in ms: its last millisecond, for a date to
 * deliver by. With 0 days it is the end of the day itself.
 */
export function afterWorkingDays(calendar: Calendar, fromMs: number, days: number): number {
  const known = lastAnswers.get(calendar)
  if (known?.cutoffMs !== fromMs) return searchWorkingDays(calendar, fromMs, days)
  let delivery = known.deliveries.get(days)
  if (delivery === undefined) {
    delivery = searchWorkingDays(calendar, fromMs, days)
    known.deliveries.set(days, delivery)
  }
  return delivery
}

function searchWorkingDays(calendar: Calendar, fromMs: number, days: number): number {
  let day = localDay(calendar, fromMs)
  for (let left = Math.ceil(days), searched = 0; left > 0 && searched < DAYS_SEARCHED_MAX; searched++) {
    day++
    if (isWorkingDay(calendar, day)) left--
  }
  return firstInstantAt(calendar, (day + 1) * DAY_MS) - 1
}

function isWorkingDay({ workingDays, holidays }: Calendar, day: number): boolean {
  const weekday = (((day + WEEKDAY_OF_DAY_0) % 7) + 7) % 7
  if ((workingDays & (1 << weekday)) === 0) return false
  let low = 0
  let high = holidays.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holidays[middle]! < day) low = middle + 1
    else high = middle
  }
  return holidays[low] !== day
}

/** The first instant at which local clocks show a time or a later one: what both gaps and overlaps ask for. */
function firstInstantAt({ offsets }: Calendar, localMs: number): number {
  if (offsets.length === 0) return localMs
  // Offsets differ by at most a day and a bit, so nothing that ends two days before the local time can matter.
  let i = offsets.length - 1
  while (i > 0 && offsets[i]![0] > localMs - 2 * DAY_MS) i--
  for (; ; i++) {
    const [fromMs, minutes] = offsets[i]!
    const timeMs = localMs - minutes * MINUTE_MS
    if (i + 1 < offsets.length && timeMs >= offsets[i + 1]![0]) continue
    return i === 0 ? timeMs : Math.max(timeMs, fromMs)
  }
}
