/**
 * Text as the standard fonts of PDF can show it. They hold the 217 characters of WinAnsi (Windows-1252) and no others; no
 * font file is shipped and none can be assumed on the host, so what lies outside is transliterated or becomes `?`.
 */

/** What WinAnsi has above Latin-1, and the letters and signs that Unicode does not decompose into something it has. */
const ABOVE_LATIN_1 = '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ'
const ALSO = new Map(
  "ŁL łl ĐD đd ĦH ħh ŦT ŧt ıi ĸk ŊN ŋn ẞSS μµ →-> ←<- ≤<= ≥>= \u2010- \u2011- \u2015— \u2212- \u2044/ \u02bc' \u2032' \u2033\""
    .split(' ')
    .map((pair) => [pair.charAt(0), pair.slice(1)]),
)

/** Runs of what WinAnsi lacks, in pieces: the segmenter's time grows out of proportion with long texts. */
const FOREIGN = new RegExp(`[^\\n\\x20-\\x7e\\xa0-\\xac\\xae-\\xff${ABOVE_LATIN_1}]{1,500}`, 'gu')

/** Marks whose letter is gone; joiners, direction marks, soft hyphens: they show nothing by themselves. */
const INVISIBLE = /[\p{M}\p{Cf}]/gu

/** No language stacks more than the 30 of Unicode's Stream-Safe Text (UAX #15); composing more takes quadratic time. */
const STACKED_MARKS = /(\p{M}{30})\p{M}+/gu

/** Graphemes, so that a flag or a family of emoji is one `?` and not seven. */
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

function plainest(grapheme: string): string {
  const letters = [...grapheme.normalize('NFKD').replace(INVISIBLE, '')]
  const latin = letters.map((letter) => ALSO.get(letter) ?? letter).join('')
  return latin.search(FOREIGN) === -1 ? latin : '?'
}

function plain(run: string): string {
  if (run.length === 1) return plainest(run)
  return Array.from(graphemes.segment(run), ({ segment }) => plainest(segment)).join('')
}

/** The text with only `\n` and characters that WinAnsi can show; never throws, whatever the text. */
export function printable(text: string): string {
  return text
    .replace(STACKED_MARKS, '$1')
    .normalize('NFC')
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replaceAll('\t', ' ')
    .replace(FOREIGN, plain)
}
