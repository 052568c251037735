/** Where an order goes: the address that it gives, or that of a place which it names by the partner's number alone. */
import { withoutUndefined } from '../../without-undefined.js'
import type { ChannelOrder } from '../channel.js'
import type { Findings } from './faults.js'
import type { OrderDraft } from './order-draft.js'
import type { EdiSettings } from './settings.js'

/** Street and town as sent, or those of the place that the order names by its number alone. */
export function address(draft: OrderDraft, settings: EdiSettings): ChannelOrder['shipTo'] {
  const party = draft.shipTo ?? draft.buyer
  const known = party && Object.hasOwn(settings.places, party.code) ? settings.places[party.code] : undefined
  if (known && (party?.street.length ?? 0) === 0) {
    const name = party?.name || known.name
    return withoutUndefined({ ...known, name: name || undefined })
  }
  const [line1 = '', ...more] = party?.street ?? []
  return withoutUndefined({
    name: party?.name || undefined,
    line1,
    line2: more.join(', ') || undefined,
    city: party?.city ?? '',
    region: party?.region || undefined,
    postalCode: party?.postalCode ?? '',
    country: alpha2(party?.country ?? '') || settings.country,
  })
}

/** Tells of an order that names no place, or one whose address nobody knows. */
export function tellAddress(draft: OrderDraft, settings: EdiSettings, findings: Findings): void {
  const party = draft.shipTo ?? draft.buyer
  if (!party) {
    findings.add('missingSegment', draft.place, 'the order names no party that it goes to')
  } else if (party.street.length === 0 && !Object.hasOwn(settings.places, party.code)) {
    const place =
      party.code === '' ? '' : `; put the address of place ${party.code.slice(0, 80)} into the settings’ places`
    findings.add('missing', party.place, `no street to ship to${place}`)
  }
}

const ALSO_COUNTRIES = new Map([
  ['USA', 'US'],
  ['CAN', 'CA'],
  ['MEX', 'MX'],
  ['GBR', 'GB'],
  ['UK', 'GB'],
  ['DEU', 'DE'],
  ['FRA', 'FR'],
])
const alpha2 = (country: string): string => ALSO_COUNTRIES.get(country) ?? country
