/** The built-in messages in French. */
import type { Language } from './layout.js'

export const french: Language = {
  locale: 'fr',
  words: {
    greeting: 'Bonjour{% if customer.name %} {{ customer.name }}{% endif %},',
    quantity: 'quantité',
    subtotal: 'Sous-total',
    discount: 'Remise',
    shipping: 'Livraison',
    tax: 'Taxes',
    total: 'Total',
    shipTo: 'Adresse de livraison',
    expected: 'Livraison prévue au plus tard le',
    before: 'Date annoncée auparavant',
    carrier: 'Transporteur',
    trackingNumber: 'Numéro de suivi',
    track: 'Suivre le colis',
    inThisParcel: 'Dans ce colis',
    pickupAt: 'À retirer chez',
    pickupUntil: 'Conservée pour vous jusqu’au',
    pickupCode: 'Code de retrait',
    openingHours: 'Horaires d’ouverture',
    printLabel: 'Imprimer l’étiquette de retour',
    sendBy: 'À renvoyer avant le',
    returned: 'Votre retour',
    amount: 'Montant',
    method: 'Remboursé sur',
    reason: 'Motif',
    showOrder: 'Voir votre commande',
    questions: 'Questions',
  },
  kinds: {
    order_confirmation: {
      subject: 'Votre commande {{ order.number }} chez {{ brand.name }}',
      lead: 'Merci pour votre commande {{ order.number }} du {{ order.placedAt | date }}. Nous vous écrirons dès son départ.',
      sms: '{{ brand.name }} : votre commande {{ order.number }} de {{ order.total | money }} est enregistrée.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    order_changed: {
      subject: 'Votre commande {{ order.number }} a été modifiée',
      lead: 'Votre commande {{ order.number }} a été modifiée. Voici son nouveau contenu.',
      sms: '{{ brand.name }} : votre commande {{ order.number }} a été modifiée.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    order_on_hold: {
      subject: 'Votre commande {{ order.number }} est en attente',
      lead: 'Nous devons vérifier un point avant d’expédier votre commande {{ order.number }}. Vous n’avez rien à faire tant que nous ne vous le demandons pas.',
      sms: '{{ brand.name }} : votre commande {{ order.number }} est en cours de vérification.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    ready_for_pickup: {
      subject: 'Votre commande {{ order.number }} est prête',
      lead: 'Votre commande {{ order.number }} est prête. Merci de vous munir de ce message.',
      sms: `{{ brand.name }} : la commande {{ order.number }} est prête{% if pickup.place.name %}, à retirer chez {{ pickup.place.name }}{% endif %}{% if pickup.until %} jusqu'au {{ pickup.until | date: "medium" }}{% endif %}.{% if pickup.code %} Code {{ pickup.code }}.{% endif %}`,
    },
    shipped: {
      subject: 'Votre commande {{ order.number }} est en route',
      lead: 'Un colis de votre commande {{ order.number }} vient de partir.',
      sms: '{{ brand.name }} : un colis de la commande {{ order.number }} est en route{% if parcel %} avec {{ parcel.carrier }}{% endif %}.{% if parcel.trackingUrl %} {{ parcel.trackingUrl }}{% endif %}',
    },
    out_for_delivery: {
      subject: 'Votre commande {{ order.number }} arrive aujourd’hui',
      lead: 'Un colis de votre commande {{ order.number }} est en cours de livraison et doit arriver aujourd’hui.',
      sms: `{{ brand.name }} : un colis de la commande {{ order.number }} est livré aujourd'hui.{% if parcel.trackingUrl %} {{ parcel.trackingUrl }}{% endif %}`,
    },
    delivered: {
      subject: 'Votre commande {{ order.number }} a été livrée',
      lead: 'Votre commande {{ order.number }}, ou une partie de celle-ci, a été remise. Si vous n’avez rien reçu, merci de nous le signaler.',
      sms: '{{ brand.name }} : un colis de la commande {{ order.number }} a été livré.',
    },
    delayed: {
      subject: 'Votre commande {{ order.number }} arrivera plus tard',
      lead: 'Votre commande {{ order.number }} arrivera plus tard qu’annoncé. Nous vous prions de nous en excuser.',
      sms: '{{ brand.name }} : la commande {{ order.number }} est retardée{% if promise %}, livraison prévue avant le {{ promise.deliverBy | date: "medium" }}{% endif %}.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    cancelled: {
      subject: 'Votre commande {{ order.number }} a été annulée',
      lead: 'Votre commande {{ order.number }} a été annulée. Ce que vous avez payé vous est remboursé.',
      sms: '{{ brand.name }} : votre commande {{ order.number }} a été annulée.{% if statusUrl %} {{ statusUrl }}{% endif %}',
    },
    return_label: {
      subject: 'Votre retour pour la commande {{ order.number }}',
      lead: 'Votre retour pour la commande {{ order.number }} est accepté. Merci de bien emballer les articles, de coller l’étiquette sur le colis et de le déposer.',
      sms: '{{ brand.name }} : votre retour pour la commande {{ order.number }} est accepté.{% if return.labelUrl %} Étiquette : {{ return.labelUrl }}{% endif %}',
    },
    return_received: {
      subject: 'Nous avons reçu votre retour pour la commande {{ order.number }}',
      lead: 'Votre retour pour la commande {{ order.number }} est arrivé. Nous le vérifions, puis nous remboursons ce qui vous est dû.',
      sms: '{{ brand.name }} : votre retour pour la commande {{ order.number }} est arrivé.',
    },
    refunded: {
      subject: 'Remboursement pour votre commande {{ order.number }}',
      lead: 'Nous avons effectué un remboursement pour votre commande {{ order.number }}. Votre banque peut mettre quelques jours à l’afficher.',
      sms: '{{ brand.name }} : nous avons remboursé {% if refund %}{{ refund.amount | money }} {% endif %}pour la commande {{ order.number }}.',
    },
  },
}
