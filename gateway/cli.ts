#!/usr/bin/env node
/** The command line. Each option has an environment variable, DOORBUSTER_ and its name; a flag wins over it. */
import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import pino from 'pino'
import { DoorbusterError } from '../engine/errors.js'

const packageFile = new URL('../../package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }

const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw new DoorbusterError('bad_option', `${text} is not a whole number from ${least} to ${most}`)
  }

const option = (flags: string, description: string): Option => {
  const made = new Option(flags, description)
  return made.env(`DOORBUSTER_${made.attributeName().replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`)
}
/** Of an option that is repeated all values; of its environment variable those between commas. */
const several = (text: string, before: string[]): string[] => [...before, ...text.split(',').map((one) => one.trim())]
const dataDirOption = (): Option => option('--data-dir <directory>', 'where the data is').default('./data')
const urlOption = (): Option => option('--url <url>', 'a running server').default('http://127.0.0.1:8080')

const program = new Command('doorbuster')
  .description('Order management with durable, serialized stock reservations.')
  .version(version)
  .showHelpAfterError()

program
  .command('serve')
  .description('serve HTTP and WebSocket, and NATS where it is given')
  .addOption(option('--host <host>', 'address to listen on').default('127.0.0.1'))
  .addOption(option('--port <port>', 'port to listen on').default(8080).argParser(wholeNumber(0, 65_535)))
  .addOption(dataDirOption())
  .addOption(option('--partitions <n>', 'partitions of a new data directory').argParser(wholeNumber(1, 64)))
  .addOption(option('--threads <n>', 'threads that run them').argParser(wholeNumber(1, 64)))
  .addOption(option('--demo', 'load the demo network and catalogue into an empty data directory').default(false))
  .addOption(new Option('--no-demo', 'start empty'))
  .addOption(
    option('--warm-reservations <n>', 'reservations to have memory ready for, 80 bytes each')
      .default(2_000_000)
      .argParser(wholeNumber(0, 60_000_000)),
  )
  .addOption(option('--nats <urls>', 'NATS servers, with commas: nats:// or tls://[user:password@ or token@]host:port'))
  .addOption(option('--nats-creds <file>', 'credentials file for NATS'))
  .addOption(option('--nats-nkey <file>', 'nkey seed file for NATS'))
  .addOption(
    option('--nats-token <token>', 'token for NATS; better in the environment, where no list of processes shows it'),
  )
  .addOption(option('--nats-tls-ca <file>', 'certificates that NATS servers are trusted by, PEM'))
  .addOption(option('--nats-tls-cert <file>', 'our certificate for NATS, PEM'))
  .addOption(option('--nats-tls-key <file>', 'its key, PEM'))
  .addOption(option('--allow-http', 'let webhooks and partners be called by plain HTTP').default(false))
  .addOption(option('--allow-private', 'let them have private addresses').default(false))
  .addOption(
    option('--allow-address <host or network>', 'let this host name, address or CIDR network be called; repeatable')
      .default([])
      .argParser(several),
  )
  .addOption(option('--smtp-url <url>', 'mail server: smtp[s]://user:password@host:port'))
  .addOption(option('--mail-from <address>', 'whom mails come from: "Name <orders@shop.example>"'))
  .addOption(option('--sms-url <url>', 'SMS gateway in the shape of Twilio’s, if not Twilio itself'))
  .addOption(option('--sms-account <sid>', 'account at the SMS gateway'))
  .addOption(option('--sms-token <token>', 'its token'))
  .addOption(option('--sms-from <number>', 'number or name that SMS come from'))
  .addOption(option('--public-url <url>', 'https address under which customers reach this server'))
  .addOption(
    option(
      '--simulated-carrier-speed <n>',
      'parcels of the simulated carrier travel so many times faster than the clock',
    )
      .default(1)
      .argParser(wholeNumber(1, 10_000_000)),
  )
  .addOption(option('--log-level <level>', 'what goes to standard error').default('info'))
  .action(async (options) => {
    const { serve } = await import('./cli/serve.js')
    await serve({ ...options, version })
  })

/** A command whose action gives the exit status. */
const exits =
  <Inputs extends unknown[]>(action: (...inputs: Inputs) => Promise<number>) =>
  async (...inputs: Inputs): Promise<void> => {
    process.exitCode = await action(...inputs)
  }

