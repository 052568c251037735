/**
 * The page that a customer sees behind the link in a message: how far the order is, when it comes, and what the carriers
 * say of its parcels. A pure function to HTML without any script, to be served with the headers that it gives along.
 */
import { createHash } from 'node:crypto'
import { DateTime, type DateTimeFormatOptions, IANAZone } from 'luxon'
import { canonicalLocale } from '../templates/template.js'
import { html, type Markup } from './markup.js'
import { pageStyle } from './page-style.js'
import { type CheckedView, type OrderStatus, type TrackingView, trackingView } from './tracking-view.js'
import { STEPS, type Step, type Words, wordsFor } from './words.js'

export interface TrackingPage {
  html: string
  /** Nothing but this page's own style and pictures from https is let in; it is not framed, kept, or told to other sites. */
  headers: Readonly<Record<string, string>>
}

export interface PageSettings {
  /** Language tag (BCP 47); what is none counts as English. */
  locale: string
  /** IANA zone; what is none counts as UTC, which the page then says with each time. */
  timeZone: string
}

/** Something of the order or the brand cannot be shown; `errors` says what. */
export class UnshowableOrder extends Error {
  constructor(readonly errors: { path: string; message: string }[]) {
    super(`The page cannot be made: ${errors.map(({ path, message }) => `${path}: ${message}`).join('; ')}`)
  }
}

interface Writing {
  words: Words
  date(instant: string): Markup
  time(instant: string): Markup
}

/** Throws UnshowableOrder. */
export function trackingPage(view: TrackingView, settings: PageSettings): TrackingPage {
  const checked = trackingView.safeParse(view)
  if (!checked.success) {
    throw new UnshowableOrder(checked.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })))
  }
  const writing = writingIn(settings)
  const style = pageStyle(checked.data.brand.colour)
  return {
    html: document(checked.data, writing, style),
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': [
        "default-src 'none'",
        `style-src 'sha256-${createHash('sha256').update(style.toString()).digest('base64')}'`,
        'img-src https:',
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
      // The page's address opens it, so no other site is told it.
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'private, no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Robots-Tag': 'noindex, nofollow',
    },
  }
}

function writingIn({ locale, timeZone }: PageSettings): Writing {
  const known = canonicalLocale(locale) ?? 'en'
  const zone = IANAZone.isValidZone(timeZone) ? timeZone : 'UTC'
  const words = wordsFor(known)
  // Dates in a language that the words are not in would look like a mistake.
  const written = known.split('-', 1)[0] === words.locale ? known : words.locale
  const at = (instant: string, format: DateTimeFormatOptions): Markup => {
    const shown = DateTime.fromISO(instant, { zone }).setLocale(written).toLocaleString(format)
    return html`<time datetime="${instant}">${shown}</time>`
  }
  return {
    words,
    date: (instant) => at(instant, DateTime.DATE_HUGE),
    time: (instant) => at(instant, { ...DateTime.DATETIME_MED, timeZoneName: 'short' }),
  }
}

const STEP_OF: Record<OrderStatus, Step | undefined> = {
  received: 'ordered',
  validating: 'ordered',
  on_hold: 'ordered',
  sourcing: 'preparing',
  backordered: 'preparing',
  allocated: 'preparing',
  partially_shipped: 'underway',
  shipped: 'underway',
  delivered: 'delivered',
  completed: 'delivered',
  cancelled: undefined,
  rejected: undefined,
}

function document(view: CheckedView, writing: Writing, style: Markup): string {
  const { brand, order } = view
  const { words, date } = writing
  const step = STEP_OF[order.status]
  return html`<!doctype html>
<html lang="${words.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex, nofollow">
<title>${words.order} ${order.number} – ${brand.name}</title>
<style>${style}</style>
</head>
<body>
<header>${brandMark(view)}</header>
<main>
<h1>${words.order} ${order.number}</h1>
<p>${words.placed} ${date(order.placedAt)}</p>
<p class="status">${words.statuses[order.status]}</p>
${step && progress(step, words)}
${step && step !== 'delivered' && view.promise && promised(view.promise, writing)}
${view.pickup && pickedUp(view.pickup, writing)}
${view.parcels.map((parcel, at) => parcelSection(parcel, at + 1, view.parcels.length, writing))}
<section aria-labelledby="goods"><h2 id="goods">${words.goods}</h2>${goodsList(order.lines)}</section>
</main>
<footer><p>${brand.name}${brand.supportEmail !== undefined && html` · ${words.questions}: <a href="mailto:${brand.supportEmail}">${brand.supportEmail}</a>`}</p></footer>
</body>
</html>
`.toString()
}

function brandMark({ brand }: CheckedView): Markup {
  const mark =
    brand.logoUrl === undefined
      ? html`<span class="name">${brand.name}</span>`
      : html`<img src="${brand.logoUrl}" alt="${brand.name}" height="40">`
  return brand.url === undefined ? mark : html`<a href="${brand.url}">${mark}</a>`
}

function progress(current: Step, words: Words): Markup {
  const reached = STEPS.indexOf(current)
  const items = STEPS.map((step, at) =>
    at === reached
      ? html`<li class="reached" aria-current="step">${words.steps[step]}<span class="unseen"> (${words.current})</span></li>`
      : html`<li class="${at < reached ? 'reached' : 'ahead'}">${words.steps[step]}</li>`,
  )
  return html`<ol class="progress" aria-label="${words.progress}">${items}</ol>`
}

const promised = ({ deliverBy, before }: NonNullable<CheckedView['promise']>, { words, date }: Writing): Markup =>
  html`<p><strong>${words.expected}</strong> ${date(deliverBy)}${before !== undefined && before !== deliverBy && html` (${words.before} ${date(before)})`}</p>`

const pickedUp = (pickup: NonNullable<CheckedView['pickup']>, { words, time }: Writing): Markup =>
  html`<section aria-labelledby="pickup"><h2 id="pickup">${words.pickup}</h2>
<p><strong>${pickup.isReady ? words.ready : words.notReady}</strong></p>
<p>${pickup.name}<br>${pickup.address}</p>
${pickup.until !== undefined && html`<p>${words.until} ${time(pickup.until)}</p>`}</section>`

function parcelSection(
  { carrier, trackingNumber, trackingUrl, lines, events }: CheckedView['parcels'][number],
  number: number,
  count: number,
  { words, time }: Writing,
): Markup {
  const heads = count === 1 ? words.parcel : `${words.parcel} ${number}`
  return html`<section aria-labelledby="parcel-${number}"><h2 id="parcel-${number}">${heads}: ${carrier}</h2>
${trackingNumber !== undefined && html`<p>${words.trackingNumber}: <span class="code">${trackingNumber}</span></p>`}
${trackingUrl !== undefined && html`<p><a href="${trackingUrl}" rel="noopener noreferrer">${words.followAtCarrier}<span class="unseen">: ${heads}</span></a></p>`}
${lines && goodsList(lines)}
${
  events.length === 0
    ? html`<p>${words.noEvents}</p>`
    : html`<ol class="events">${events.map(({ at, description, place }) => html`<li>${time(at)}<br>${description}${place !== undefined && html`, ${place}`}</li>`)}</ol>`
}</section>`
}

const goodsList = (lines: CheckedView['order']['lines']): Markup =>
  html`<ul>${lines.map(({ name, quantity }) => html`<li>${quantity} × ${name}</li>`)}</ul>`
