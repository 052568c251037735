/** The trial balance: what all accounts come to, which must be nothing, in each currency and in units. */
import type { Directory } from '../directory.js'
import { type Money, money } from '../money.js'
import { unitAccountName } from './accounts.js'
import type { Sums } from './ledger.js'

export interface TrialBalance {
  isBalanced: boolean
  accounts: { account: string; balance: Money }[]
  units: { account: string; balance: number }[]
  totals: { money: Money[]; units: number }
}

/** A balance above zero is a debit. */
export function trialBalance(sums: Sums, directory: Directory): TrialBalance {
  const totals = new Map<string, number>()
  const accounts = Object.entries(sums.money)
    .map(([key, balance]) => {
      const [account = '', currency = ''] = key.split('/')
      totals.set(currency, (totals.get(currency) ?? 0) + balance)
      return { account, balance: money(balance, currency) }
    })
    .sort((a, b) => (a.account + a.balance.currency < b.account + b.balance.currency ? -1 : 1))
  let unitTotal = 0
  const units = Object.entries(sums.units)
    .map(([code, balance]) => {
      unitTotal += balance
      return { account: unitAccountName(Number(code), (location) => directory.name('locations', location)), balance }
    })
    .sort((a, b) => (a.account < b.account ? -1 : 1))
  return {
    isBalanced: unitTotal === 0 && [...totals.values()].every((total) => total === 0),
    accounts,
    units,
    totals: { money: [...totals].map(([currency, total]) => money(total, currency)), units: unitTotal },
  }
}