program
  .command('import <file>')
  .description('import catalogue, stock, locations or orders from CSV or JSON lines')
  .addOption(urlOption())
  .addOption(new Option('--kind <kind>', 'what the file holds').choices(['products', 'locations', 'stock', 'orders']))
  .option('--strict', 'exit with 1 where any line was bad', false)
  .option('--json', 'one JSON object instead of a page', false)
  .action(
    exits(async (file: string, options: { url: string; kind?: 'products'; strict: boolean; json: boolean }) => {
      const { importFile } = await import('./cli/import.js')
      return importFile({ file, ...options })
    }),
  )

program
  .command('story')
  .description(
    'the life of one order over all neighbours, step by step, against a running server; 0 only if all went well',
  )
  .addOption(urlOption())
  .action(
    exits(async (options: { url: string }) => {
      const { story } = await import('./cli/story.js')
      return story(options)
    }),
  )

program
  .command('checkout-example')
  .description(
    'what a website’s checkout does, step by step, against a running server; 0 only if all went as it should',
  )
  .addOption(urlOption())
  .action(
    exits(async (options: { url: string }) => {
      const { checkoutExample } = await import('./cli/checkout-example.js')
      return checkoutExample(options)
    }),
  )

program
  .command('replay <file>')
  .description('drive a server with real order history (Online Retail layout, .csv or .csv.gz)')
  // No environment variables here: what is set for a server must not send a replay into its data.
  .option('--url <url>', 'a running server; none: one of its own')
  .option('--data-dir <directory>', "its own server's data, kept afterwards; none: temporary")
  .option('--speed <speed>', 'max, or how many times as fast as it happened, such as 1000x', 'max')
  .option('--stock <share>', "stock as a share of each SKU's demand", '0.8')
  .option('--json', 'one JSON object instead of a page', false)
  .action(
    exits(async (file: string, { speed, stock, ...options }: ReplayFlags) => {
      const { replayFile } = await import('./cli/replay.js')
      return replayFile({ file, ...options, speed: readSpeed(speed), stockFactor: readShare(stock) })
    }),
  )

interface ReplayFlags {
  url?: string
  dataDir?: string
  speed: string
  stock: string
  json: boolean
}

function readSpeed(text: string): number | 'max' {
  if (text === 'max') return 'max'
  const times = Number(text.replace(/[x×]$/, ''))
  if (Number.isFinite(times) && times > 0) return times
  throw new DoorbusterError('bad_option', `--speed is max, or a number of times such as 1000x, not ${text}`)
}

function readShare(text: string): number {
  const share = Number(text)
  if (text.trim() !== '' && share >= 0 && share <= 1_000) return share
  throw new DoorbusterError('bad_option', `--stock is a share of the demand such as 0.8, not ${text}`)
}

program
  .command('verify')
  .description('read a whole data directory that no server has open, and say what is wrong')
  .addOption(dataDirOption())
  .option('--json', 'one JSON object instead of a page', false)
  .action(
    exits(async (options: { dataDir: string; json: boolean }) => {
      const { verify } = await import('./cli/maintenance.js')
      return verify(options)
    }),
  )

program
  .command('backup <directory>')
  .description('back up into a new directory, also while a server runs')
  .addOption(dataDirOption())
  .addOption(urlOption())
  .action(
    exits(async (directory: string, options: { dataDir: string; url: string }) => {
      const { backup } = await import('./cli/maintenance.js')
      return backup({ directory, ...options })
    }),
  )

program
  .command('restore <directory>')
  .description('make a new data directory from a backup')
  .addOption(dataDirOption())
  .action(
    exits(async (directory: string, options: { dataDir: string }) => {
      const { restoreFrom } = await import('./cli/maintenance.js')
      return restoreFrom({ directory, ...options })
    }),
  )

program
  .command('reshard')
  .description('write a stopped data directory anew for another number of partitions')
  .addOption(dataDirOption())
  .addOption(new Option('--partitions <n>', 'how many').argParser(wholeNumber(1, 64)).makeOptionMandatory())
  .action(
    exits(async (options: { dataDir: string; partitions: number }) => {
      const { reshardTo } = await import('./cli/maintenance.js')
      return reshardTo(options)
    }),
  )

/** Runs a command and ends the process with its status, or with 1 and a sentence that says what to do. */
async function main(): Promise<void> {
  try {
    await program.parseAsync()
  } catch (error) {
    if (error instanceof DoorbusterError) process.stderr.write(`doorbuster: ${error.message}\n`)
    else pino(pino.destination(2)).fatal({ err: error }, 'doorbuster stopped')
    process.exitCode = 1
  }
}

await main()
