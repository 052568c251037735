import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { mail, type ProviderHome, providerContract, sms } from '../provider.contract.js'
import { headerOf, readMail } from '../read-mail.contract.js'
import { folderProvider } from './folder-provider.js'

const made: string[] = []
afterEach(async () => {
  for (const directory of made.splice(0)) await rm(directory, { recursive: true, force: true })
})

async function newDirectory(): Promise<string> {
  const directory = join(await mkdtemp(join(tmpdir(), 'outbox-')), 'outbox')
  made.push(join(directory, '..'))
  return directory
}
const settings = { domain: 'shop.example', messageIdSecret: 'a secret of the tests' }

async function home(): Promise<ProviderHome> {
  const directory = await newDirectory()
  const provider = folderProvider({ ...settings, directory })
  return {
    provider,
    async received() {
      const names = await readdir(directory).catch(() => [])
      return Promise.all(
        names.map(async (name) => {
          const raw = await readFile(join(directory, name), 'utf8')
          if (name.endsWith('.eml')) {
            const { headers, text } = readMail(raw)
            const to = headerOf(headers, 'to')
            return {
              to: /<([^>]*)>/.exec(to)?.[1] ?? to,
              subject: headerOf(headers, 'subject'),
              text,
              identity: name,
              headers: headers.map(([header]) => header.toLowerCase()),
            }
          }
          const to = /^To: (.*)$/m.exec(raw)?.[1] ?? ''
          return { to, subject: '', text: raw.slice(raw.indexOf('\n\n') + 2), identity: name, headers: [] }
        }),
      )
    },
    async breakDown() {
      // Where the folder should be there is a file.
      await rm(directory, { recursive: true, force: true })
      await writeFile(directory, '')
    },
    close: () => provider.close(),
  }
}

providerContract('the folder', ['email', 'sms'], home)

test('the same message again is the same file, with what it says now', async () => {
  const directory = await newDirectory()
  const provider = folderProvider({ ...settings, directory })
  await provider.send(sms({ text: 'first' }), '../../etc/passwd')
  const { providerId } = await provider.send(sms({ text: 'second' }), '../../etc/passwd')
  expect(await readdir(directory)).toEqual([providerId])
  expect(await readFile(join(directory, providerId), 'utf8')).toBe('To: +447400123456\nFrom: LampShade\n\nsecond\n')
})

test('a message is forgotten under its key, also while it is being written, and no other one is', async () => {
  const directory = await newDirectory()
  const provider = folderProvider({ ...settings, directory })
  const { providerId } = await provider.send(mail(), 'event-1')
  await provider.send(mail(), 'event-2')
  await provider.send(sms(), 'event-2')
  const underWay = provider.send(mail(), 'event-3')
  await provider.forget!(['event-2', 'event-3', 'event-4'])
  await underWay
  expect(await readdir(directory)).toEqual([providerId])
})

test('of many messages the newest are kept, also after a restart, and what is not ours is left alone', async () => {
  const directory = await newDirectory()
  await mkdir(directory)
  await writeFile(join(directory, 'notes.txt'), 'mine')
  const first = folderProvider({ ...settings, directory, filesMax: 3 })
  const names: string[] = []
  for (const key of ['1', '2', '3', '4']) names.push((await first.send(mail(), key)).providerId)
  expect((await readdir(directory)).sort()).toEqual([...names.slice(1), 'notes.txt'].sort())
  // Files of one millisecond have no order, so they get one.
  for (const [at, name] of names.slice(1).entries()) await utimes(join(directory, name), at + 1, at + 1)
  const second = folderProvider({ ...settings, directory, filesMax: 3 })
  const { providerId } = await second.send(mail(), '5')
  expect((await readdir(directory)).sort()).toEqual([...names.slice(2), providerId, 'notes.txt'].sort())
})

test('a message is for its owner’s eyes, and a link in its place is replaced and not followed', async () => {
  const directory = await newDirectory()
  const provider = folderProvider({ ...settings, directory })
  const { providerId } = await provider.send(sms(), 'event-1')
  const path = join(directory, providerId)
  const victim = join(directory, '..', 'victim')
  await writeFile(victim, 'untouched')
  await rm(path)
  await symlink(victim, path)
  await provider.send(sms(), 'event-1')
  expect(await readFile(victim, 'utf8')).toBe('untouched')
  const { mode } = await stat(path)
  expect(mode & 0o777).toBe(0o600)
})

test('what a crash left half written is cleared away', async () => {
  const directory = await newDirectory()
  await mkdir(directory)
  await writeFile(join(directory, `.${'0'.repeat(40)}.0123abcd.part`), 'To: +44')
  const provider = folderProvider({ ...settings, directory })
  const { providerId } = await provider.send(sms(), 'event-1')
  expect(await readdir(directory)).toEqual([providerId])
})

test('a folder that comes back is written to again', async () => {
  const directory = await newDirectory()
  const provider = folderProvider({ ...settings, directory })
  await provider.send(sms(), 'event-1')
  await rm(directory, { recursive: true })
  await expect(provider.send(sms(), 'event-2')).rejects.toMatchObject({ permanent: false })
  const { providerId } = await provider.send(sms(), 'event-2')
  expect(await readdir(directory)).toEqual([providerId])
})

test('nothing half written is left where the message cannot be put in its place', async () => {
  const directory = await newDirectory()
  const provider = folderProvider({ ...settings, directory })
  const { providerId } = await provider.send(sms(), 'event-1')
  await rm(join(directory, providerId))
  await mkdir(join(directory, providerId))
  await expect(provider.send(sms(), 'event-1')).rejects.toMatchObject({ code: 'unreachable', permanent: false })
  expect(await readdir(directory)).toEqual([providerId])
})
