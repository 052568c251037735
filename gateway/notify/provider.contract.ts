/** The cases that each provider must pass. A new one says how it is made, what its receivers got, and how it breaks. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Medium } from './message-kinds.js'
import { type EmailMessage, type Message, type Provider, SendError, type SmsMessage } from './provider.js'

export interface ReceivedMessage {
  to: string
  /** Empty of an SMS. */
  subject: string
  text: string
  /** By which a receiver, or the gateway before it, knows a repeat. */
  identity: string
  /** Names of the headers of a mail, in lower case. */
  headers: string[]
}

export interface ProviderHome {
  provider: Provider
  received(): Promise<ReceivedMessage[]>
  /** From now on nobody answers. */
  breakDown(): Promise<void>
  close(): Promise<void>
}

export const mail = (of: Partial<EmailMessage> = {}): EmailMessage => ({
  medium: 'email',
  from: { name: 'Lamp & Shade', address: 'orders@shop.example' },
  to: { name: 'Ada Byron', address: 'ada@example.com' },
  subject: 'Your order 100234',
  text: 'It is on its way.\n',
  html: '',
  purpose: 'transactional',
  ...of,
})

export const sms = (of: Partial<SmsMessage> = {}): SmsMessage => ({
  medium: 'sms',
  from: 'LampShade',
  to: '+447400123456',
  text: 'It is on its way.',
  ...of,
})

const message = (medium: Medium, text?: string): Message => {
  const given = text === undefined ? {} : { text }
  return medium === 'email' ? mail(given) : sms(given)
}

export async function refusal(sending: Promise<unknown>): Promise<SendError> {
  const error: unknown = await sending.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(SendError)
  // The line above fails where it is anything else.
  return error as SendError
}

export function providerContract(name: string, media: readonly Medium[], open: () => Promise<ProviderHome>): void {
  describe(`${name}, as every provider`, () => {
    let home: ProviderHome
    beforeEach(async () => {
      home = await open()
    })
    afterEach(() => home.close())

    test('says what it carries', () => {
      expect(home.provider.media).toEqual(media)
    })

    for (const medium of media) {
      test(`delivers what was written by ${medium}, whatever its characters and lines`, async () => {
        const text = `Größe 5 €, été, 東京, 😀\n.\n.hidden\nFrom here\n${'long '.repeat(200)}\n\nend`
        const { providerId } = await home.provider.send(message(medium, text), 'event-1')
        const [got, ...more] = await home.received()
        expect(more).toEqual([])
        expect(got?.text.trimEnd()).toBe(text)
        expect(got?.to).toBe(medium === 'email' ? 'ada@example.com' : '+447400123456')
        expect(got?.subject).toBe(medium === 'email' ? 'Your order 100234' : '')
        expect(providerId).not.toBe('')
      })

      test(`sends the same ${medium} again under its key so that the receiver can know it`, async () => {
        const first = await home.provider.send(message(medium), 'event-1')
        const second = await home.provider.send(message(medium), 'event-1')
        const received = await home.received()
        expect(new Set(received.map(({ identity }) => identity)).size).toBe(1)
        expect(second.providerId).toBe(first.providerId)
      })

      test(`sends two ${medium} messages as two, and twenty at once as twenty`, async () => {
        const keys = Array.from({ length: 20 }, (_, i) => `event-${i}`)
        await Promise.all(keys.map((key) => home.provider.send(message(medium), key)))
        const received = await home.received()
        expect(new Set(received.map(({ identity }) => identity)).size).toBe(20)
      })

      test(`says that ${medium} may be tried again when nobody answers`, async () => {
        await home.breakDown()
        const { permanent, code } = await refusal(home.provider.send(message(medium), 'event-1'))
        expect({ permanent, code }).toEqual({ permanent: false, code: 'unreachable' })
      })

      test(`refuses an address that is none for ${medium} for good, and sends nothing`, async () => {
        const wrong =
          medium === 'email'
            ? mail({ to: { address: 'ada@example.com>\r\nBcc: eve@example.com' } })
            : sms({ to: '07400 123456' })
        const { permanent, code } = await refusal(home.provider.send(wrong, 'event-1'))
        expect({ permanent, code }).toEqual({ permanent: true, code: 'bad_address' })
        expect(await home.received()).toEqual([])
      })

      test(`refuses an empty ${medium} and a key that is none`, async () => {
        expect((await refusal(home.provider.send(message(medium, ' '), 'event-1'))).permanent).toBe(true)
        for (const key of ['', 'a\r\nb', 'x'.repeat(151)]) {
          expect((await refusal(home.provider.send(message(medium), key))).permanent).toBe(true)
        }
        expect(await home.received()).toEqual([])
      })

      test(`takes no ${medium} after it was closed, which can be tried elsewhere`, async () => {
        await home.provider.close()
        expect((await refusal(home.provider.send(message(medium), 'event-1'))).permanent).toBe(false)
      })
    }

    test('may be closed twice', async () => {
      await home.provider.close()
      await home.provider.close()
    })

    test.skipIf(media.length === 2)('refuses what it does not carry', async () => {
      const foreign = media[0] === 'email' ? sms() : mail()
      const { permanent, code } = await refusal(home.provider.send(foreign, 'event-1'))
      expect({ permanent, code }).toEqual({ permanent: true, code: 'misconfigured' })
    })

    test.skipIf(!media.includes('email'))('gives a mail no header that its text asks for', async () => {
      const hostile = 'Ada\r\nBcc: eve@example.com\r\n\r\nbody'
      const to = { name: hostile, address: 'ada@example.com' }
      await home.provider.send(mail({ to, from: { ...to, name: hostile }, subject: hostile }), 'event-1')
      const [got] = await home.received()
      expect(got?.headers).not.toContain('bcc')
      expect(got?.subject).toBe('Ada Bcc: eve@example.com body')
      expect(got?.text.trim()).toBe('It is on its way.')
    })
  })
}
