/** What customers may ask for about themselves: what is kept of them, and that it is erased. */
import { z } from 'zod'
import { erase } from '../personal-data/erasure.js'
import { erasureView, exportCustomer } from '../personal-data/export.js'
import { operation } from './operation.js'

const customer = z
  .string()
  .min(1)
  .max(200)
  .refine((value) => !/\p{Cc}|\p{Surrogate}/u.test(value), 'no control or half characters')
  .meta({ description: 'Customer id or e-mail address' })
const word = z.string().min(1).max(500)

export const customerOperations = [
  operation({
    name: 'customer.erase',
    summary:
      'Erases the personal data of a customer; refused where orders are not over. An order shows “erased” from then on',
    http: { method: 'POST', path: '/v1/customers/erase', status: 200 },
    body: z.object({
      customer,
      reason: word.meta({ description: 'Kept, and shown in the timeline of each order: name nobody' }),
      by: word.max(100),
      force: z
        .boolean()
        .default(false)
        .meta({ description: 'Also where orders are not over: nobody can ship them then' }),
    }),
    async run(wish, context) {
      const done = await erase(wish, context)
      return 'status' in done ? done : { status: 200, body: erasureView(done) }
    },
  }),
  operation({
    name: 'customer.export',
    summary: 'Everything that is kept about a customer: orders, waiting list, messages, labels, consents, erasures',
    http: { method: 'GET', path: '/v1/customers/export', status: 200 },
    query: z.object({
      customer,
      limit: z.coerce.number().pipe(z.int().min(1).max(500)).default(100),
      cursor: z.string().max(1_000).optional(),
    }),
    async run(ask, context) {
      const found = await exportCustomer(ask, context)
      return 'status' in found ? found : { status: 200, body: found }
    },
  }),
]
