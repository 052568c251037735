/**
 * Links by which a supplier without EDI sees, confirms and ships one fulfillment order. Who has the link may do that and
 * nothing else, until it expires.
 */
import { signLink, verifyLink } from '../../../notify/tracking-page/signed-link.js'
import type { OperationContext } from '../../../operations/operation.js'

const PURPOSE = 'supplier'

const secretOf = ({ people }: OperationContext): string => people.vault.signingKey(PURPOSE).toString('base64url')

export const supplierToken = (fulfillment: string, expiresAtMs: number, context: OperationContext): string =>
  signLink(fulfillment, secretOf(context), expiresAtMs)

/** The fulfillment that the token opens, or why it opens none. */
export function openSupplierToken(
  token: string,
  context: OperationContext,
): { fulfillment: string } | { reason: 'expired' | 'unknown' } {
  const link = verifyLink(token, secretOf(context), context.now())
  if (link.valid) return { fulfillment: link.payload }
  return { reason: link.reason === 'expired' ? 'expired' : 'unknown' }
}
