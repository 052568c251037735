/** What a file of a partner holds, whatever its syntax. */
import type { ChannelOrder } from '../channel.js'
import type { EdiFault, FaultList } from './faults.js'
import type {
  InventoryAdvice,
  PurchaseOrderAcknowledgement,
  Receipt,
  ShipNotice,
  WarehouseShippingAdvice,
} from './records.js'

export interface EdiInterchange {
  control: string
  sender: { qualifier: string; id: string }
  receiver: { qualifier: string; id: string }
  test: boolean
  /** Whether anything of it may have been taken: by sender and control number it is known when it comes again. */
  taken: boolean
}

export interface EdiFile {
  syntax: 'x12' | 'edifact'
  interchanges: EdiInterchange[]
  orders: ChannelOrder[]
  /** Orders that take the place of earlier ones of the same number. */
  replacements: ChannelOrder[]
  /** The day that each order of the file says it was placed, by its number. */
  orderedOn: Map<string, string>
  cancellations: { externalId: string; reason: string }[]
  acknowledgements: PurchaseOrderAcknowledgement[]
  shipNotices: ShipNotice[]
  inventoryAdvices: InventoryAdvice[]
  shippingAdvices: WarehouseShippingAdvice[]
  /** The partner's 997 and CONTRL to what we sent. */
  receipts: Receipt[]
  /** What to send back: 997s and TA1s, or CONTRLs, in one interchange; empty where there is nothing to answer. */
  acknowledgement: string
  faults: EdiFault[]
}

export const emptyFile = (syntax: EdiFile['syntax'], faults: FaultList): EdiFile => ({
  syntax,
  interchanges: [],
  orders: [],
  replacements: [],
  orderedOn: new Map(),
  cancellations: [],
  acknowledgements: [],
  shipNotices: [],
  inventoryAdvices: [],
  shippingAdvices: [],
  receipts: [],
  acknowledgement: '',
  faults: faults.list,
})
