/** What is to be done about the goods that a customer gets instead: reserved with the request, they become an order or are given back. */
import type { OrderReturn } from './order-return.js'

/** `confirm`: the reservation is to last; `release`: nothing comes of it; `place`: what it was reserved for can be sent. */
export type ExchangeNeed = 'confirm' | 'release' | 'place'

/** Nothing more comes with it. */
const OVER: readonly string[] = ['rejected', 'cancelled', 'closed']

/** By the return as it is now, whatever has led there; undefined: nothing is left to be done. */
export function exchangeNeed({ exchange, lines, pieces, status }: OrderReturn): ExchangeNeed | undefined {
  if (!exchange || exchange.order !== undefined) return undefined
  const isOver = OVER.includes(status)
  const isComplete =
    lines.every(({ quantity, received }) => received >= quantity) &&
    pieces.every(({ disposition }) => disposition !== undefined)
  // What is to be paid besides is reckoned once: when all that will come has come.
  if (!isOver && !isComplete) return 'confirm'
  const hasPassed = pieces.some(({ at, disposition, isRefused }) => at !== undefined && disposition && !isRefused)
  if (hasPassed) return 'place'
  return isOver ? 'release' : 'confirm'
}
