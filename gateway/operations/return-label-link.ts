/** The label of a return behind the signed link of a message: who has the link may print it, without a login. */
import { z } from 'zod'
import type { Outcome } from '../../engine/protocol.js'
import { problem } from '../problems.js'
import { Content, failed, type OperationContext, operation } from './operation.js'

const TYPE = 'application/pdf'

/** It shows the customer's address: it is not kept on the way, and its own address is told to nobody. */
const HEADERS = {
  'Content-Type': TYPE,
  'Content-Disposition': 'inline; filename="return-label.pdf"',
  'Cache-Control': 'private, no-store',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Robots-Tag': 'noindex, nofollow',
}

async function print(token: string, context: OperationContext): Promise<Outcome> {
  const link = context.messaging.verifyReturnLabelLink(token, context.now())
  if (!link.valid) {
    if (link.reason === 'expired')
      return problem(410, 'link_expired', 'This link is too old; ask the shop for a new label.')
    return problem(404, 'unknown_link', 'This link opens nothing; take it whole out of the message that it came in.')
  }
  const printed = await context.call('return.labelPdf', { return: link.payload })
  // Bytes are what a printed label is.
  return failed(printed) ? printed : { ...printed, body: new Content(printed.body as Uint8Array, HEADERS) }
}

export const returnLabelLinkOperations = [
  operation({
    name: 'return.labelByLink',
    summary: 'The label of a return for its customer, behind the signed link of a message',
    http: { method: 'GET', path: '/v1/return-labels/{token}', status: 200, produces: TYPE },
    parameters: z.object({ token: z.string().min(1).max(1_000) }),
    run: ({ token }, context) => print(token, context),
  }),
]
