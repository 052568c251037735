/**
 * The end of a carrier's day at a location: its labels go on a list, each on one. The list is kept before the labels are
 * marked with it, so that one that was cut off is finished by the next request instead of being made twice.
 */
import PQueue from 'p-queue'
import type { People } from '../personal-data/people.js'
import type { RecordPage, RecordStore } from '../records.js'
import { CarrierRefusal, type Manifest } from './carrier.js'
import { LABEL, type LabelRecord, labelPut, openRef, trackableLabel } from './label-record.js'
import type { Shipping } from './shipping.js'

const MANIFEST = 'manifest'
/** By carrier and location: the manifest that is being made. */
const UNDER_WAY = 'manifest-under-way'
/** On one list; the rest goes on the next. A few seconds of work, and 50 KB of numbers. */
const LABELS_PER_MANIFEST = 2_000
const PAGE = 500
const AT_ONCE = 16

export interface ManifestRecord extends Manifest {
  location: number
}

export class ManifestBook {
  constructor(
    private readonly shipping: Shipping,
    private readonly records: RecordStore,
    private readonly people: People,
    private readonly now: () => number,
  ) {}

  /** Throws CarrierRefusal `bad_manifest` where no label waits for one. */
  close(carrier: string, location: number): Promise<ManifestRecord> {
    return this.shipping.books.add(async () => {
      const id = `${carrier}/${location}`
      const cutOff = (await this.records.get<ManifestRecord>(UNDER_WAY, id))?.value
      const manifest = cutOff ?? (await this.made(carrier, location))
      if (!cutOff) await this.records.put({ kind: UNDER_WAY, id, value: manifest })
      const marking = new PQueue({ concurrency: AT_ONCE })
      await marking.addAll(manifest.trackingNumbers.map((number) => () => this.mark(number, manifest.id)))
      await this.records.put({ kind: MANIFEST, id: manifest.id, value: manifest, refs: [id] })
      await this.records.delete(UNDER_WAY, id)
      return manifest
    })
  }

  private async made(carrier: string, location: number): Promise<ManifestRecord> {
    const labels = await this.open(carrier, location)
    if (labels.length === 0) {
      const detail = `no label of ${carrier} at this location waits for a manifest: buy one first`
      throw new CarrierRefusal('bad_manifest', detail)
    }
    const opened = labels.map((record) => trackableLabel(this.people, record))
    const manifest = await this.shipping.carrier(carrier).manifest(opened, this.now())
    // In the order of time, as lists of records go.
    return { ...manifest, id: `${String(manifest.closedMs).padStart(14, '0')}-${manifest.id}`, location }
  }

  private async open(carrier: string, location: number): Promise<LabelRecord[]> {
    const labels: LabelRecord[] = []
    for (let before: string | undefined; labels.length < LABELS_PER_MANIFEST; ) {
      const page: RecordPage<LabelRecord> = await this.records.list(LABEL, PAGE, before, openRef(carrier, location))
      labels.push(...page.items.map(({ value }) => value))
      if (page.nextCursor === null) break
      before = page.nextCursor
    }
    return labels.slice(0, LABELS_PER_MANIFEST)
  }

  private async mark(trackingNumber: string, manifest: string): Promise<void> {
    await this.records.update<LabelRecord>(LABEL, trackingNumber, (value) => {
      if (!value || value.manifest !== undefined) return undefined
      const marked = { ...value, manifest }
      return labelPut(marked)
    })
  }

  list(limit: number, before: string | undefined): Promise<RecordPage<ManifestRecord>> {
    return this.records.list<ManifestRecord>(MANIFEST, limit, before)
  }

  async get(id: string): Promise<ManifestRecord | undefined> {
    return (await this.records.get<ManifestRecord>(MANIFEST, id))?.value
  }
}
