/** The templates that are there before anybody has put one: each kind in English, German and French. */
import { MESSAGE_KINDS, type MessageKind } from '../../message-kinds.js'
import type { Template } from '../template-parts.js'
import { english } from './english.js'
import { french } from './french.js'
import { german } from './german.js'
import { templateOf } from './layout.js'

export const BUILT_IN_LOCALES = ['en', 'de', 'fr'] as const

const templates = new Map(
  [english, german, french].flatMap((language) =>
    MESSAGE_KINDS.map((kind): [string, Template] => [`${language.locale}/${kind}`, templateOf(kind, language)]),
  ),
)

/** Undefined where the locale is not exactly one of the three. */
export const builtInTemplate = (kind: MessageKind, locale: string): Template | undefined =>
  templates.get(`${locale}/${kind}`)
