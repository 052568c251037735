/** Money between the text that clients send and the whole ten-thousandths that orders are reckoned in. */

const DIGITS = 4
const UNIT = 10 ** DIGITS
/** Sums of as many lines as an order may have stay exact. */
export const AMOUNT_MAX = 1e11

export interface Money {
  amount: string
  currency: string
}

/** Ten-thousandths of a decimal text that the schema has checked; undefined where it is too large to be reckoned with. */
export function units(amount: string): number | undefined {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,4}))?$/.exec(amount) ?? []
  if (whole === undefined) return undefined
  const value = Number(whole) * UNIT + Number(fraction.padEnd(DIGITS, '0'))
  if (value > AMOUNT_MAX * UNIT) return undefined
  return sign === '-' ? -value : value
}

/** As text with at least two digits behind the point. */
export function money(value: number, currency: string): Money {
  const whole = Math.trunc(Math.abs(value) / UNIT)
  const fraction = String(Math.abs(value) % UNIT).padStart(DIGITS, '0')
  const shown = fraction.endsWith('00') ? fraction.slice(0, 2) : fraction.replace(/0$/, '')
  return { amount: `${value < 0 ? '-' : ''}${whole}.${shown}`, currency }
}
