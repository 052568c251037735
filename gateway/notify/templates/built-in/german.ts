/** The built-in messages in German. */
import type { Language } from './layout.js'

export const german: Language = {
  locale: 'de',
  words: {
    greeting: 'Guten Tag{% if customer.name %} {{ customer.name }}{% endif %},',
    quantity: 'Menge',
    subtotal: 'Zwischensumme',
    discount: 'Rabatt',
    shipping: 'Versand',
    tax: 'Steuern',
    total: 'Gesamtbetrag',
    shipTo: 'Lieferadresse',
    expected: 'Voraussichtlich bis',
    before: 'Bisher zugesagt',
    carrier: 'Versanddienst',
    trackingNumber: 'Sendungsnummer',
    track: 'Sendung verfolgen',
    inThisParcel: 'In diesem Paket',
    pickupAt: 'Abholung bei',
    pickupUntil: 'Für Sie aufbewahrt bis',
    pickupCode: 'Abholcode',
    openingHours: 'Öffnungszeiten',
    printLabel: 'Rücksendeetikett drucken',
    sendBy: 'Bitte absenden bis',
    returned: 'Ihre Rücksendung',
    amount: 'Betrag',
    method: 'Erstattet auf',
    reason: 'Grund',
    showOrder: 'Bestellung ansehen',
    questions: 'Fragen',
  },
  kinds: {
    order_confirmation: {
      subject: 'Ihre Bestellung {{ order.number }} bei {{ brand.name }}',
      lead: 'vielen Dank für Ihre Bestellung {{ order.number }} vom {{ order.placedAt | date }}. Wir melden uns, sobald sie unterwegs ist.',
      sms: '{{ brand.name }}: Ihre Bestellung {{ order.number }} über {{ order.total | money }} ist eingegangen.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    order_changed: {
      subject: 'Ihre Bestellung {{ order.number }} wurde geändert',
      lead: 'Ihre Bestellung {{ order.number }} wurde geändert. Das ist der neue Stand.',
      sms: '{{ brand.name }}: Ihre Bestellung {{ order.number }} wurde geändert.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    order_on_hold: {
      subject: 'Ihre Bestellung {{ order.number }} wird geprüft',
      lead: 'bevor wir Ihre Bestellung {{ order.number }} versenden, müssen wir etwas prüfen. Sie brauchen nichts zu tun, solange wir Sie nicht darum bitten.',
      sms: '{{ brand.name }}: Ihre Bestellung {{ order.number }} wird gerade geprüft.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    ready_for_pickup: {
      subject: 'Ihre Bestellung {{ order.number }} liegt zur Abholung bereit',
      lead: 'Ihre Bestellung {{ order.number }} liegt bereit. Bitte bringen Sie diese Nachricht mit.',
      sms: '{{ brand.name }}: Bestellung {{ order.number }} liegt bereit{% if pickup.place.name %} bei {{ pickup.place.name }}{% endif %}{% if pickup.until %} bis {{ pickup.until | date: "medium" }}{% endif %}.{% if pickup.code %} Code {{ pickup.code }}.{% endif %}',
    },
    shipped: {
      subject: 'Ihre Bestellung {{ order.number }} ist unterwegs',
      lead: 'ein Paket Ihrer Bestellung {{ order.number }} hat unser Haus verlassen.',
      sms: '{{ brand.name }}: Ein Paket der Bestellung {{ order.number }} ist unterwegs{% if parcel %} mit {{ parcel.carrier }}{% endif %}.{% if parcel.trackingUrl %} {{ parcel.trackingUrl }}{% endif %}',
    },
    out_for_delivery: {
      subject: 'Ihre Bestellung {{ order.number }} kommt heute',
      lead: 'ein Paket Ihrer Bestellung {{ order.number }} ist in der Zustellung und soll heute ankommen.',
      sms: '{{ brand.name }}: Ein Paket der Bestellung {{ order.number }} wird heute zugestellt.{% if parcel.trackingUrl %} {{ parcel.trackingUrl }}{% endif %}',
    },
    delivered: {
      subject: 'Ihre Bestellung {{ order.number }} wurde zugestellt',
      lead: 'Ihre Bestellung {{ order.number }} oder ein Teil davon wurde übergeben. Wenn Sie nichts erhalten haben, sagen Sie uns bitte Bescheid.',
      sms: '{{ brand.name }}: Ein Paket der Bestellung {{ order.number }} wurde zugestellt.',
    },
    delayed: {
      subject: 'Ihre Bestellung {{ order.number }} kommt später',
      lead: 'Ihre Bestellung {{ order.number }} kommt später, als wir zugesagt haben. Das tut uns leid.',
      sms: '{{ brand.name }}: Bestellung {{ order.number }} verspätet sich{% if promise %}, neu bis {{ promise.deliverBy | date: "medium" }}{% endif %}.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    cancelled: {
      subject: 'Ihre Bestellung {{ order.number }} wurde storniert',
      lead: 'Ihre Bestellung {{ order.number }} wurde storniert. Was Sie dafür bezahlt haben, erhalten Sie zurück.',
      sms: '{{ brand.name }}: Ihre Bestellung {{ order.number }} wurde storniert.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    return_label: {
      subject: 'Ihre Rücksendung zur Bestellung {{ order.number }}',
      lead: 'Ihre Rücksendung zur Bestellung {{ order.number }} ist angenommen. Bitte verpacken Sie die Ware gut, kleben Sie das Etikett auf das Paket und geben Sie es ab.',
      sms: '{{ brand.name }}: Ihre Rücksendung zur Bestellung {{ order.number }} ist angenommen.{% if return.labelUrl %} Etikett: {{ return.labelUrl }}{% endif %}',
    },
    return_received: {
      subject: 'Ihre Rücksendung zur Bestellung {{ order.number }} ist da',
      lead: 'Ihre Rücksendung zur Bestellung {{ order.number }} ist eingetroffen. Wir prüfen sie und erstatten dann, was Ihnen zusteht.',
      sms: '{{ brand.name }}: Ihre Rücksendung zur Bestellung {{ order.number }} ist eingetroffen.',
    },
    refunded: {
      subject: 'Erstattung zu Ihrer Bestellung {{ order.number }}',
      lead: 'wir haben Ihnen zu Ihrer Bestellung {{ order.number }} Geld erstattet. Bis Ihre Bank es anzeigt, können einige Tage vergehen.',
      sms: '{{ brand.name }}: Wir haben {% if refund %}{{ refund.amount | money }} {% endif %}zur Bestellung {{ order.number }} erstattet.',
    },
  },
}
