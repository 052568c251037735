/**
 * Which of the templates that a brand has put is taken for a message. What nobody has put is built in, so a message of
 * each kind can always be made.
 */
import type { MessageKind } from '../message-kinds.js'
import { builtInTemplate } from './built-in/built-in.js'
import type { Template } from './template-parts.js'

export interface TemplateChoice {
  kind: MessageKind
  brand: string
  channel: string
  /** The customer's; what is no language tag counts as `en`. */
  locale: string
}

const LAST_LOCALE = 'en'

/**
 * The language comes first, since a message of another brand's look is read and one in a foreign language is not. For
 * `de-AT`: first all of `de-AT`, then of `de`, then of `en`; within a language the template of this brand and channel, of
 * this brand, of this channel, of any, and last the built-in one. Of two that are alike the later one is taken.
 */
export function chooseTemplate(
  templates: readonly Template[],
  { kind, brand, channel, locale }: TemplateChoice,
): Template {
  const fitting = templates.filter(
    (template) =>
      template.kind === kind &&
      (template.brand === undefined || template.brand === brand) &&
      (template.channel === undefined || template.channel === channel),
  )
  const weight = (template: Template): number =>
    (template.brand === undefined ? 0 : 2) + (template.channel === undefined ? 0 : 1)
  for (const wanted of localesFor(locale)) {
    const own = fitting
      .filter((template) => canonicalLocale(template.locale) === wanted)
      .reduce<Template | undefined>((best, next) => (best && weight(best) > weight(next) ? best : next), undefined)
    const chosen = own ?? builtInTemplate(kind, wanted)
    if (chosen) return chosen
  }
  throw new Error(`there is no built-in template for ${kind} in ${LAST_LOCALE}`)
}

/** `de-AT` of `de_at`; undefined where it is no language tag. */
export function canonicalLocale(locale: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(locale.slice(0, 100).replaceAll('_', '-'))[0]
  } catch {
    return undefined
  }
}

/** The locale itself, then without its last part, and so on, then the last resort. */
function localesFor(locale: string): string[] {
  const locales: string[] = []
  const parts = (canonicalLocale(locale) ?? LAST_LOCALE).split('-')
  for (; parts.length > 0; parts.pop()) locales.push(parts.join('-'))
  return [...locales, LAST_LOCALE]
}
