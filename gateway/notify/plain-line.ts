/**
 * One line of text out of whatever came: a subject, a name, a reason. A line break in a header would begin another header,
 * and a mark of direction lets a text pass for another; neither is left.
 */

/** Controls, half surrogate pairs, line and paragraph separators, and the marks that turn the direction of text (UAX #9). */
const UNSAFE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/gu

/** Runs of white space as one blank, cut to `max` characters (never within one). */
export function plainLine(text: string, max: number): string {
  // Cut before the rest looks at it, so that a huge text costs no more than a long one.
  const line = text
    .slice(0, max * 4)
    .replace(UNSAFE, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const characters = Array.from(line)
  return characters.length > max ? `${characters.slice(0, max - 1).join('')}…` : line
}
