/**
 * A connection to a warehouse management system: which locations it runs, and where it is told of their fulfillment orders.
 * Its secret is written and never shown again.
 */
import { z } from 'zod'
import { entityId, locationName } from '../schemas.js'

export const WMS_CONNECTION = 'wms-connection'

/** Locations that one system runs. */
const LOCATIONS_MAX = 500
/** Connections: each reads the events for itself. */
export const CONNECTIONS_MAX = 32

export const connectionId = entityId
  .refine((id) => !id.includes('/'), 'no slash')
  .meta({ description: 'Connection to a WMS', examples: ['3pl-north'] })

const WHSEC = 'whsec_'
const BASE64 = /^([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export const connectionSettings = z.object({
  name: z.string().min(1).max(200).optional(),
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional()
    .meta({ description: 'Where fulfillment orders are told; none: it reads events, by NATS or otherwise, and asks' }),
  secret: z
    .string()
    .min(16)
    .max(200)
    .regex(/^[\x21-\x7e]+$/, 'ASCII without spaces')
    .refine((secret) => !secret.startsWith(WHSEC) || BASE64.test(secret.slice(WHSEC.length)), 'base64 behind whsec_')
    .optional()
    .meta({ description: 'Signs what is sent, as Standard Webhooks says; none: the one that is there stays' }),
  locations: z.array(locationName).min(1).max(LOCATIONS_MAX),
  active: z
    .boolean()
    .default(true)
    .meta({ description: 'Off: nothing is told; it is caught up on when it is on again' }),
})

export interface WmsConnection {
  id: string
  name?: string
  /** None: it reads events itself. */
  url?: string
  /** Signs what is told. */
  secret?: string
  locations: string[]
  active: boolean
}

export const connectionView = ({ secret, ...shown }: WmsConnection): object => ({
  ...shown,
  hasSecret: secret !== undefined,
})

/** Where something is done with a WMS, it is named as who did it. */
export const actorOf = (connection: string): string => `wms ${connection}`.slice(0, 100)
