/**
 * From a template and an order's data to the words that are sent; and the look over a template before it is kept, so that
 * its author hears of a mistake and not the customer.
 */
import { IANAZone } from 'luxon'
import { BoundedCache } from '../../bounded-cache.js'
import { plainLine } from '../plain-line.js'
import { complete, type MessageData, messageData, unknownVariable } from './message-data.js'
import { leastSample, wholeSample } from './sample-data.js'
import { SMS_CHARACTERS_MAX, type SmsLength, smsLength } from './sms-length.js'
import { canonicalLocale } from './template.js'
import { parsePart, renderPart, TemplateError } from './template-engine.js'
import { TEMPLATE_PARTS, type TemplatePart, type TemplateParts } from './template-parts.js'
import { variablesOf } from './variables.js'

/** RFC 5322 asks for lines of at most 78 characters; mail programs show less. */
const SUBJECT_CHARACTERS_MAX = 200

export interface RenderSettings {
  /** Language tag (BCP 47), for the writing of money and dates. */
  locale: string
  /** IANA zone, such as Europe/Berlin. */
  timeZone: string
}

export interface RenderedMessage {
  /** One line. */
  subject: string
  text: string
  html: string
  /** Empty where the template has none. */
  sms: string
}

/** A fault of a template. Lines and columns count from 1 within the part. */
export interface TemplateFault {
  part: TemplatePart
  message: string
  line?: number
  column?: number
}

/** The data, or a template with these data, makes no message; sending it again would end the same. */
export class UnrenderableMessage extends Error {
  constructor(readonly errors: { path: string; message: string }[]) {
    super(`The message cannot be written: ${errors.map(({ path, message }) => `${path}: ${message}`).join('; ')}`)
  }
}

/** What is not among `wanted` is left empty. Throws UnrenderableMessage. */
export function renderMessage(
  template: TemplateParts,
  data: MessageData,
  settings: RenderSettings,
  wanted: readonly TemplatePart[] = TEMPLATE_PARTS,
): RenderedMessage {
  const checked = messageData.safeParse(data)
  if (!checked.success) {
    throw new UnrenderableMessage(checked.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })))
  }
  const values = complete(checked.data)
  const known = checkedSettings(settings)
  const faults: TemplateFault[] = []
  const parts = TEMPLATE_PARTS.map((part) => [
    part,
    wanted.includes(part) ? renderedPart(template, part, values, known, faults) : '',
  ])
  if (faults.length > 0) {
    throw new UnrenderableMessage(
      faults.map(({ part, line, message }) => ({ path: line === undefined ? part : `${part}, line ${line}`, message })),
    )
  }
  // Each part is there: the list of parts is the list of the fields.
  return Object.fromEntries(parts) as RenderedMessage
}

/** The message with sample data, and how many SMS it would be. Throws UnrenderableMessage. */
export function preview(template: TemplateParts, settings: RenderSettings): RenderedMessage & { smsLength: SmsLength } {
  const message = renderMessage(template, wholeSample, settings)
  return { ...message, smsLength: smsLength(message.sms) }
}

/**
 * What is wrong with a template that is to be kept; empty where nothing is. Its syntax and all variables of the data are
 * checked wherever they stand; names within a loop (`line.sku`) are checked by trying it with the samples, so one in a
 * branch that no sample enters is seen only by who reads it.
 */
export function checkTemplate(template: TemplateParts): TemplateFault[] {
  const faults: TemplateFault[] = []
  for (const part of TEMPLATE_PARTS) {
    const before = faults.length
    guarded(part, faults, () => {
      const medium = mediumOf(part)
      for (const { path, line, column } of variablesOf(parsePart(template[part], medium))) {
        const unknown = unknownVariable(path)
        if (unknown !== undefined) {
          faults.push({ part, message: `unknown variable: ${unknown}`, line, column })
        }
      }
    })
    if (faults.length > before) continue
    for (const sample of [wholeSample, leastSample]) {
      const values = complete(messageData.parse(sample))
      renderedPart(template, part, values, { locale: 'en', timeZone: 'UTC' }, faults)
      if (faults.length > before) break
    }
  }
  const isMail = template.text.trim() !== '' || template.html.trim() !== ''
  if (isMail && template.subject.trim() === '') faults.push({ part: 'subject', message: 'a mail needs a subject' })
  if (template.html.trim() !== '' && template.text.trim() === '') {
    faults.push({ part: 'text', message: 'a mail in HTML needs its text too, for who reads mail without HTML' })
  }
  if (!isMail && template.sms.trim() === '')
    faults.push({ part: 'text', message: 'there is neither a mail nor an SMS' })
  return faults
}

const mediumOf = (part: TemplatePart): 'html' | 'plain' => (part === 'html' ? 'html' : 'plain')

/** Those that were found right: to look them up takes as long as a part of a message. */
const knownSettings = new BoundedCache<RenderSettings>(1_000)

const checkedSettings = (given: RenderSettings): RenderSettings =>
  knownSettings.get(`${given.locale} ${given.timeZone}`, () => checkSettings(given))

function checkSettings({ locale, timeZone }: RenderSettings): RenderSettings {
  const known = canonicalLocale(locale)
  const errors = [
    ...(known === undefined ? [{ path: 'locale', message: `${locale} is no language tag such as de-AT` }] : []),
    ...(IANAZone.isValidZone(timeZone)
      ? []
      : [{ path: 'timeZone', message: `${timeZone} is no time zone such as Europe/Berlin` }]),
  ]
  if (known === undefined || errors.length > 0) throw new UnrenderableMessage(errors)
  return { locale: known, timeZone }
}

function renderedPart(
  template: TemplateParts,
  part: TemplatePart,
  values: Record<string, unknown>,
  settings: RenderSettings,
  faults: TemplateFault[],
): string {
  let text = ''
  guarded(part, faults, () => {
    text = renderPart(template[part], mediumOf(part), values, settings)
    if (part === 'subject') text = plainLine(text, SUBJECT_CHARACTERS_MAX)
    if (part === 'sms') text = oneSms(text)
  })
  return text
}

/** Throws TemplateError where it is more than can be sent as one SMS in parts. */
function oneSms(text: string): string {
  const trimmed = text.replace(/[^\P{Cc}\n]/gu, '').trim()
  if (trimmed.length > SMS_CHARACTERS_MAX) {
    throw new TemplateError(`makes ${trimmed.length} characters; an SMS has at most ${SMS_CHARACTERS_MAX}`)
  }
  return trimmed
}

function guarded(part: TemplatePart, faults: TemplateFault[], work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    const { message, line, column } = error
    faults.push({
      part,
      message,
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
    })
  }
}
