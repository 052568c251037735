#!/usr/bin/env node
/** The command line. Each option has an environment variable, DOORBUSTER_ and its name; a flag wins over it. */
import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import pino from 'pino'
import { DoorbusterError } from '../engine/errors.js'

const packageFile = new URL('../../package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }

const wholeNumber = (least: number, most: number) => (text: string): number => {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new DoorbusterError('bad_option', `${text} is not a whole number from ${least} to ${most}`)
}

const option = (flags: string, description: string): Option => {
  const made = new Option(flags, description)
  return made.env(`DOORBUSTER_${made.attributeName().replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`)
}
const dataDirOption = (): Option => option('--data-dir <directory>', 'where the data is').default('./data')
const urlOption = (): Option => option('--url <url>', 'a running server').default('http://127.0.0.1:8080')

const program = new Command('doorbuster')
  .description('Order management with durable, serialized stock reservations.')
  .version(version)
  .showHelpAfterError()

program
  .command('serve')
  .description('serve HTTP and WebSocket')
  .addOption(option('--host <host>', 'address to listen on').default('127.0.0.1'))
  .addOption(option('--port <port>', 'port to listen on').default(8080).argParser(wholeNumber(0, 65_535)))
  .addOption(dataDirOption())
  .addOption(option('--partitions <n>', 'partitions of a new data directory').argParser(wholeNumber(1, 64)))
  .addOption(option('--threads <n>', 'threads that run them').argParser(wholeNumber(1, 64)))
  .addOption(option('--demo', 'load the demo network and catalogue into an empty data directory'))
  .addOption(new Option('--no-demo', 'start empty'))
  .addOption(option('--log-level <level>', 'what goes to standard error').default('info'))
  .action(async (options) => {
    const { serve } = await import('./cli/serve.js')
    await serve({ ...options, version })
  })

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
