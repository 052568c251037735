/** What the page says, in the languages of the built-in messages. */
import type { OrderStatus } from './tracking-view.js'

/** How far an order is, as a customer counts. */
export const STEPS = ['ordered', 'preparing', 'underway', 'delivered'] as const
export type Step = (typeof STEPS)[number]

export interface Words {
  locale: string
  order: string
  placed: string
  progress: string
  steps: Record<Step, string>
  statuses: Record<OrderStatus, string>
  expected: string
  before: string
  parcel: string
  trackingNumber: string
  followAtCarrier: string
  noEvents: string
  goods: string
  pickup: string
  ready: string
  notReady: string
  until: string
  questions: string
  /** Where it shows the step that the order is at, for who cannot see it. */
  current: string
}

const english: Words = {
  locale: 'en',
  order: 'Order',
  placed: 'Placed on',
  progress: 'Progress',
  steps: { ordered: 'Ordered', preparing: 'Being prepared', underway: 'On its way', delivered: 'Delivered' },
  statuses: {
    received: 'We have your order.',
    validating: 'We have your order.',
    on_hold: 'We are checking something before we go on.',
    sourcing: 'We are preparing your order.',
    backordered: 'Some of it is not in stock yet; we send it as soon as it comes.',
    allocated: 'We are preparing your order.',
    partially_shipped: 'A part of your order is on its way.',
    shipped: 'Your order is on its way.',
    delivered: 'Your order was delivered.',
    completed: 'Your order was delivered.',
    cancelled: 'Your order was cancelled.',
    rejected: 'Your order was cancelled.',
  },
  expected: 'Expected by',
  before: 'promised before:',
  parcel: 'Parcel',
  trackingNumber: 'Tracking number',
  followAtCarrier: 'Follow it at the carrier',
  noEvents: 'The carrier has not said anything yet.',
  goods: 'What you ordered',
  pickup: 'Collection',
  ready: 'Ready to collect',
  notReady: 'Not ready yet; we will write to you.',
  until: 'Kept for you until',
  questions: 'Questions',
  current: 'now',
}

const german: Words = {
  locale: 'de',
  order: 'Bestellung',
  placed: 'Aufgegeben am',
  progress: 'Fortschritt',
  steps: { ordered: 'Bestellt', preparing: 'In Vorbereitung', underway: 'Unterwegs', delivered: 'Zugestellt' },
  statuses: {
    received: 'Ihre Bestellung ist eingegangen.',
    validating: 'Ihre Bestellung ist eingegangen.',
    on_hold: 'Wir prüfen etwas, bevor es weitergeht.',
    sourcing: 'Wir bereiten Ihre Bestellung vor.',
    backordered: 'Ein Teil ist noch nicht auf Lager; wir versenden ihn, sobald er eintrifft.',
    allocated: 'Wir bereiten Ihre Bestellung vor.',
    partially_shipped: 'Ein Teil Ihrer Bestellung ist unterwegs.',
    shipped: 'Ihre Bestellung ist unterwegs.',
    delivered: 'Ihre Bestellung wurde zugestellt.',
    completed: 'Ihre Bestellung wurde zugestellt.',
    cancelled: 'Ihre Bestellung wurde storniert.',
    rejected: 'Ihre Bestellung wurde storniert.',
  },
  expected: 'Voraussichtlich bis',
  before: 'bisher zugesagt:',
  parcel: 'Paket',
  trackingNumber: 'Sendungsnummer',
  followAtCarrier: 'Beim Versanddienst verfolgen',
  noEvents: 'Der Versanddienst hat noch nichts gemeldet.',
  goods: 'Ihre Artikel',
  pickup: 'Abholung',
  ready: 'Zur Abholung bereit',
  notReady: 'Noch nicht bereit; wir schreiben Ihnen.',
  until: 'Für Sie aufbewahrt bis',
  questions: 'Fragen',
  current: 'jetzt',
}

const french: Words = {
  locale: 'fr',
  order: 'Commande',
  placed: 'Passée le',
  progress: 'Avancement',
  steps: { ordered: 'Commandée', preparing: 'En préparation', underway: 'En route', delivered: 'Livrée' },
  statuses: {
    received: 'Votre commande est enregistrée.',
    validating: 'Votre commande est enregistrée.',
    on_hold: 'Nous vérifions un point avant de continuer.',
    sourcing: 'Nous préparons votre commande.',
    backordered: 'Une partie n’est pas encore en stock ; nous l’enverrons dès son arrivée.',
    allocated: 'Nous préparons votre commande.',
    partially_shipped: 'Une partie de votre commande est en route.',
    shipped: 'Votre commande est en route.',
    delivered: 'Votre commande a été livrée.',
    completed: 'Votre commande a été livrée.',
    cancelled: 'Votre commande a été annulée.',
    rejected: 'Votre commande a été annulée.',
  },
  expected: 'Livraison prévue au plus tard le',
  before: 'date annoncée auparavant :',
  parcel: 'Colis',
  trackingNumber: 'Numéro de suivi',
  followAtCarrier: 'Suivre chez le transporteur',
  noEvents: 'Le transporteur n’a encore rien annoncé.',
  goods: 'Vos articles',
  pickup: 'Retrait',
  ready: 'Prête à être retirée',
  notReady: 'Pas encore prête ; nous vous écrirons.',
  until: 'Conservée pour vous jusqu’au',
  questions: 'Questions',
  current: 'maintenant',
}

/** Of the language of a locale (`de-AT`), else in English. */
export function wordsFor(locale: string): Words {
  const language = locale.split('-', 1)[0]?.toLowerCase()
  return [german, french].find((words) => words.locale === language) ?? english
}
