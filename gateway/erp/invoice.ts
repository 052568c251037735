/** Invoices and credit notes as documents: what an entry says of money, in the parts that a customer is shown. */
import { type Money, money } from '../money.js'
import type { MoneyAccount } from './accounts.js'
import type { JournalEntry } from './entry.js'

export const INVOICE = 'erp-invoice'

/** Amounts in ten-thousandths; of a credit note they are what is given back. */
export interface InvoiceDocument {
  number: string
  type: 'invoice' | 'credit_note'
  atMs: number
  order: string
  reference?: string
  reason?: string
  currency: string
  goods: number
  discount: number
  shipping: number
  tax: number
  total: number
}

const NUMBER_PREFIX = { invoice: 'INV', credit_note: 'CN' }

/** The document of an entry; undefined where it is none that a customer gets. */
export function documentOf({
  type,
  order,
  event,
  reference,
  reason,
  currency,
  atMs,
  money: amounts = [],
}: JournalEntry): InvoiceDocument | undefined {
  if ((type !== 'invoice' && type !== 'credit_note') || order === undefined || currency === undefined) return undefined
  const sign = type === 'invoice' ? -1 : 1
  const of = (account: MoneyAccount): number => {
    const sum = amounts.reduce((total, [name, amount]) => total + (name === account ? amount : 0), 0)
    return sum === 0 ? 0 : sign * sum
  }
  const goods = of('revenue') + of('refunds')
  const [discount, shipping, tax] = [-of('discounts') || 0, of('shipping_income'), of('tax')]
  const total = goods - discount + shipping + tax
  // The rest of an exchange is paid out and credits nothing new.
  if (total === 0 && goods === 0) return undefined
  return {
    number: `${NUMBER_PREFIX[type]}-${event.join('-')}`,
    type,
    atMs,
    order,
    ...(reference === undefined ? {} : { reference }),
    ...(reason === undefined ? {} : { reason }),
    currency,
    goods,
    discount,
    shipping,
    tax,
    total,
  }
}

export function invoiceView({
  atMs,
  currency,
  goods,
  discount,
  shipping,
  tax,
  total,
  ...rest
}: InvoiceDocument): object {
  const shown = (amount: number): Money => money(amount, currency)
  return {
    ...rest,
    at: new Date(atMs).toISOString(),
    goods: shown(goods),
    discount: shown(discount),
    shipping: shown(shipping),
    tax: shown(tax),
    total: shown(total),
  }
}
