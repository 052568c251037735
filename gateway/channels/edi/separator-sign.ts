/** Whether a character can separate: ASCII punctuation, or one of the four that ASCII itself has for it (FS, GS, RS, US). */
export function isSeparatorSign(sign: string): boolean {
  const code = sign.charCodeAt(0)
  return sign.length === 1 && ((code >= 0x1c && code <= 0x1f) || /^[!-/:-@[-`{-~]$/.test(sign))
}
