/** Stock that is being asked for, as it begins. */
import type { Saga } from './order.js'

export const newSaga = (phase: Saga['phase'], epoch: number, attempt: number): Saga => ({
  phase,
  epoch,
  attempt,
  waiting: [],
  offers: [],
  reserved: [],
  promises: [],
  days: [],
  holds: [],
  held: [],
  isRefused: false,
  command: 0,
  repeats: [],
})
