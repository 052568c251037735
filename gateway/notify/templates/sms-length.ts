/**
 * How many SMS a text is, which is what it costs. A text within the GSM alphabet (3GPP TS 23.038, 6.2.1) has 160 characters,
 * or 153 in each of several; any other is sent as UTF-16 with 70 or 67 units.
 */
export interface SmsLength {
  alphabet: 'gsm7' | 'utf16'
  /** Septets or UTF-16 units. */
  units: number
  segments: number
}

/** Providers take so many and cut them into segments. */
export const SMS_CHARACTERS_MAX = 1_600

const GSM_BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
/** Two septets each, since an escape goes before them. */
const GSM_EXTENDED = '\f^{}\\[~]|€'

const septets = new Map<string, number>([
  ...[...GSM_BASIC].map((character): [string, number] => [character, 1]),
  ...[...GSM_EXTENDED].map((character): [string, number] => [character, 2]),
])

export function smsLength(text: string): SmsLength {
  let units = 0
  for (const character of text) {
    const cost = septets.get(character)
    if (cost === undefined) return { alphabet: 'utf16', units: text.length, segments: segments(text.length, 70, 67) }
    units += cost
  }
  return { alphabet: 'gsm7', units, segments: segments(units, 160, 153) }
}

function segments(units: number, alone: number, each: number): number {
  if (units === 0) return 0
  return units <= alone ? 1 : Math.ceil(units / each)
}
