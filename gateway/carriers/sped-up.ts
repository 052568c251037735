/**
 * A carrier whose parcels travel faster than the clock: what a day would bring comes in a fraction of it, so that a demo or
 * a test sees a parcel arrive. A label's time runs from its purchase; all else is the carrier's own.
 */
import type { Carrier, Label } from './carrier.js'

/** `speed`: so many seconds of a parcel's way pass in one; 86,400 brings a day in a second. */
export function spedUp(carrier: Carrier, speed: number): Carrier {
  if (speed === 1) return carrier
  const carrierMs = ({ boughtMs }: Label, nowMs: number): number => Math.floor(boughtMs + (nowMs - boughtMs) * speed)
  // Up to the next whole millisecond: at that time the carrier's own clock has reached it.
  const clockMs = ({ boughtMs }: Label, atMs: number): number => Math.ceil(boughtMs + (atMs - boughtMs) / speed)
  return {
    ...carrier,

    async void(label, nowMs) {
      const voided = await carrier.void(label, carrierMs(label, nowMs))
      return voided === label || label.voidedMs !== undefined ? voided : { ...voided, voidedMs: nowMs }
    },

    async track(label, nowMs) {
      const events = await carrier.track(label, carrierMs(label, nowMs))
      return events.map((event) => ({ ...event, atMs: clockMs(label, event.atMs) }))
    },

    async nextLookMs(label, nowMs) {
      const nextMs = await carrier.nextLookMs(label, carrierMs(label, nowMs))
      return nextMs === undefined ? undefined : Math.max(nowMs + 1, clockMs(label, nextMs))
    },
  }
}
