/** How customers are written to: templates, brands, and what each customer has said about it. */
import { IANAZone } from 'luxon'
import { z } from 'zod'
import type { Outcome, Problem } from '../../engine/protocol.js'
import type { KnownRecords } from '../known-records.js'
import { type Brand, brandInput, locale } from '../notify/brands.js'
import { customerWishes } from '../notify/customer-wishes.js'
import { MESSAGE_KINDS } from '../notify/message-kinds.js'
import type { KeptTemplate } from '../notify/messaging.js'
import { checkTemplate, preview, type TemplateFault, UnrenderableMessage } from '../notify/templates/render.js'
import { SOURCE_CHARACTERS_MAX } from '../notify/templates/template-engine.js'
import { problem } from '../problems.js'
import { RecordRefused } from '../records.js'
import * as schemas from '../schemas.js'
import { withoutUndefined } from '../without-undefined.js'
import { type Operation, type OperationContext, operation } from './operation.js'

const settingId = z.string().regex(/^[\w.-]{1,64}$/, '1 to 64 letters, digits and . _ -')
const parameters = z.object({ id: settingId })
const customerParameters = z.object({
  customer: z.string().min(1).max(200).meta({ description: 'Id or mail address' }),
})

const part = z.string().max(SOURCE_CHARACTERS_MAX).default('')
const parts = z.object({ subject: part, text: part, html: part, sms: part })
const templateInput = parts.extend({
  kind: z.enum(MESSAGE_KINDS),
  brand: settingId.optional().meta({ description: 'None: of any brand' }),
  channel: schemas.channelName.optional().meta({ description: 'None: of any channel' }),
  locale,
  enabled: z.boolean().default(true),
})
const previewInput = parts.extend({
  locale: locale.default('en'),
  timeZone: z
    .string()
    .refine((zone) => IANAZone.isValidZone(zone), 'an IANA time zone, such as "Europe/London"')
    .default('UTC'),
})

/** All that is wrong with a template in one answer; undefined where nothing is. */
function faulty(faults: readonly TemplateFault[]): Outcome | undefined {
  if (faults.length === 0) return undefined
  const errors: NonNullable<Problem['errors']> = faults.map(({ part: path, message, line, column }) => ({
    path,
    message: line === undefined ? message : `line ${line}, column ${column ?? 1}: ${message}`,
  }))
  return problem(422, 'invalid', `The template cannot be used: ${errors[0]?.path}: ${errors[0]?.message}`, errors)
}

async function putTemplate(id: string, template: KeptTemplate, { messaging }: OperationContext): Promise<Outcome> {
  const refused = faulty(checkTemplate(template))
  return refused ?? kept(() => messaging.templates.put(id, template), { id, ...template })
}

async function putBrand(id: string, brand: Brand, { messaging }: OperationContext): Promise<Outcome> {
  for (const [other, { channels }] of await messaging.brands.all()) {
    const both = channels.find((channel) => other !== id && brand.channels.includes(channel))
    if (both !== undefined) {
      const message = `channel ${both} belongs to brand ${other} already; take it off there first`
      return problem(409, 'channel_taken', `channels: ${message}.`, [{ path: 'channels', message }])
    }
  }
  return kept(() => messaging.brands.put(id, withoutUndefined(brand)), { id, ...brand })
}

async function kept(put: () => Promise<void>, body: object): Promise<Outcome> {
  try {
    await put()
    return { status: 200, body }
  } catch (error) {
    if (error instanceof RecordRefused) return error.outcome
    throw error
  }
}

function previewOf({ locale: language, timeZone, ...template }: z.output<typeof previewInput>): Outcome {
  const refused = faulty(checkTemplate(template))
  if (refused) return refused
  try {
    return { status: 200, body: preview(template, { locale: language, timeZone }) }
  } catch (error) {
    if (!(error instanceof UnrenderableMessage)) throw error
    return problem(422, 'invalid', error.message, error.errors)
  }
}

/** One setting by its id, and all that were put. */
function readOperations<T extends object>(
  name: string,
  what: string,
  path: `/v1/${string}`,
  of: (context: OperationContext) => KnownRecords<T>,
): Operation[] {
  return [
    operation({
      name: `${name}.get`,
      summary: `A ${what} that was put`,
      http: { method: 'GET', path: `${path}/{id}`, status: 200 },
      parameters,
      async run({ id }, context) {
        const found = await of(context).get(id)
        if (found) return { status: 200, body: { id, ...found } }
        return problem(404, `unknown_${what}`, `There is no ${what} ${id}; put it first.`)
      },
    }),
    operation({
      name: `${name}.list`,
      summary: `All ${what}s that were put`,
      http: { method: 'GET', path, status: 200 },
      async run(_input, context) {
        const items = [...(await of(context).all())].map(([id, value]) => ({ id, ...value }))
        return { status: 200, body: { items, nextCursor: null } }
      },
    }),
  ]
}

export const messageSettingOperations = [
  operation({
    name: 'messageTemplate.put',
    summary: 'Puts a template of a kind of message; a brand’s or channel’s own goes before the built-in one',
    http: { method: 'PUT', path: '/v1/message-templates/{id}', status: 200 },
    parameters,
    body: templateInput,
    run: ({ id, ...template }, context) => putTemplate(id, withoutUndefined(template) as KeptTemplate, context), // as the schema has checked it
  }),
  ...readOperations('messageTemplate', 'template', '/v1/message-templates', ({ messaging }) => messaging.templates),
  operation({
    name: 'messageTemplate.preview',
    summary: 'What a template makes of sample data, and how many SMS that is',
    http: { method: 'POST', path: '/v1/message-templates/preview', status: 200 },
    body: previewInput,
    run: async (input) => previewOf(input),
  }),
  operation({
    name: 'brand.put',
    summary: 'Puts a brand: name and look, whom messages come from, its channels, quiet hours, which messages are sent',
    http: { method: 'PUT', path: '/v1/brands/{id}', status: 200 },
    parameters,
    body: brandInput,
    run: ({ id, ...brand }, context) => putBrand(id, brand, context),
  }),
  ...readOperations('brand', 'brand', '/v1/brands', ({ messaging }) => messaging.brands),
  operation({
    name: 'consent.put',
    summary: 'What a customer has said about being written to, by medium; language and time zone',
    http: { method: 'PUT', path: '/v1/customers/{customer}/consent', status: 200 },
    parameters: customerParameters,
    body: customerWishes,
    async run({ customer, ...wishes }, { messaging }) {
      await messaging.recipients.wishes.put(customer, withoutUndefined(wishes))
      return { status: 200, body: { customer, ...wishes } }
    },
  }),
  operation({
    name: 'consent.get',
    summary: 'What a customer has said about being written to; empty where nothing',
    http: { method: 'GET', path: '/v1/customers/{customer}/consent', status: 200 },
    parameters: customerParameters,
    async run({ customer }, { messaging }) {
      return { status: 200, body: { customer, ...(await messaging.recipients.wishes.get(customer)) } }
    },
  }),
]
