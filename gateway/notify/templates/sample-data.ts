/** Data to show and to try templates with: once with everything there is, once with only what there always is. */
import type { MessageData } from './message-data.js'

const eur = (amount: string) => ({ amount, currency: 'EUR' })
const lamp = { sku: 'LAMP-RED', name: 'Reading lamp, red', quantity: 2, unitPrice: eur('24.50'), total: eur('49.00') }
const bulb = { sku: 'BULB-E27', name: 'Bulb E27 & socket', quantity: 1, unitPrice: eur('8.00'), total: eur('8.00') }

export const wholeSample: MessageData = {
  brand: {
    name: 'Lamp & Shade',
    url: 'https://shop.example/',
    logoUrl: 'https://shop.example/logo.png',
    colour: '#1d4e89',
    supportEmail: 'help@shop.example',
    supportPhone: '+44 20 7946 0000',
    imprint: 'Lamp & Shade Ltd, 1 Market Street, London',
  },
  customer: { name: 'Ada Byron' },
  order: {
    id: '8f14e45f-ceea-467f-a9d3-2f1c6b1f0a01',
    number: '100234',
    placedAt: '2025-03-03T09:15:00Z',
    lines: [lamp, bulb],
    subtotal: eur('57.00'),
    discount: eur('5.00'),
    shipping: eur('4.90'),
    tax: eur('9.10'),
    total: eur('56.90'),
    shipTo: {
      name: 'Ada Byron',
      line1: '12 St James Square',
      line2: 'Flat 3',
      city: 'London',
      region: 'Greater London',
      postalCode: 'SW1Y 4JH',
      country: 'GB',
    },
  },
  promise: { shipBy: '2025-03-04T16:00:00Z', deliverBy: '2025-03-06T18:00:00Z', before: '2025-03-05T18:00:00Z' },
  parcel: {
    carrier: 'Swift Parcels',
    trackingNumber: 'SP123456785GB',
    trackingUrl: 'https://carrier.example/track/SP123456785GB',
    lines: [lamp],
  },
  pickup: {
    place: {
      name: 'Market Street shop',
      line1: '1 Market Street',
      city: 'London',
      postalCode: 'E1 6AN',
      country: 'GB',
    },
    until: '2025-03-10T18:00:00Z',
    code: '4711',
    openingHours: 'Mo-Sa 9-18',
  },
  return: {
    id: 'R-100234-1',
    labelUrl: 'https://shop.example/returns/R-100234-1/label.pdf',
    sendBy: '2025-03-20T22:00:00Z',
    lines: [bulb],
  },
  refund: { amount: eur('8.00'), method: 'Visa •••• 4242' },
  reason: 'One item has to come from another warehouse.',
  statusUrl: 'https://shop.example/orders/status?token=sample',
}

export const leastSample: MessageData = {
  brand: { name: 'Lamp & Shade' },
  customer: {},
  order: {
    id: 'ORDER-1',
    number: '100234',
    placedAt: '2025-03-03T09:15:00Z',
    lines: [{ sku: 'LAMP-RED', name: 'Reading lamp, red', quantity: 1 }],
    total: eur('24.50'),
  },
}
