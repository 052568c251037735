/**
 * A carrier that lives in this process, so that the whole life of a parcel runs on one machine. It keeps no state: a label
 * follows from the request and its key, and tracking from the label. What it can't know it takes from the label it is shown.
 */
import assert from 'node:assert'
import {
  type Carrier,
  CarrierRefusal,
  type Label,
  type PurchaseRequest,
  type Rate,
  type RateRequest,
} from '../carrier.js'
import { checkOwn, manifestOf } from '../manifests.js'
import { checkPurchase, checkRateRequest, checkTime } from '../request-check.js'
import { numberedS10, S10_CAPACITY } from '../s10.js'
import { serialOf } from '../serial.js'
import { numberedSscc, ssccCapacity } from '../sscc.js'
import { collectionMs, handOverMs } from './days.js'
import { feedOf } from './feed.js'
import { costOf, type Service, SIMULATED, type SimulatedSettings, type Zone, zoneOf } from './tariff.js'

function rateOf(request: RateRequest, service: Service, zone: Zone, settings: SimulatedSettings): Rate | undefined {
  const cost = costOf(service, zone, request)
  if (cost === undefined) return undefined
  const shipByMs = collectionMs(request.readyMs, settings)
  return {
    carrier: settings.id,
    service: service.code,
    serviceName: service.name,
    cost,
    currency: settings.currency,
    shipByMs,
    deliverByMs: handOverMs(shipByMs, service, service.transitDays[zone], settings),
  }
}

/** The postal operator that issues an S10 is that of the country which the parcel leaves. */
function trackingNumberOf(
  { from, serial }: PurchaseRequest,
  key: string,
  { identifier, s10Kind }: Service,
  { gs1CompanyPrefix }: SimulatedSettings,
): string {
  if (identifier === 's10') return numberedS10(s10Kind, serial ?? serialOf(key, S10_CAPACITY), from.country)
  return numberedSscc(gs1CompanyPrefix, serial ?? serialOf(key, ssccCapacity(gs1CompanyPrefix)))
}

/** The feed's order of events rests on these hours; days are checked where they are looked for. */
function assertHours({ collectionHour, services }: SimulatedSettings): void {
  assert(collectionHour >= 0 && collectionHour <= 17, 'The simulated carrier collects at an hour from 0 to 17.')
  for (const { code, deliveryHour, transitDays } of services) {
    assert(deliveryHour >= 10 && deliveryHour <= 23, `The service ${code} hands over by an hour from 10 to 23.`)
    assert(Math.min(...Object.values(transitDays)) >= 1, `The service ${code} is at least a day on its way.`)
  }
}

export function simulatedCarrier(settings: SimulatedSettings = SIMULATED): Carrier {
  assertHours(settings)
  const { id, name, services } = settings
  return {
    id,
    name,

    async rates(request) {
      checkRateRequest(request)
      const zone = zoneOf(request.from, request.to)
      return services.flatMap((service) => rateOf(request, service, zone, settings) ?? [])
    },

    async buy(request, key) {
      checkPurchase(request, key)
      const { from, to, weightGrams, reference } = request
      const zone = zoneOf(from, to)
      const service = services.find(({ code }) => code === request.service)
      const rate = service && rateOf(request, service, zone, settings)
      if (!service || !rate) {
        const message = `${name} does not take this parcel as ${JSON.stringify(request.service)}: ask for rates again`
        throw new CarrierRefusal('service_unavailable', message)
      }
      return {
        ...rate,
        carrierName: name,
        trackingNumber: trackingNumberOf(request, key, service, settings),
        identifier: service.identifier,
        from,
        to,
        weightGrams,
        reference,
        ...(request.return ? { return: true } : {}),
        routing: zone.toUpperCase(),
        boughtMs: request.readyMs,
      }
    },

    async void(label, nowMs) {
      checkOwn(id, label)
      checkTime('when a label is voided', nowMs)
      if (label.voidedMs !== undefined) return label
      const [accepted] = feedOf(label, settings)
      if (accepted && accepted.atMs <= nowMs) {
        const message = `${label.trackingNumber} is on its way and can't be voided: have it sent back instead`
        throw new CarrierRefusal('label_in_use', message)
      }
      return { ...label, voidedMs: nowMs }
    },

    async track(label: Label, nowMs) {
      checkOwn(id, label)
      return feedOf(label, settings).filter(({ atMs }) => atMs <= nowMs)
    },

    async nextLookMs(label, nowMs) {
      checkOwn(id, label)
      return feedOf(label, settings).find(({ atMs }) => atMs > nowMs)?.atMs
    },

    async manifest(labels, closedMs) {
      return manifestOf(id, labels, closedMs)
    },
  }
}
