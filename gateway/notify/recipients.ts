/** The decision of recipient.ts with what is kept about the customer and the address: asked before a message is written and again before it is sent. */
import type { People } from '../personal-data/people.js'
import type { RecordStore } from '../records.js'
import { WishBook } from './customer-wishes.js'
import type { Medium, MessageKind } from './message-kinds.js'
import type { QuietHours } from './quiet-hours.js'
import { type Decision, decide, suppressionKey } from './recipient.js'
import { SuppressedAddresses } from './suppressed-addresses.js'

export interface RecipientAsk {
  medium: Medium
  kind: MessageKind
  address: string | undefined
  country: string
  timeZone: string
  customerKeys: readonly string[]
  quietHours: QuietHours
  usefulUntilMs: number
  nowMs: number
}

export class Recipients {
  readonly wishes: WishBook
  readonly suppressed: SuppressedAddresses

  constructor(records: RecordStore, people: People) {
    this.wishes = new WishBook(records, people)
    this.suppressed = new SuppressedAddresses(records, people)
  }

  async decide({ customerKeys, ...ask }: RecipientAsk): Promise<Decision> {
    const { medium, address, country } = ask
    const known = address === undefined ? undefined : suppressionKey(medium, address, country)
    const [wishes, suppression] = await Promise.all([
      this.wishes.of(customerKeys),
      known === undefined ? undefined : this.suppressed.of(medium, known),
    ])
    return decide({ ...ask, purpose: 'transactional', consent: wishes[medium], suppression })
  }
}
