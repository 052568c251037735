/**
 * Which language and which time a customer most likely lives by, out of the country of the order's address: what is known
 * of almost everybody. Who says otherwise is asked first.
 */
import { canonicalLocale } from './templates/template.js'

/** Of countries with several zones the one most people live in; of the others the Unicode data (CLDR) know the only one. */
const MOST_LIVE_IN: Readonly<Record<string, string>> = {
  AR: 'America/Argentina/Buenos_Aires',
  AU: 'Australia/Sydney',
  BR: 'America/Sao_Paulo',
  CA: 'America/Toronto',
  CD: 'Africa/Kinshasa',
  CL: 'America/Santiago',
  CN: 'Asia/Shanghai',
  CY: 'Asia/Nicosia',
  DE: 'Europe/Berlin',
  EC: 'America/Guayaquil',
  ES: 'Europe/Madrid',
  ID: 'Asia/Jakarta',
  KZ: 'Asia/Almaty',
  MN: 'Asia/Ulaanbaatar',
  MX: 'America/Mexico_City',
  MY: 'Asia/Kuala_Lumpur',
  NZ: 'Pacific/Auckland',
  PT: 'Europe/Lisbon',
  RU: 'Europe/Moscow',
  UA: 'Europe/Kyiv',
  US: 'America/New_York',
  UZ: 'Asia/Tashkent',
}

const COUNTRIES_MAX = 676

/** Two letters: there are few, and asking for one takes long. */
function remembered(ask: (country: string) => string): (country: string) => string {
  const known = new Map<string, string>()
  return (country) => {
    let answer = known.get(country)
    if (answer === undefined) {
      answer = ask(country)
      if (known.size < COUNTRIES_MAX) known.set(country, answer)
    }
    return answer
  }
}

/** An IANA zone; UTC where the country is unknown. */
export const timeZoneOf = remembered(
  (country) => MOST_LIVE_IN[country] ?? localeOfRegion(country)?.timeZones?.[0] ?? 'UTC',
)

/** A language tag such as `de-AT`; `en` where the country is unknown. */
export const localeOf = remembered((country) => {
  const language = localeOfRegion(country)?.maximize().language
  return (language === undefined || language === 'und' ? undefined : canonicalLocale(`${language}-${country}`)) ?? 'en'
})

/** V8 has had this accessor before it became the method `getTimeZones`. */
type LocaleWithZones = Intl.Locale & { readonly timeZones?: string[] }

function localeOfRegion(country: string): LocaleWithZones | undefined {
  return /^[A-Z]{2}$/.test(country) ? new Intl.Locale(`und-${country}`) : undefined
}
