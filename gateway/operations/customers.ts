/** What customers may ask for about themselves: what is kept of them, and that it is erased. */
import { z } from 'zod'
import type { Outcome } from '../../engine/protocol.js'
import { orderId } from '../order-schemas.js'
import { erase } from '../personal-data/erasure.js'
import { erasureView, exportCustomer } from '../personal-data/export.js'
import type { Whose } from '../personal-data/traces.js'
import { problem } from '../problems.js'
import { operation } from './operation.js'

const customer = z
  .string()
  .min(1)
  .max(200)
  .refine((value) => !/\p{Cc}|\p{Surrogate}/u.test(value), 'no control or half characters')
  .meta({ description: 'Customer id or e-mail address' })
/** One of both: whoever has bought as a guest, without an id and an address, is known by the order alone. */
const named = z.object({
  customer: customer.optional(),
  order: orderId
    .optional()
    .meta({ description: 'Any order of the customer; the only name of a guest without id and address' }),
})

/** Whom the wish is about; an outcome where it names nobody, or two. */
function whoseOf({ customer: name, order }: z.output<typeof named>): Whose | Outcome {
  if (name !== undefined && order === undefined) return { customer: name }
  if (order !== undefined && name === undefined) return { order }
  const message = 'name either a customer or an order'
  return problem(422, 'invalid', `customer: ${message}`, [{ path: 'customer', message }])
}

const word = z.string().min(1).max(500)

export const customerOperations = [
  operation({
    name: 'customer.erase',
    summary:
      'Erases the personal data of a customer; refused where orders are not over. An order shows “erased” from then on',
    http: { method: 'POST', path: '/v1/customers/erase', status: 200 },
    body: named.extend({
      reason: word.meta({ description: 'Kept, and shown in the timeline of each order: name nobody' }),
      by: word.max(100),
      force: z
        .boolean()
        .default(false)
        .meta({ description: 'Also where orders are not over: nobody can ship them then' }),
    }),
    async run({ customer: name, order, ...wish }, context) {
      const whose = whoseOf({ customer: name, order })
      if ('status' in whose) return whose
      const done = await erase({ whose, ...wish }, context)
      return 'status' in done ? done : { status: 200, body: erasureView(done) }
    },
  }),
  operation({
    name: 'customer.export',
    summary: 'Everything that is kept about a customer: orders, waiting list, messages, labels, consents, erasures',
    http: { method: 'GET', path: '/v1/customers/export', status: 200 },
    query: named.extend({
      limit: z.coerce.number().pipe(z.int().min(1).max(500)).default(100),
      cursor: z.string().max(1_000).optional(),
    }),
    async run({ customer: name, order, ...page }, context) {
      const whose = whoseOf({ customer: name, order })
      if ('status' in whose) return whose
      const found = await exportCustomer({ whose, ...page }, context)
      return 'status' in found ? found : { status: 200, body: found }
    },
  }),
]
