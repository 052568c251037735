/**
 * How the built-in messages are laid out: a greeting, what has happened, the facts that belong to it, the way to the order's
 * page, and who writes. The words are the languages'; both the plain and the HTML part are made of them here, so that
 * they cannot say different things.
 */
import type { MessageKind } from '../../message-kinds.js'
import type { Template } from '../template-parts.js'

/** The words of one language. They are Liquid; their own text must need no escaping in HTML. */
export interface Language {
  locale: string
  words: {
    greeting: string
    quantity: string
    subtotal: string
    discount: string
    shipping: string
    tax: string
    total: string
    shipTo: string
    expected: string
    before: string
    carrier: string
    trackingNumber: string
    track: string
    inThisParcel: string
    pickupAt: string
    pickupUntil: string
    pickupCode: string
    openingHours: string
    printLabel: string
    sendBy: string
    returned: string
    amount: string
    method: string
    reason: string
    showOrder: string
    questions: string
  }
  kinds: Record<MessageKind, { subject: string; lead: string; sms: string }>
}

type Fact = 'reason' | 'lines' | 'totals' | 'shipTo' | 'promise' | 'delay' | 'parcel' | 'pickup' | 'return' | 'refund'

const FACTS: Record<MessageKind, readonly Fact[]> = {
  order_confirmation: ['lines', 'totals', 'promise', 'shipTo'],
  order_changed: ['reason', 'lines', 'totals', 'promise', 'shipTo'],
  order_on_hold: ['reason'],
  ready_for_pickup: ['pickup', 'lines'],
  shipped: ['parcel', 'promise', 'shipTo'],
  out_for_delivery: ['parcel', 'shipTo'],
  delivered: ['parcel', 'shipTo'],
  delayed: ['delay', 'reason'],
  cancelled: ['reason', 'lines'],
  return_label: ['return'],
  return_received: ['return'],
  refunded: ['refund'],
}

export function templateOf(kind: MessageKind, language: Language): Template {
  const { subject, lead, sms } = language.kinds[kind]
  return {
    kind,
    locale: language.locale,
    subject,
    text: textOf(kind, language, lead),
    html: htmlOf(kind, language, lead),
    sms,
  }
}

type Words = Language['words']

/** `{% if a %}…{% endif %}` without the line that the tag stands on. */
const when = (condition: string, shown: string): string => `{%- if ${condition} %}\n${shown}\n{%- endif %}`

/** A line break that the trimming tag after it leaves alone. */
const LINE_BREAK = '\n{{ "" }}'

const placeText = (place: string): string =>
  [
    when(`${place}.name`, `{{ ${place}.name }}`),
    `\n{{ ${place}.line1 }}`,
    when(`${place}.line2`, `{{ ${place}.line2 }}`),
    `\n{{ ${place}.postalCode }} {{ ${place}.city }}, {{ ${place}.country }}`,
  ].join('')

const linesText = (list: string): string =>
  `{%- for line in ${list} %}\n- {{ line.quantity }} × {{ line.name }} ({{ line.sku }}){% if line.total %}: {{ line.total | money }}{% endif %}\n{%- endfor %}`

const amountText = (word: string, amount: string): string => when(amount, `${word}: {{ ${amount} | money }}`)

