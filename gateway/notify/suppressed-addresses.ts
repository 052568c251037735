/** Which addresses are suppressed, kept under a keyed hash of the address: whose they are can be read by nobody. */
import type { People } from '../personal-data/people.js'
import type { Sealed } from '../personal-data/vault.js'
import type { RecordStore } from '../records.js'
import type { Medium } from './message-kinds.js'
import { suppressionKey } from './recipient.js'
import { type DeliveryFailure, type Suppression, suppressionAfter } from './suppression.js'

const SUPPRESSION = 'suppression'

/** A reason may quote the address. */
interface SuppressionRecord extends Omit<Suppression, 'reason'> {
  person: string
  reason: Sealed
}

export class SuppressedAddresses {
  constructor(
    private readonly records: RecordStore,
    private readonly people: People,
  ) {}

  private idOf(medium: Medium, address: string): string | undefined {
    const key = suppressionKey(medium, address, '')
    return key === undefined ? undefined : this.people.vault.blind(`address:${medium}:${key}`)
  }

  /** `address`: a mail address, or a number in E.164. */
  async of(medium: Medium, address: string): Promise<Suppression | undefined> {
    const id = this.idOf(medium, address)
    const found = id === undefined ? undefined : await this.records.get<SuppressionRecord>(SUPPRESSION, id)
    return found && this.opened(found.value)
  }

  private opened({ person, reason, ...rest }: SuppressionRecord): Suppression {
    return { ...rest, reason: this.people.openText(reason, person) }
  }

  /** Another failure of an address, which belongs to `person`. */
  async failed(medium: Medium, address: string, person: string, failure: DeliveryFailure, atMs: number): Promise<void> {
    const id = this.idOf(medium, address)
    if (id === undefined || !this.people.vault.has(person)) return
    await this.records.update<SuppressionRecord>(SUPPRESSION, id, (before) => {
      const { reason, ...rest } = suppressionAfter(before && this.opened(before), failure, atMs)
      return { value: { ...rest, person, reason: this.people.sealText(reason, person) } }
    })
  }

  /** Whether it was suppressed, and is no more. */
  async lift(medium: Medium, address: string): Promise<boolean> {
    const id = this.idOf(medium, address)
    if (id === undefined || !(await this.records.get(SUPPRESSION, id))) return false
    await this.records.delete(SUPPRESSION, id)
    return true
  }
}
