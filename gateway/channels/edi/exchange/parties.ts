/** Who is who in documents: the order's customer, and our locations. */
import type { z } from 'zod'
import { failed, type OperationContext } from '../../../operations/operation.js'
import type { OpenedOrder } from '../../../personal-data/opened-order.js'
import type * as schemas from '../../../schemas.js'
import type { DocumentParty } from '../documents.js'

/** Where an order goes, and how its customer is reached. */
export function partyOf({ customer, shipTo }: OpenedOrder): DocumentParty {
  const { line1, line2, city, region, postalCode, country } = shipTo
  return {
    name: shipTo.name ?? customer.name,
    address: { line1, line2, city, region, postalCode, country },
    ...(customer.email === undefined ? {} : { email: customer.email }),
    ...(customer.phone === undefined ? {} : { phone: customer.phone }),
  }
}

/** A location of ours; `code` is the partner's number of it. */
export async function placeParty(
  index: number,
  { dispatch, directory }: OperationContext,
  code?: string,
): Promise<DocumentParty> {
  const coded = code === undefined ? {} : { code }
  const outcome = await dispatch.query(0, 'location.get', { index })
  if (failed(outcome)) return { name: directory.name('locations', index), ...coded }
  const { location } = outcome.body as { location: z.output<typeof schemas.location> }
  return { name: location.name, ...coded, address: location.address }
}
