/** What a template consists of, and what it is for. */
import type { Medium, MessageKind } from '../message-kinds.js'

/** Liquid source of each part. An empty `sms` means that this message is not sent by SMS, an empty `text` and `html` not by mail. */
export interface TemplateParts {
  subject: string
  text: string
  html: string
  sms: string
}
export const TEMPLATE_PARTS = ['subject', 'text', 'html', 'sms'] as const
export type TemplatePart = (typeof TEMPLATE_PARTS)[number]
/** What a medium takes. */
export const PARTS_OF: Readonly<Record<Medium, readonly TemplatePart[]>> = {
  email: ['subject', 'text', 'html'],
  sms: ['sms'],
}

export interface Template extends TemplateParts {
  kind: MessageKind
  /** Absent: of any brand. */
  brand?: string
  /** Absent: of any channel. */
  channel?: string
  /** A language tag (BCP 47): `de`, `fr-CA`. */
  locale: string
}
