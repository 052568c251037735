/**
 * Serial Shipping Container Codes of GS1 (General Specifications, AI 00): an extension digit, the company's prefix, its
 * serial reference, and a check digit, 18 digits in all. A prefix may have 4 to 12 digits; the reference takes what is left.
 */
import { IdentifierError, quoted, serialDigits } from './serial.js'

export interface Sscc {
  /** 0 to 9: free, makes ten times as many numbers. */
  extensionDigit: number
  /** 4 to 12 digits, given out by GS1. */
  companyPrefix: string
  /** Of 16 digits less the prefix's; not to be given again within a year. */
  serial: number
}

const REFERENCE_DIGITS = 16
const PREFIX = /^\d{4,12}$/

/**
 * The last digit of any GS1 key: from its right, digits count three times and once in turns, and the sum with the check
 * digit is a multiple of ten.
 */
export function gs1CheckDigit(digits: string): number {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    sum += Number(digits[digits.length - 1 - index]) * (index % 2 === 0 ? 3 : 1)
  }
  return (10 - (sum % 10)) % 10
}

function assertPrefix(companyPrefix: string): void {
  if (PREFIX.test(companyPrefix)) return
  throw new IdentifierError(`a GS1 company prefix has 4 to 12 digits, not ${quoted(companyPrefix)}`)
}

/** Numbers that one prefix has, all extension digits together. */
export function ssccCapacity(companyPrefix: string): number {
  assertPrefix(companyPrefix)
  return 10 ** (REFERENCE_DIGITS - companyPrefix.length + 1)
}

/** Throws IdentifierError where a part is out of range. */
export function makeSscc({ extensionDigit, companyPrefix, serial }: Sscc): string {
  assertPrefix(companyPrefix)
  const reference = serialDigits(serial, REFERENCE_DIGITS - companyPrefix.length)
  const digits = serialDigits(extensionDigit, 1) + companyPrefix + reference
  return digits + gs1CheckDigit(digits)
}

/** @param number 0 to below `ssccCapacity(companyPrefix)`, one for each parcel: its first digit is the extension digit */
export function numberedSscc(companyPrefix: string, number: number): string {
  const each = ssccCapacity(companyPrefix) / 10
  return makeSscc({ extensionDigit: Math.floor(number / each), companyPrefix, serial: number % each })
}

/** The 18 digits; takes spaces, and the identifier in front: (00) or 00. Throws IdentifierError that says what is wrong. */
export function normalSscc(text: string): string {
  const [, digits] = /^(?:\(00\)|00(?=\d{18}$))?(\d{18})$/.exec(text.slice(0, 100).replaceAll(' ', '')) ?? []
  if (digits === undefined) throw new IdentifierError(`${quoted(text)} is not an SSCC: it has 18 digits`)
  if (gs1CheckDigit(digits.slice(0, -1)) !== Number(digits.at(-1))) {
    throw new IdentifierError(`${quoted(text)} has a wrong check digit: look whether it was mistyped`)
  }
  return digits
}

/** How long the prefix is can't be seen from the number: the prefix that it should have is given. */
export function parseSscc(text: string, companyPrefix: string): Sscc {
  assertPrefix(companyPrefix)
  const digits = normalSscc(text)
  if (!digits.startsWith(companyPrefix, 1)) {
    throw new IdentifierError(`${quoted(text)} is not of the GS1 company prefix ${companyPrefix}`)
  }
  const serial = Number(digits.slice(1 + companyPrefix.length, -1))
  return { extensionDigit: Number(digits[0]), companyPrefix, serial }
}

export function isSscc(text: string): boolean {
  try {
    normalSscc(text)
    return true
  } catch {
    return false
  }
}
