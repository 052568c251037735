/** A simple judge: what is unusual adds points. */
import type { FraudCheck, FraudScore } from './fraud-check.js'

const UNIT = 10_000
/** Points, and what for. The sum reaches the default threshold (80) only where several things come together. */
const POINTS = { noContact: 30, largeTotal: 20, veryLargeTotal: 30, manyOfOne: 20, throwAwayMail: 40 } as const
const LARGE_TOTAL = 1_000 * UNIT
const VERY_LARGE_TOTAL = 5_000 * UNIT
const MANY_OF_ONE = 100
const THROW_AWAY_DOMAINS = ['mailinator.com', 'guerrillamail.com', '10minutemail.com', 'yopmail.com']

export const builtinFraudCheck: FraudCheck = {
  async score({ customer, lines }, total): Promise<FraudScore> {
    const reasons: (keyof typeof POINTS)[] = []
    if (customer.email === undefined && customer.phone === undefined) reasons.push('noContact')
    if (total >= LARGE_TOTAL) reasons.push('largeTotal')
    if (total >= VERY_LARGE_TOTAL) reasons.push('veryLargeTotal')
    if (lines.some(({ quantity }) => quantity >= MANY_OF_ONE)) reasons.push('manyOfOne')
    const domain = customer.email?.split('@')[1]?.toLowerCase()
    if (domain !== undefined && THROW_AWAY_DOMAINS.includes(domain)) reasons.push('throwAwayMail')
    const score = reasons.reduce((sum, reason) => sum + POINTS[reason], 0)
    return { score: Math.min(100, score), reasons }
  },
}