const FACT_TEXT: Record<Fact, (words: Words) => string> = {
  reason: (words) => when('reason', `\n${words.reason}: {{ reason }}`),
  lines: () => `${LINE_BREAK}${linesText('order.lines')}`,
  totals: (words) =>
    [
      LINE_BREAK,
      amountText(words.subtotal, 'order.subtotal'),
      amountText(words.discount, 'order.discount'),
      amountText(words.shipping, 'order.shipping'),
      amountText(words.tax, 'order.tax'),
      `\n${words.total}: {{ order.total | money }}`,
    ].join(''),
  shipTo: (words) => when('order.shipTo', `\n${words.shipTo}:${placeText('order.shipTo')}`),
  promise: (words) => when('promise', `\n${words.expected}: {{ promise.deliverBy | date: "weekday" }}`),
  delay: (words) =>
    when('promise', `\n${words.expected}: {{ promise.deliverBy | date: "weekday" }}`) +
    when('promise.before', `${words.before}: {{ promise.before | date: "weekday" }}`),
  parcel: (words) =>
    when(
      'parcel',
      [
        `\n${words.carrier}: {{ parcel.carrier }}`,
        when('parcel.trackingNumber', `${words.trackingNumber}: {{ parcel.trackingNumber }}`),
        when('parcel.trackingUrl', `${words.track}: {{ parcel.trackingUrl }}`),
        when('parcel.lines', `\n${words.inThisParcel}:${linesText('parcel.lines')}`),
      ].join(''),
    ),
  pickup: (words) =>
    when(
      'pickup',
      [
        `\n${words.pickupAt}:${placeText('pickup.place')}`,
        when('pickup.openingHours', `${words.openingHours}: {{ pickup.openingHours }}`),
        when('pickup.until', `${words.pickupUntil}: {{ pickup.until | date: "weekday" }}, {{ pickup.until | time }}`),
        when('pickup.code', `${words.pickupCode}: {{ pickup.code }}`),
      ].join(''),
    ),
  return: (words) =>
    when(
      'return',
      [
        `\n${words.returned} ({{ return.id }}):${linesText('return.lines')}`,
        when('return.labelUrl', `\n${words.printLabel}: {{ return.labelUrl }}`),
        when('return.sendBy', `${words.sendBy}: {{ return.sendBy | date: "weekday" }}`),
      ].join(''),
    ),
  refund: (words) =>
    when('refund', `\n${words.amount}: {{ refund.amount | money }}`) +
    when('refund.method', `${words.method}: {{ refund.method }}`),
}

function textOf(kind: MessageKind, { words }: Language, lead: string): string {
  const facts = FACTS[kind].map((fact) => FACT_TEXT[fact](words)).join('')
  return `${words.greeting}

${lead}${facts}${when('statusUrl', `\n${words.showOrder}: {{ statusUrl }}`)}

{{ brand.name }}${when('brand.supportEmail', `${words.questions}: {{ brand.supportEmail }}`)}${when('brand.imprint', '{{ brand.imprint }}')}
`
}

const placeHtml = (place: string): string =>
  `{% if ${place}.name %}{{ ${place}.name }}<br>{% endif %}{{ ${place}.line1 }}<br>{% if ${place}.line2 %}{{ ${place}.line2 }}<br>{% endif %}{{ ${place}.postalCode }} {{ ${place}.city }}, {{ ${place}.country }}`

const linesHtml = (
  words: Words,
  list: string,
): string => `<table role="presentation" width="100%" style="border-collapse:collapse">
{% for line in ${list} %}<tr>
<td style="padding:6px 0;border-bottom:1px solid #dddddd">{{ line.name }}<br><small>{{ line.sku }} · ${words.quantity} {{ line.quantity }}</small></td>
<td style="padding:6px 0;border-bottom:1px solid #dddddd;text-align:right;vertical-align:top">{{ line.total | money }}</td>
</tr>{% endfor %}
</table>`

const termHtml = (word: string, value: string): string =>
  `<p style="margin:0 0 6px"><strong>${word}:</strong> ${value}</p>`
const maybeTermHtml = (condition: string, word: string, value: string): string =>
  `{% if ${condition} %}${termHtml(word, value)}{% endif %}`
const buttonHtml = (word: string, url: string): string =>
  `{% if ${url} %}<p style="margin:16px 0"><a href="{{ ${url} }}" style="color:{{ brand.colour | default: "#1d4e89" }};font-weight:bold">${word}</a></p>{% endif %}`

