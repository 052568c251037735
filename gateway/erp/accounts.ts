/**
 * The chart of accounts of the ledger: where money and units are. Amounts are debits above zero and credits below it, in
 * whole ten-thousandths; units are what an account has gained, or lost below zero.
 */

export const MONEY_ACCOUNTS = {
  receivable: 'What customers owe; below zero, what they have paid ahead',
  cash: 'Taken and given back by payment providers',
  channel_clearing: 'Settled by the channel that sold it, which pays it out',
  revenue: 'Goods at their prices',
  discounts: 'Taken off prices',
  shipping_income: 'What customers pay for shipping',
  tax: 'Collected for the state',
  refunds: 'Given back for goods and service, tax left out',
  store_credit: 'Owed to customers as credit, or held for their exchanges',
} as const
export type MoneyAccount = keyof typeof MONEY_ACCOUNTS

/** Accounts of units besides the stock of each location. Their places are kept in entries for ever: add at the end. */
export const UNIT_ACCOUNTS = [
  'supplier',
  'in_transit_to_customer',
  'customer',
  'transfer_in_transit',
  'adjustment',
  'shrinkage',
  'scrap',
  'refurbish',
  'vendor_returns',
] as const
export type UnitAccount = (typeof UNIT_ACCOUNTS)[number]

/** How entries keep an account of units: a location's stock by its index, the others below zero. */
export const unitAccount = (account: UnitAccount): number => -1 - UNIT_ACCOUNTS.indexOf(account)

const STOCK = 'stock:'

/** `nameOf`: a location's name. */
export const unitAccountName = (code: number, nameOf: (location: number) => string): string =>
  code >= 0 ? `${STOCK}${nameOf(code)}` : (UNIT_ACCOUNTS[-1 - code] ?? `unknown ${code}`)
