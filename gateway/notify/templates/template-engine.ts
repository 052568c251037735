/**
 * Liquid as templates of messages may use it: no files, no other templates, only tags and filters that compute, with limits
 * on steps and memory. Two engines: what goes into HTML is escaped there whatever the author wrote, plain text is not.
 */
import { Context, type FilterImplOptions, Liquid, LiquidError, type Template as ParsedTemplate } from 'liquidjs'
import { DateTime, type DateTimeFormatOptions } from 'luxon'
import { BoundedCache } from '../../bounded-cache.js'
import { escapeHtml } from '../escape-html.js'

/** Characters of one part of a template: a mail's HTML with its styles stays far below (mail programs cut at 102 KB). */
export const SOURCE_CHARACTERS_MAX = 65_536
/** Characters of one rendered part. */
export const OUTPUT_CHARACTERS_MAX = 524_288
/**
 * Parts that one rendering goes through: 500 lines of an order with 20 parts each are 10,000. Not a time, since on a busy
 * machine a good template would sometimes be refused.
 */
const STEPS_MAX = 100_000
/** Liquid's own count: characters and items that filters make. */
const MEMORY_UNITS_MAX = 1_000_000
/** Of parsed parts that are remembered: 12 kinds in 4 parts and some languages are 0.5 million for a brand. */
const PARSED_CHARACTERS_MAX = 4_000_000

const TAGS = new Set('assign break capture case comment continue echo for if liquid raw unless #'.split(' '))

/** Those that compute. `raw` would let text through unescaped; `where_exp` and its like read templates out of text. */
const FILTERS = new Set(
  `abs append at_least at_most capitalize ceil compact concat default divided_by downcase first floor join last lstrip
  map minus modulo plus prepend remove remove_first replace replace_first reverse round rstrip size slice sort split
  squish strip sum times truncate truncatewords uniq upcase url_encode where`.split(/\s+/),
)

type FilterHandler = Extract<FilterImplOptions, (...args: never[]) => unknown>

export type TemplateMedium = 'html' | 'plain'

/** Something is wrong with a template, or with what it makes of the data. Lines and columns count from 1. */
export class TemplateError extends Error {
  constructor(
    message: string,
    readonly line?: number,
    readonly column?: number,
  ) {
    super(message)
  }
}

function engine(medium: TemplateMedium): Liquid {
  const liquid = new Liquid({
    // Instead of a file system: lookups find nothing.
    templates: {},
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    parseLimit: SOURCE_CHARACTERS_MAX,
    memoryLimit: MEMORY_UNITS_MAX,
    ...(medium === 'html' ? { outputEscape: (value: unknown) => escapeHtml(shown(value)) } : {}),
  })
  for (const name of Object.keys(liquid.tags)) if (!TAGS.has(name)) delete liquid.tags[name]
  for (const name of Object.keys(liquid.filters)) if (!FILTERS.has(name)) liquid.unregisterFilter(name)
  liquid.registerFilter('money', moneyFilter)
  liquid.registerFilter('date', timeFilter(DATE_STYLES))
  liquid.registerFilter('time', timeFilter(TIME_STYLES))
  return liquid
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return ''
  return Array.isArray(value) ? value.map(shown).join('') : String(value)
}

/** Making a format takes far longer than using it. */
const moneyFormats = new BoundedCache<Intl.NumberFormat>(500)

const moneyFormat = (locale: string, currency: string): Intl.NumberFormat =>
  moneyFormats.get(`${locale}/${currency}`, () => new Intl.NumberFormat(locale, { style: 'currency', currency }))

/** `{{ order.total | money }}`: in the customer's way of writing it. */
const moneyFilter: FilterHandler = function (value: unknown) {
  if (value === null) return ''
  if (typeof value !== 'object' || value === undefined || !('amount' in value && 'currency' in value)) {
    throw new TypeError('money takes an amount with its currency, such as order.total')
  }
  const { locale } = settings(this.context.globals)
  // The schema has checked that the amount is a decimal number; as text it keeps all its digits.
  const amount = String(value.amount) as `${number}`
  return moneyFormat(locale, String(value.currency)).format(amount)
}

