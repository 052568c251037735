/** HTML that is written out in the source, in which everything that is put in is escaped unless it is such HTML itself. */
import { escapeHtml } from '../escape-html.js'

/** Made by `html` alone, so that text cannot pass for it. */
export class Markup {
  readonly #text: string
  private constructor(text: string) {
    this.#text = text
  }
  static of(literals: readonly string[], values: readonly Insertion[]): Markup {
    return new Markup(literals.map((literal, at) => literal + shown(values[at])).join(''))
  }
  toString(): string {
    return this.#text
  }
}

/** `false` and undefined show nothing, for parts that are not always there. */
type Insertion = string | number | Markup | false | undefined | readonly Insertion[]

/** Attributes must stand in double quotes. */
export const html = (literals: TemplateStringsArray, ...values: Insertion[]): Markup => Markup.of(literals, values)

function shown(value: Insertion): string {
  if (value === undefined || value === false) return ''
  if (value instanceof Markup) return value.toString()
  return typeof value === 'object' ? value.map(shown).join('') : escapeHtml(String(value))
}
