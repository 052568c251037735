/**
 * The durable side of carriers: labels are bought once for each parcel whatever crashes, kept, found again and voided. All
 * of it goes by records, so nothing is lost that a carrier was paid for.
 */
import PQueue from 'p-queue'
import { DoorbusterError } from '../../engine/errors.js'
import type { People } from '../personal-data/people.js'
import { isChangedMeanwhile, type RecordStore } from '../records.js'
import { type Carrier, CarrierRefusal, type Label, type Rate, type RateRequest } from './carrier.js'
import { LABEL, type LabelRecord, labelPut, type ParcelPurpose, sealedLabel, trackableLabel } from './label-record.js'
import { type KnownPurchase, knownPurchase, openedRequest, purchaseKey, putPurchase } from './purchase.js'
import { chooseRate, type RateChoice, type ShoppedRates, shopRates } from './rate-shopping.js'
import { SerialNumbers } from './serial-numbers.js'

/** One parcel and whose it is. */
export interface Parcel {
  purpose: ParcelPurpose
  order: string
  person: string
  /** Index of the location that it leaves, or comes back to. */
  location: number
  request: RateRequest
}

export interface ServiceChoice extends RateChoice {
  carrier?: string
  service?: string
}

/** Somebody else bought for the same parcel at the same time: then it is read again. */
const TRIES = 8
/** Whether the parcel is still to be sent is looked at before the carrier has anything to tell. */
const FIRST_LOOK_MS = 4 * 3_600_000

/** No answer from a carrier: it may be asked again. */
class CarrierAway extends DoorbusterError {
  constructor(carrier: string) {
    super('carrier_unavailable', `the carrier ${carrier} does not answer: try again shortly`)
  }
}

const erased = (): CarrierRefusal =>
  new CarrierRefusal('bad_parcel', 'whose parcel it is has been erased: there is no address for a label')

export class Shipping {
  private readonly serials: Map<string, SerialNumbers>
  /** Manifests are made and labels given back one after the other: what is on a manifest is not given back meanwhile. */
  readonly books = new PQueue({ concurrency: 1 })
  /** Told of each label that is to be followed. */
  onBought: () => void = () => {}

  constructor(
    readonly carriers: readonly Carrier[],
    private readonly records: RecordStore,
    private readonly people: People,
    private readonly now: () => number,
  ) {
    this.serials = new Map(carriers.map(({ id }) => [id, new SerialNumbers(records, id)]))
  }

  carrier(id: string): Carrier {
    const carrier = this.carriers.find((one) => one.id === id)
    if (carrier) return carrier
    const known = this.carriers.map((one) => one.id).join(', ')
    throw new CarrierRefusal('service_unavailable', `there is no carrier ${JSON.stringify(id)}: there are ${known}`)
  }

  /** What all carriers, or the one that is named, ask for a parcel. */
  rates(request: RateRequest, carrier?: string): Promise<ShoppedRates> {
    return shopRates(carrier === undefined ? this.carriers : [this.carrier(carrier)], request)
  }

  /** The service that a parcel goes by. Throws CarrierRefusal where none takes it, CarrierAway where that is not known. */
  async choose(request: RateRequest, { carrier, service, ...choice }: ServiceChoice): Promise<Rate> {
    const { rates, failures } = await this.rates(request, carrier)
    const chosen = chooseRate(
      rates.filter((rate) => service === undefined || rate.service === service),
      choice,
    )
    if (chosen) return chosen
    const refusal = failures.find(({ error }) => error instanceof CarrierRefusal)
    if (refusal) throw refusal.error
    if (failures[0]) throw new CarrierAway(failures[0].carrier)
    const offered = rates.map((rate) => rate.service).join(', ')
    const what = service === undefined ? 'no carrier takes this parcel' : `no carrier takes it as ${service}`
    const detail = `${what} of ${request.weightGrams} g${offered === '' ? '' : `; it may go as ${offered}`}`
    throw new CarrierRefusal('service_unavailable', detail)
  }

  known(purpose: ParcelPurpose): Promise<KnownPurchase> {
    return knownPurchase(this.records, purchaseKey(purpose))
  }

  /**
   * The label of a parcel, bought now where there is none. `rate`: the service that was chosen; where a purchase has been
   * begun before, that one is carried out instead.
   */
  async buy(parcel: Parcel, rate: Rate | undefined): Promise<{ record: LabelRecord; isNew: boolean }> {
    const key = purchaseKey(parcel.purpose)
    for (let attempt = 1; ; attempt++) {
      const known = await this.known(parcel.purpose)
      if (known.label) return { record: known.label, isNew: false }
      try {
        return { record: await this.carryOut(parcel, key, await this.begun(parcel, key, known, rate)), isNew: true }
      } catch (error) {
        if (!isChangedMeanwhile(error) || attempt === TRIES) throw error
      }
    }
  }