const DATE_STYLES: Readonly<Record<string, DateTimeFormatOptions>> = {
  long: DateTime.DATE_FULL,
  medium: DateTime.DATE_MED,
  short: DateTime.DATE_SHORT,
  weekday: DateTime.DATE_HUGE,
}
const TIME_STYLES: Readonly<Record<string, DateTimeFormatOptions>> = {
  short: DateTime.TIME_SIMPLE,
  zone: DateTime.TIME_WITH_SHORT_OFFSET,
}

/** `{{ promise.deliverBy | date: "weekday" }}`, `{{ … | time }}`: in the customer's zone. Without a style, the first. */
function timeFilter(styles: Readonly<Record<string, DateTimeFormatOptions>>): FilterHandler {
  const names = Object.keys(styles)
  return function (value: unknown, style: unknown = names[0]) {
    if (value === null) return ''
    const format = typeof style === 'string' && Object.hasOwn(styles, style) ? styles[style] : undefined
    if (!format) throw new TypeError(`there is no style ${shown(style)}; there are ${names.join(', ')}`)
    const { locale, timeZone } = settings(this.context.globals)
    const time = DateTime.fromISO(shown(value), { zone: timeZone })
    if (!time.isValid) throw new TypeError('date and time take a time, such as order.placedAt')
    return time.setLocale(locale).toLocaleString(format)
  }
}

interface RenderSettings {
  locale: string
  timeZone: string
}

// The globals are given in `renderPart` and nowhere else; Liquid hands them on as a plain object.
const settings = (globals: object): RenderSettings => globals as RenderSettings

const engines: Record<TemplateMedium, Liquid> = { html: engine('html'), plain: engine('plain') }
const parsed = new Map<string, ParsedTemplate[]>()
let parsedCharacters = 0

/** Throws TemplateError. */
export function parsePart(source: string, medium: TemplateMedium): ParsedTemplate[] {
  if (source.length > SOURCE_CHARACTERS_MAX) {
    throw new TemplateError(`has ${source.length} characters; at most ${SOURCE_CHARACTERS_MAX} are allowed`)
  }
  const key = `${medium}:${source}`
  const known = parsed.get(key)
  if (known) return known
  const made = located(() => engines[medium].parse(source))
  parsedCharacters += key.length
  if (parsedCharacters > PARSED_CHARACTERS_MAX) {
    parsed.clear()
    parsedCharacters = key.length
  }
  parsed.set(key, made)
  return made
}

/** Throws TemplateError; `data` must have every variable that may be named, null where it is absent. */
export function renderPart(
  source: string,
  medium: TemplateMedium,
  data: Readonly<Record<string, unknown>>,
  { locale, timeZone }: RenderSettings,
): string {
  const part = parsePart(source, medium)
  const liquid = engines[medium]
  const context = new Context(data, liquid.options, { sync: true, globals: { locale, timeZone } }, { liquid })
  let steps = 0
  // Liquid asks this before each part and each turn of a loop.
  context.renderLimit.check = () => {
    steps += 1
    if (steps > STEPS_MAX) throw new RangeError(`takes more than ${STEPS_MAX} steps`)
  }
  const output: unknown = located(() => liquid.renderSync(part, context))
  const text = shown(output)
  if (text.length > OUTPUT_CHARACTERS_MAX) {
    throw new TemplateError(`makes ${text.length} characters; at most ${OUTPUT_CHARACTERS_MAX} are allowed`)
  }
  return text
}

function located<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!LiquidError.is(error)) throw new TemplateError(error instanceof Error ? error.message : String(error))
    const [line, column] = error.token.getPosition()
    const reason = error.originalError?.message ?? error.message
    throw new TemplateError(reason.replace(/, line:\d+, col:\d+$/, ''), line, column)
  }
}
