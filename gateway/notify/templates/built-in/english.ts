/** The built-in messages in English. */
import type { Language } from './layout.js'

export const english: Language = {
  locale: 'en',
  words: {
    greeting: 'Hello{% if customer.name %} {{ customer.name }}{% endif %},',
    quantity: 'quantity',
    subtotal: 'Subtotal',
    discount: 'Discount',
    shipping: 'Delivery',
    tax: 'Tax',
    total: 'Total',
    shipTo: 'Delivery address',
    expected: 'Expected by',
    before: 'Promised before',
    carrier: 'Carrier',
    trackingNumber: 'Tracking number',
    track: 'Track the parcel',
    inThisParcel: 'In this parcel',
    pickupAt: 'Collect it at',
    pickupUntil: 'Kept for you until',
    pickupCode: 'Code for collection',
    openingHours: 'Opening hours',
    printLabel: 'Print the return label',
    sendBy: 'Please send it by',
    returned: 'Your return',
    amount: 'Amount',
    method: 'Paid back to',
    reason: 'Reason',
    showOrder: 'See your order',
    questions: 'Questions',
  },
  kinds: {
    order_confirmation: {
      subject: 'Your order {{ order.number }} at {{ brand.name }}',
      lead: 'Thank you for your order {{ order.number }} of {{ order.placedAt | date }}. We will write again when it is on its way.',
      sms: '{{ brand.name }}: we have your order {{ order.number }}, {{ order.total | money }}.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    order_changed: {
      subject: 'Your order {{ order.number }} was changed',
      lead: 'Your order {{ order.number }} was changed. This is how it stands now.',
      sms: '{{ brand.name }}: your order {{ order.number }} was changed.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    order_on_hold: {
      subject: 'Your order {{ order.number }} is on hold',
      lead: 'We have to check something before we can send your order {{ order.number }}. You need not do anything unless we ask you.',
      sms: '{{ brand.name }}: your order {{ order.number }} is on hold while we check something.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    ready_for_pickup: {
      subject: 'Your order {{ order.number }} is ready to collect',
      lead: 'Your order {{ order.number }} is ready. Please bring this message with you.',
      sms: '{{ brand.name }}: order {{ order.number }} is ready to collect{% if pickup.place.name %} at {{ pickup.place.name }}{% endif %}{% if pickup.until %} until {{ pickup.until | date: "medium" }}{% endif %}.{% if pickup.code %} Code {{ pickup.code }}.{% endif %}',
    },
    shipped: {
      subject: 'Your order {{ order.number }} is on its way',
      lead: 'A parcel of your order {{ order.number }} has left us.',
      sms: '{{ brand.name }}: a parcel of order {{ order.number }} is on its way{% if parcel %} with {{ parcel.carrier }}{% endif %}.{% if parcel.trackingUrl %} {{ parcel.trackingUrl }}{% endif %}',
    },
    out_for_delivery: {
      subject: 'Your order {{ order.number }} comes today',
      lead: 'The carrier is out with a parcel of your order {{ order.number }} and means to deliver it today.',
      sms: '{{ brand.name }}: a parcel of order {{ order.number }} is out for delivery today.{% if parcel.trackingUrl %} {{ parcel.trackingUrl }}{% endif %}',
    },
    delivered: {
      subject: 'Your order {{ order.number }} was delivered',
      lead: 'A part or all of your order {{ order.number }} was handed over. If you have not received it, please tell us.',
      sms: '{{ brand.name }}: a parcel of order {{ order.number }} was delivered.',
    },
    delayed: {
      subject: 'Your order {{ order.number }} will come later',
      lead: 'Your order {{ order.number }} will come later than we said. We are sorry.',
      sms: '{{ brand.name }}: order {{ order.number }} is delayed{% if promise %}, now expected by {{ promise.deliverBy | date: "medium" }}{% endif %}.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    cancelled: {
      subject: 'Your order {{ order.number }} was cancelled',
      lead: 'Your order {{ order.number }} was cancelled. What you have paid for it is paid back.',
      sms: '{{ brand.name }}: your order {{ order.number }} was cancelled.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    return_label: {
      subject: 'Your return for order {{ order.number }}',
      lead: 'Your return for order {{ order.number }} is agreed. Please pack the goods well, put the label on the parcel and hand it in.',
      sms: '{{ brand.name }}: your return for order {{ order.number }} is agreed.{% if return.labelUrl %} Label: {{ return.labelUrl }}{% endif %}',
    },
    return_received: {
      subject: 'We have your return for order {{ order.number }}',
      lead: 'Your return for order {{ order.number }} has come. We look it over and then pay back what is due.',
      sms: '{{ brand.name }}: your return for order {{ order.number }} has come.',
    },
    refunded: {
      subject: 'Money back for your order {{ order.number }}',
      lead: 'We have paid back money for your order {{ order.number }}. It may take your bank some days to show it.',
      sms: '{{ brand.name }}: we have paid back {% if refund %}{{ refund.amount | money }} {% endif %}for order {{ order.number }}.',
    },
  },
}
