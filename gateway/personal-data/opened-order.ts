/** An order whose sealed parts are open: for those who may see whose it is. */
import type { Line } from '../../actors/order/order.js'
import type { OrderView } from '../../actors/order/order-views.js'
import type { AddressDocument, CustomerDocument, People } from './people.js'

export interface OpenedLine extends Omit<Line, 'gift' | 'note'> {
  gift?: { message?: string }
  note?: string
}

export interface OpenedOrder extends Omit<OrderView, 'customer' | 'shipTo' | 'notes' | 'lines' | 'search'> {
  /** By whose key it was sealed. */
  person: string
  customer: CustomerDocument
  shipTo: AddressDocument
  notes?: string
  lines: OpenedLine[]
}

export function openOrder(people: People, view: OrderView): OpenedOrder {
  const { customer, shipTo, notes, lines, search: _search, ...rest } = view
  const { person } = customer
  const opened: OpenedOrder = {
    ...rest,
    person,
    customer: people.openCustomer(customer),
    shipTo: people.openAddress(shipTo, person),
    lines: lines.map((line) => openLine(people, line, person)),
  }
  if (notes) opened.notes = people.openText(notes, person)
  return opened
}

function openLine(people: People, { gift, note, ...line }: Line, person: string): OpenedLine {
  if (!gift && !note) return line
  const opened: OpenedLine = { ...line }
  if (gift) opened.gift = gift.message ? { message: people.openText(gift.message, person) } : {}
  if (note) opened.note = people.openText(note, person)
  return opened
}
