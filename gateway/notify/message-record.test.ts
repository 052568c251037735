import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Vault } from '../personal-data/vault.js'
import { idOfKey, type MessageRecord, messageKey, openContent, sealContent } from './message-record.js'

const directory = mkdtempSync(join(tmpdir(), 'doorbuster-message-record-'))
let vault: Vault
beforeAll(async () => {
  vault = new Vault(directory)
  await vault.ensure('ada')
})
afterAll(async () => {
  await vault.close()
  rmSync(directory, { recursive: true })
})

const text = fc.string({ unit: 'grapheme', maxLength: 2_000 })
const content = fc.record({ to: text, from: text, subject: text, text, html: text, toName: text })
const sealedFor = (person: string, sealed: Uint8Array): MessageRecord => ({
  order: 'O-1',
  event: '0-1',
  kind: 'shipped',
  medium: 'email',
  brand: 'default',
  channel: 'web',
  locale: 'en',
  country: 'GB',
  timeZone: 'Europe/London',
  person,
  customerKeys: [],
  createdMs: 0,
  usefulUntilMs: 0,
  key: 'k',
  resends: 0,
  attempts: 0,
  content: sealed,
  state: 'queued',
  sendAtMs: 0,
})

test('what is sealed of a message is opened as it was, for its own person alone', async () => {
  await vault.ensure('eve')
  fc.assert(
    fc.property(content, (one) => {
      const sealed = sealContent(vault, 'ada', one)
      expect(openContent(vault, sealedFor('ada', sealed))).toEqual(one)
      expect(openContent(vault, sealedFor('eve', sealed))).toBeUndefined()
    }),
  )
})

test('an erased person’s message has no content any more', async () => {
  await vault.ensure('gone')
  const sealed = sealContent(vault, 'gone', { to: 'a', from: 'b', subject: 'c', text: 'd', html: '' })
  vault.destroy(['gone'])
  expect(openContent(vault, sealedFor('gone', sealed))).toBeUndefined()
})

test('the key of a message leads back to it, and is another one for an event of another time', () => {
  const key = messageKey(vault, '0-17-email', 1_000, 0)
  expect(idOfKey(key)).toBe('0-17-email')
  expect(key).toMatch(/^[\x21-\x7e]{1,150}$/)
  expect(messageKey(vault, '0-17-email', 2_000, 0)).not.toBe(key)
})
