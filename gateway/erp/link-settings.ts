/** How the ERP is reached, as it is kept: a record, whose token is sealed with the installation's own key. */
import type { OperationContext } from '../operations/operation.js'
import type { Sealed } from '../personal-data/vault.js'
import { LINK, LINK_ID, type LinkSettings } from './link.js'

type Context = Pick<OperationContext, 'records' | 'people'>

interface KeptLink {
  settings: LinkSettings
  token?: Sealed
}

const PURPOSE = 'erp-link'

export async function keepLink(settings: LinkSettings, { records, people }: Context): Promise<void> {
  let value: KeptLink = { settings }
  if (settings.type === 'http' && settings.token !== undefined) {
    const { token, ...rest } = settings
    value = { settings: rest, token: people.vault.sealSecret(PURPOSE, token) }
  }
  await records.put({ kind: LINK, id: LINK_ID, value })
}

export async function findLink({ records, people }: Context): Promise<LinkSettings> {
  const found = await records.get<KeptLink>(LINK, LINK_ID)
  if (!found) return { type: 'none' }
  const { settings, token } = found.value
  if (settings.type !== 'http' || token === undefined) return settings
  return { ...settings, token: people.vault.openSecret<string>(PURPOSE, token) }
}
