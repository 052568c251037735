/**
 * Identifiers of postal items as in UPU standard S10: two letters of service, eight digits, a check digit, and the country
 * of the operator that issued it, such as RR473124829GB.
 *
 * The check digit (S10, "check-digit": weights modulo 11) does not tell all from each other: remainders of 0 and 6 both
 * give 5. Of all changes of one digit about one in fifty is therefore not noticed; that is the standard's own.
 */
import { IdentifierError, quoted, serialDigits } from './serial.js'

export interface S10 {
  /** Two letters: the first is the kind of service (R registered, L tracked, C parcel, E express), the second is free. */
  serviceIndicator: string
  /** 0 to 99,999,999; not to be given again within a year. */
  serial: number
  /** ISO 3166-1 alpha-2 */
  country: string
}

const WEIGHTS = [8, 6, 4, 2, 3, 5, 9, 7]
const SERIAL_DIGITS = 8
const FORMAT = /^([A-Z]{2})(\d{8})(\d)([A-Z]{2})$/
const LETTERS = 26
const LETTER_A = 65

/** Numbers for one kind of service in one country: the second letter counts along. */
export const S10_CAPACITY = LETTERS * 10 ** SERIAL_DIGITS

/** @param serial eight digits */
function checkDigit(serial: string): number {
  const sum = WEIGHTS.reduce((total, weight, index) => total + weight * Number(serial[index]), 0)
  const digit = 11 - (sum % 11)
  return digit === 10 ? 0 : digit === 11 ? 5 : digit
}

/** Throws IdentifierError where a part is out of range. */
export function makeS10({ serviceIndicator, serial, country }: S10): string {
  for (const [part, letters] of Object.entries({ 'service indicator': serviceIndicator, 'country code': country })) {
    if (!/^[A-Z]{2}$/.test(letters)) {
      throw new IdentifierError(`the ${part} must be two capital letters, not ${quoted(letters)}`)
    }
  }
  const digits = serialDigits(serial, SERIAL_DIGITS)
  return `${serviceIndicator}${digits}${checkDigit(digits)}${country}`
}

/** @param number 0 to below S10_CAPACITY, one for each item of this kind and country */
export function numberedS10(kind: string, number: number, country: string): string {
  if (!Number.isSafeInteger(number) || number < 0 || number >= S10_CAPACITY) {
    throw new IdentifierError(`the serial number must be a whole number below ${S10_CAPACITY}, not ${number}`)
  }
  const letter = String.fromCharCode(LETTER_A + Math.floor(number / 10 ** SERIAL_DIGITS))
  return makeS10({ serviceIndicator: kind + letter, serial: number % 10 ** SERIAL_DIGITS, country })
}

/** Takes the spaces that it is printed with, and small letters. Throws IdentifierError that says what is wrong. */
export function parseS10(text: string): S10 {
  const [, serviceIndicator, serial, digit, country] =
    FORMAT.exec(text.slice(0, 100).replaceAll(' ', '').toUpperCase()) ?? []
  if (serviceIndicator === undefined || serial === undefined || country === undefined) {
    throw new IdentifierError(`${quoted(text)} is not of the form RR473124829GB: two letters, nine digits, two letters`)
  }
  if (checkDigit(serial) !== Number(digit)) {
    throw new IdentifierError(`${quoted(text)} has a wrong check digit: look whether it was mistyped`)
  }
  return { serviceIndicator, serial: Number(serial), country }
}

export function isS10(text: string): boolean {
  try {
    parseS10(text)
    return true
  } catch {
    return false
  }
}

/** As it is printed for people: RR 473 124 829 GB. */
export const spacedS10 = (text: string): string => text.replace(/^(..)(...)(...)(...)(..)$/, '$1 $2 $3 $4 $5')