const FACT_HTML: Record<Fact, (words: Words) => string> = {
  reason: (words) => maybeTermHtml('reason', words.reason, '{{ reason }}'),
  lines: (words) => linesHtml(words, 'order.lines'),
  totals: (words) =>
    [
      maybeTermHtml('order.subtotal', words.subtotal, '{{ order.subtotal | money }}'),
      maybeTermHtml('order.discount', words.discount, '{{ order.discount | money }}'),
      maybeTermHtml('order.shipping', words.shipping, '{{ order.shipping | money }}'),
      maybeTermHtml('order.tax', words.tax, '{{ order.tax | money }}'),
      termHtml(words.total, '{{ order.total | money }}'),
    ].join('\n'),
  shipTo: (words) => maybeTermHtml('order.shipTo', words.shipTo, `<br>${placeHtml('order.shipTo')}`),
  promise: (words) => maybeTermHtml('promise', words.expected, '{{ promise.deliverBy | date: "weekday" }}'),
  delay: (words) =>
    maybeTermHtml('promise', words.expected, '{{ promise.deliverBy | date: "weekday" }}') +
    maybeTermHtml('promise.before', words.before, '{{ promise.before | date: "weekday" }}'),
  parcel: (words) =>
    [
      '{% if parcel %}',
      termHtml(words.carrier, '{{ parcel.carrier }}'),
      maybeTermHtml('parcel.trackingNumber', words.trackingNumber, '{{ parcel.trackingNumber }}'),
      buttonHtml(words.track, 'parcel.trackingUrl'),
      `{% if parcel.lines %}<p style="margin:16px 0 0"><strong>${words.inThisParcel}:</strong></p>${linesHtml(words, 'parcel.lines')}{% endif %}`,
      '{% endif %}',
    ].join('\n'),
  pickup: (words) =>
    [
      '{% if pickup %}',
      termHtml(words.pickupAt, `<br>${placeHtml('pickup.place')}`),
      maybeTermHtml('pickup.openingHours', words.openingHours, '{{ pickup.openingHours }}'),
      maybeTermHtml(
        'pickup.until',
        words.pickupUntil,
        '{{ pickup.until | date: "weekday" }}, {{ pickup.until | time }}',
      ),
      maybeTermHtml('pickup.code', words.pickupCode, '{{ pickup.code }}'),
      '{% endif %}',
    ].join('\n'),
  return: (words) =>
    [
      '{% if return %}',
      `<p style="margin:16px 0 0"><strong>${words.returned} ({{ return.id }}):</strong></p>`,
      linesHtml(words, 'return.lines'),
      buttonHtml(words.printLabel, 'return.labelUrl'),
      maybeTermHtml('return.sendBy', words.sendBy, '{{ return.sendBy | date: "weekday" }}'),
      '{% endif %}',
    ].join('\n'),
  refund: (words) =>
    maybeTermHtml('refund', words.amount, '{{ refund.amount | money }}') +
    maybeTermHtml('refund.method', words.method, '{{ refund.method }}'),
}

function htmlOf(kind: MessageKind, { locale, words, kinds }: Language, lead: string): string {
  const facts = FACTS[kind].map((fact) => FACT_HTML[fact](words)).join('\n')
  return `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${kinds[kind].subject}</title>
</head>
<body style="margin:0;padding:16px;font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:1.5">
<div style="max-width:600px;margin:0 auto">
{% if brand.logoUrl %}<p><img src="{{ brand.logoUrl }}" alt="{{ brand.name }}" style="max-height:48px;border:0"></p>{% endif %}
<p>${words.greeting}</p>
<p>${lead}</p>
${facts}
${buttonHtml(words.showOrder, 'statusUrl')}
<p style="margin-top:24px;border-top:1px solid #dddddd;padding-top:12px"><small>{{ brand.name }}{% if brand.supportEmail %}<br>${words.questions}: <a href="mailto:{{ brand.supportEmail }}">{{ brand.supportEmail }}</a>{% endif %}{% if brand.imprint %}<br>{{ brand.imprint }}{% endif %}</small></p>
</div>
</body>
</html>
`
}
