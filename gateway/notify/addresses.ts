/** Mail addresses and phone numbers as providers take them, out of what customers have typed. */
import { domainToASCII } from 'node:url'
import type { CountryCode } from 'libphonenumber-js/max'
import { z } from 'zod'
import { phoneNumbers } from '../lazy-libraries.js'

/** RFC 5321, 4.5.3.1. */
const LOCAL_PART_MAX = 64
const ADDRESS_MAX = 254

const ascii = z.email({ pattern: z.regexes.html5Email })

/**
 * The address with its domain in lower case and ASCII (IDNA), so that two ways of writing it are one; undefined where it is
 * none. The part before the @ keeps its case, and is ASCII: few servers take more (RFC 6531).
 */
export function emailAddress(text: string): string | undefined {
  if (text.length > ADDRESS_MAX * 2) return undefined
  const trimmed = text.trim()
  const at = trimmed.lastIndexOf('@')
  const local = trimmed.slice(0, Math.max(0, at))
  const domain = domainToASCII(trimmed.slice(at + 1))
  const address = `${local}@${domain}`
  const fits = local.length <= LOCAL_PART_MAX && address.length <= ADDRESS_MAX && domain.includes('.')
  return fits && !/^\.|\.\.|\.$/.test(local) && ascii.safeParse(address).success ? address : undefined
}

/** A number with more digits of punctuation than this was not typed by a person. */
const NUMBER_CHARACTERS_MAX = 50

/** E.164 (`+4930123456`) of a number as it was typed, national ones read as of `country` (ISO 3166-1); undefined where it is none. */
export function phoneNumber(text: string, country: string): string | undefined {
  if (text.length > NUMBER_CHARACTERS_MAX) return undefined
  const { isSupportedCountry, parsePhoneNumberFromString } = phoneNumbers()
  const upper = country.toUpperCase()
  const defaults: { defaultCountry?: CountryCode } = isSupportedCountry(upper) ? { defaultCountry: upper } : {}
  const number = parsePhoneNumberFromString(text, { ...defaults, extract: false })
  return number?.isValid() && number.ext === undefined ? number.number : undefined
}

/** Whether an SMS can reach it: not where the numbering plan says that it is a fixed line or a special number. */
export function takesSms(e164: string): boolean {
  const type = phoneNumbers().parsePhoneNumberFromString(e164)?.getType()
  return type === undefined || ['MOBILE', 'FIXED_LINE_OR_MOBILE', 'PERSONAL_NUMBER', 'VOIP', 'PAGER'].includes(type)
}

export const isE164 = (text: string): boolean => /^\+[1-9]\d{6,14}$/.test(text)
