/** Whether a brand's colour can be read, by the contrast of WCAG 2.2 (1.4.3: 4.5 to 1; relative luminance as defined there). */

/** Of `#rrggbb`: from 0, black, to 1, white. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** From 1 to 21. */
export function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

const CONTRAST_MIN = 4.5

/** The first of the colours that can be read on the background; the last where none can. */
export function readable(background: string, [first, ...others]: readonly [string, ...string[]]): string {
  const [next, ...rest] = others
  return next === undefined || contrast(background, first) >= CONTRAST_MIN
    ? first
    : readable(background, [next, ...rest])
}
