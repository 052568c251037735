/** What stands on a shipping label, as plain data that may be sent to another thread, and whether it can be printed. */
import { DoorbusterError } from '../../../engine/errors.js'
import type { IdentifierKind, Label, Party } from '../carrier.js'
import { TIME_MS_MAX } from '../request-check.js'
import { parseS10 } from '../s10.js'
import { normalSscc } from '../sscc.js'

export interface ShippingLabel {
  /** Degrees are not printed. */
  from: Party
  to: Party
  /** The carrier's name and the service's, for people. */
  carrier: string
  service: string
  weightGrams: number
  /** As its kind writes it, without spaces or brackets. */
  trackingNumber: string
  kind: IdentifierKind
  /** A fulfillment's or a return's id. */
  reference: string
  /** From the customer back to the seller. */
  return?: true
  /** The shop's name, where the buyer knows it by that. */
  brand?: string
  /** The carrier's own word for the way that it goes. */
  routing?: string
  /** The day that is printed, in UTC. */
  shipByMs: number
}

/** As many pages as one batch may have: a PDF of them takes a few seconds and a few megabytes. */
export const LABELS_MAX = 1_000
const WEIGHT_GRAMS_MAX = 1_000_000_000

/** What is to be printed for a label that was bought. */
export function shippingLabelOf(label: Label, brand?: string): ShippingLabel {
  const { from, to, weightGrams, trackingNumber, reference, routing, shipByMs } = label
  return {
    from,
    to,
    carrier: label.carrierName,
    service: label.serviceName,
    weightGrams,
    trackingNumber,
    kind: label.identifier,
    reference,
    ...(label.return ? { return: true } : {}),
    ...(brand === undefined ? {} : { brand }),
    routing,
    shipByMs,
  }
}

const unprintable = (message: string): DoorbusterError => new DoorbusterError('bad_label', message)

/** Throws `bad_label` or `bad_identifier` before anything is drawn: of a batch all labels are printed or none. */
export function checkLabels(labels: readonly ShippingLabel[]): void {
  if (labels.length < 1 || labels.length > LABELS_MAX) {
    throw unprintable(`1 to ${LABELS_MAX} labels are printed at once, not ${labels.length}`)
  }
  for (const { trackingNumber, kind, weightGrams, shipByMs } of labels) {
    if (kind === 's10') parseS10(trackingNumber)
    else normalSscc(trackingNumber)
    if (!/^[0-9A-Z]+$/.test(trackingNumber) || (kind === 'sscc' && trackingNumber.length !== 18)) {
      throw unprintable(`the tracking number ${JSON.stringify(trackingNumber)} must be without spaces and brackets`)
    }
    if (!Number.isSafeInteger(weightGrams) || weightGrams < 1 || weightGrams > WEIGHT_GRAMS_MAX) {
      throw unprintable(`a label's weight must be whole grams from 1, not ${weightGrams}`)
    }
    if (!Number.isSafeInteger(shipByMs) || shipByMs < 0 || shipByMs > TIME_MS_MAX) {
      throw unprintable(`a label's ship date must be a time in whole milliseconds, not ${shipByMs}`)
    }
  }
}