  /** Writes down what is to be asked, so that whoever repeats it asks the same. */
  private async begun(
    { request, person, purpose }: Parcel,
    key: string,
    { version, attempt, pending }: KnownPurchase,
    rate: Rate | undefined,
  ): Promise<Required<Omit<KnownPurchase, 'label'>>> {
    if (pending) return { version, attempt, pending }
    const chosen = rate ?? (await this.choose(request, { prefer: 'cost' }))
    if (!this.people.vault.has(person)) throw erased()
    const serial = await this.serials.get(chosen.carrier)!.take()
    const isReturn = 'return' in purpose
    const purchase = {
      ...request,
      service: chosen.service,
      reference: isReturn ? purpose.return : purpose.fulfillment,
      ...(isReturn ? { return: true } : {}),
    }
    const next = { carrier: chosen.carrier, serial, request: this.people.vault.seal(person, purchase) }
    const written = await putPurchase(this.records, key, version, { attempt, pending: next })
    return { version: written, attempt, pending: next }
  }

  private async carryOut(
    parcel: Parcel,
    key: string,
    { version, attempt, pending }: Required<Omit<KnownPurchase, 'label'>>,
  ): Promise<LabelRecord> {
    const request = openedRequest(this.people, pending, parcel.person)
    const own = `${key}/${attempt}`
    let label: Label
    try {
      if (!request) throw erased()
      label = await this.carrier(pending.carrier).buy({ ...request, serial: pending.serial }, own)
    } catch (error) {
      // Refused for good: the next try is free to ask for something else.
      if (error instanceof CarrierRefusal) await putPurchase(this.records, key, version, { attempt: attempt + 1 })
      throw error
    }
    const { trackingNumber } = label
    const { purpose, order, person, location } = parcel
    // From the purchase on: a parcel that has come far while its label was being bought is looked at at once.
    const nextMs = await this.carrier(label.carrier).nextLookMs(label, label.boughtMs)
    const dueMs = Math.min(nextMs ?? Number.POSITIVE_INFINITY, this.now() + FIRST_LOOK_MS)
    const record: LabelRecord = {
      ...{ key: own, purpose, order, person, location, status: 'bought', told: [], dueMs },
      ...sealedLabel(this.people, label, person),
    }
    const isStored = await this.records.create({ kind: LABEL, id: trackingNumber, ...labelPut(record) })
    if (!isStored && !(await this.isOwn(trackingNumber, own))) {
      // Another parcel has the number: this one gets another.
      const serial = await this.serials.get(pending.carrier)!.take()
      await putPurchase(this.records, key, version, { attempt, pending: { ...pending, serial } })
      return this.carryOut(parcel, key, await this.stillBegun(key))
    }
    await putPurchase(this.records, key, version, { attempt, trackingNumber })
    this.onBought()
    return record
  }

  private async stillBegun(key: string): Promise<Required<Omit<KnownPurchase, 'label'>>> {
    const { version, attempt, pending } = await knownPurchase(this.records, key)
    if (!pending) throw new CarrierRefusal('service_unavailable', 'this parcel got a label meanwhile: ask again')
    return { version, attempt, pending }
  }

  private async isOwn(trackingNumber: string, key: string): Promise<boolean> {
    return (await this.label(trackingNumber))?.key === key
  }

  async label(trackingNumber: string): Promise<LabelRecord | undefined> {
    return (await this.records.get<LabelRecord>(LABEL, trackingNumber))?.value
  }

  /** Gives a label back; the same again where that was done before. Undefined: there is none. Throws CarrierRefusal. */
  void(trackingNumber: string): Promise<LabelRecord | undefined> {
    return this.books.add(async () => {
      const record = await this.label(trackingNumber)
      return record && this.giveBack(record)
    })
  }

  private async giveBack(record: LabelRecord): Promise<LabelRecord> {
    const { trackingNumber, carrier } = record.label
    if (record.manifest !== undefined) {
      const detail = `${trackingNumber} is on the manifest ${record.manifest}: the carrier has been told that it comes`
      throw new CarrierRefusal('label_in_use', detail)
    }
    const { voidedMs } = await this.carrier(carrier).void(trackableLabel(this.people, record), this.now())
    let voided = record
    await this.records.update<LabelRecord>(LABEL, trackingNumber, (value = record) => {
      const { dueMs: _dueMs, ...kept } = value
      voided = { ...kept, label: { ...value.label, ...(voidedMs === undefined ? {} : { voidedMs }) } }
      return labelPut(voided)
    })
    return voided
  }
}
