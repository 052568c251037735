/** The page behind a supplier's link: what to send and where to, and the forms for the steps that are possible now. */
import { createHash } from 'node:crypto'
import { html, type Markup } from '../../../notify/tracking-page/markup.js'
import type { OperationContext } from '../../../operations/operation.js'
import type { Standing } from '../exchange/fulfillment-steps.js'

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff;overflow-wrap:anywhere}
h1{font-size:1.4rem}h2{font-size:1.1rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .5rem;border-bottom:1px solid #767676}
form{border-top:1px solid #767676;padding:1rem 0}label{display:block;margin:.5rem 0}input{font:inherit;width:100%;box-sizing:border-box;padding:.4rem}
button{font:inherit;padding:.5rem 1rem}.told{font-weight:700}`

export interface SupplierPage {
  status: 200 | 404 | 409 | 422
  html: string
}

/** Nothing but the page's own style is let in, its forms go back to where it came from, and no other site learns of its address. */
export const SUPPLIER_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'private, no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Robots-Tag': 'noindex, nofollow',
}

/** Steps that lead on from each status. */
export const POSSIBLE: Readonly<Record<string, readonly ('accept' | 'ship')[]>> = {
  pending: ['accept', 'ship'],
  accepted: ['ship'],
  picking: ['ship'],
  packed: ['ship'],
}

const STATES: Readonly<Record<string, string>> = {
  pending: 'Waiting for you to confirm it.',
  accepted: 'Confirmed. Please send it.',
  picking: 'Confirmed. Please send it.',
  packed: 'Packed. Please send it.',
  shipped: 'Sent. Thank you; there is nothing more to do.',
  delivered: 'Delivered. There is nothing more to do.',
}

export function supplierPage(
  { order, fulfillment }: Standing,
  { directory }: OperationContext,
  fault?: { status: 409 | 422; message: string },
): SupplierPage {
  const { shipTo, customer } = order
  const isOpen = POSSIBLE[fulfillment.status] !== undefined
  const steps = POSSIBLE[fulfillment.status] ?? []
  const number = `${order.id}-${fulfillment.number}`
  const lines = fulfillment.lines.map(
    ({ sku, quantity }) => html`<tr><td>${directory.name('skus', sku)}</td><td>${quantity}</td></tr>`,
  )
  const address = [
    shipTo.name ?? customer.name,
    shipTo.line1,
    shipTo.line2,
    [shipTo.postalCode, shipTo.city].filter(Boolean).join(' '),
    shipTo.region,
    shipTo.country,
  ].filter((part): part is string => part !== undefined && part !== '')
  // Where it goes is nobody's business any more once it is not to be sent.
  const body = html`<h1>Order ${number}</h1>
<p class="told" role="status">${STATES[fulfillment.status] ?? 'It is not to be sent any more. Please do nothing.'}</p>
${fault !== undefined && html`<p class="told" role="alert">${fault.message}</p>`}
<h2>Articles</h2><table><thead><tr><th scope="col">SKU</th><th scope="col">Pieces</th></tr></thead><tbody>${lines}</tbody></table>
${isOpen && html`<h2>Send to</h2><p>${address.map((line) => html`${line}<br>`)}</p><p>Send by ${new Date(fulfillment.shipByMs).toISOString().slice(0, 10)}</p>`}
${steps.includes('accept') && CONFIRM}
${steps.includes('ship') && SHIP}`
  return { status: fault?.status ?? 200, html: page(`Order ${number}`, body) }
}

const CONFIRM = html`<form method="post"><h2>Confirm</h2><input type="hidden" name="step" value="accept"><button>We will send it</button></form>`
const SHIP = html`<form method="post"><h2>Sent</h2><input type="hidden" name="step" value="ship">
<label>Carrier <input name="carrier" required maxlength="100" autocomplete="off"></label>
<label>Tracking number <input name="trackingNumber" maxlength="100" autocomplete="off"></label>
<button>We have sent all of it</button></form>`

export function closedPage(reason: 'expired' | 'unknown'): SupplierPage {
  const told =
    reason === 'expired'
      ? 'This link has expired. Please ask for a new one.'
      : 'This link is not right. Please open it just as it was sent to you.'
  return { status: 404, html: page('No order here', html`<h1>No order here</h1><p>${told}</p>`) }
}

const page = (title: string, body: Markup): string =>
  `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex, nofollow"><title>${html`${title}`}</title>
<style>${STYLE}</style></head><body><main>${body}</main></body></html>
`
