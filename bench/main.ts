/**
 * `npm run bench -- [scenario ...]`: our engine beside Redis and PostgreSQL, on one machine in one run. Progress goes to
 * standard error, a table and one JSON object a line to standard output.
 */
import { writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { enduranceScenarios } from './engine-endurance.js'
import { rateScenarios } from './engine-rates.js'
import { type Figure, jsonLine, medianFigure, rowsOf, table } from './figures.js'
import { machine, temporaryDirectoryIsMemory } from './machine.js'
import { natsScenarios } from './nats-rates.js'
import { orderRateScenarios } from './order-rates.js'
import { orderRestScenarios } from './order-rest.js'
import { postgresScenarios } from './postgres.js'
import { redisScenarios } from './redis.js'
import { Resources } from './resources.js'
import type { Context, Scenario } from './scenario.js'

interface Options {
  readonly seconds: number
  readonly minutes: number
  readonly rounds: number
  readonly orders: number
  readonly profile?: string
  readonly out?: string
  readonly list?: boolean
}

/** Who is measured against whom stand beside each other, so that both meet the machine in the same mood. */
const SCENARIOS: readonly Scenario[] = [
  rateScenarios.packed256,
  redisScenarios.alwaysPipelined,
  rateScenarios.packed64,
  rateScenarios.packed1024,
  rateScenarios.packedHot,
  postgresScenarios.hotRow,
  rateScenarios.single,
  redisScenarios.always,
  redisScenarios.everysec,
  redisScenarios.everysecPipelined,
  postgresScenarios.manySkus,
  rateScenarios.http,
  rateScenarios.idle,
  rateScenarios.open,
  rateScenarios.million,
  enduranceScenarios.memoryReservations,
  enduranceScenarios.memorySkus,
  enduranceScenarios.churn,
  enduranceScenarios.recovery,
  enduranceScenarios.replay,
  natsScenarios.packed,
  natsScenarios.commands,
  natsScenarios.intake,
  natsScenarios.bare,
  orderRateScenarios.placed,
  orderRateScenarios.whole,
  orderRateScenarios.latency,
  orderRateScenarios.told,
  orderRateScenarios.beside,
  orderRestScenarios.memoryOpen,
  orderRestScenarios.memoryClosed,
  orderRestScenarios.pages,
]

const say = (line: string) => process.stderr.write(`${line}\n`)

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 3_600)) throw new InvalidArgumentError('A number above 0, at most 3600.')
  return value
}

function count(text: string): number {
  const value = Number(text)
  if (!(Number.isInteger(value) && value >= 1_000 && value <= 10_000_000)) {
    throw new InvalidArgumentError('A whole number from 1,000 to 10,000,000.')
  }
  return value
}

/** A scenario is meant by its name, or by the word that it shares with others of its kind: `orders`. */
function isMeant({ name }: Scenario, asked: string): boolean {
  return name === asked || name.startsWith(`${asked}-`)
}

async function main(names: readonly string[], options: Options): Promise<void> {
  if (options.list) {
    for (const { name, summary } of SCENARIOS) process.stdout.write(`${name.padEnd(24)}${summary}\n`)
    return
  }
  const unknown = names.filter((name) => !SCENARIOS.some((scenario) => isMeant(scenario, name)))
  if (unknown.length > 0) {
    say(`No scenario is named ${unknown.join(', ')}; --list names them.`)
    process.exitCode = 2
    return
  }
  if (temporaryDirectoryIsMemory())
    say('The temporary directory is in memory, where a flush costs nothing: set TMPDIR to a directory on a disk.')

  const resources = new Resources(options.profile ? ['--cpu-prof', `--cpu-prof-dir=${options.profile}`] : [])
  const interrupted = async (signal: NodeJS.Signals) => {
    await resources.endSoon()
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  process.once('exit', () => resources.endAll())

  const chosen = SCENARIOS.filter((scenario) => names.length === 0 || names.some((name) => isMeant(scenario, name)))
  const figures = await measureAll(chosen, resources, options)
  const rows = rowsOf(figures, new Map(SCENARIOS.map(({ name, against }) => [name, against ?? []])))
  const about = machine()
  const lines = rows.map((row) => jsonLine(row, about))
  if (rows.length > 0) process.stdout.write(`${table(rows)}\n\n${lines.join('\n')}\n`)
  if (options.out) writeFileSync(options.out, `${lines.join('\n')}\n`)
}

/** Runs the scenarios, round after round where there is a ratio, and resolves the median of each. */
async function measureAll(chosen: readonly Scenario[], resources: Resources, options: Options): Promise<Figure[]> {
  const measured = new Map<string, Figure[]>()
  const context: Context = {
    resources,
    seconds: options.seconds,
    minutes: options.minutes,
    orders: options.orders,
    say,
    figure: (name) => {
      const figures = measured.get(name)
      return figures && medianFigure(figures)
    },
  }
  const compared = new Set(chosen.flatMap(({ name, against }) => (against?.length ? [name, ...against] : [])))
  const runnable = chosen.filter((scenario) => {
    const why = scenario.missing?.()
    if (why) say(`skipped ${scenario.name}: ${why}`)
    return !why
  })
  for (let round = 1; round <= options.rounds; round++) {
    for (const scenario of runnable) {
      if (resources.ending || (round > 1 && !compared.has(scenario.name))) continue
      say(`${scenario.name}${options.rounds > 1 ? `, round ${round}` : ''}: ${scenario.summary}`)
      try {
        const figure = await scenario.run(context)
        measured.set(scenario.name, [...(measured.get(scenario.name) ?? []), figure])
        say(`  ${Math.round(figure.value * 100) / 100} ${figure.unit}`)
      } catch (error) {
        if (resources.ending) continue
        // One scenario that fails says so and takes nothing from the others.
        process.exitCode = 1
        say(`  FAILED: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  return runnable.flatMap(({ name }) => context.figure(name) ?? [])
}

await new Command('bench')
  .description('Measures the engine, and Redis and PostgreSQL beside it.')
  .argument('[scenario...]', 'which to run, or the first word of several; all where none is named')
  .option('--seconds <n>', 'seconds of each measurement', positive, 10)
  .option('--minutes <n>', 'minutes of the scenario that looks for growth', positive, 1)
  .option('--rounds <n>', 'rounds of what is compared, ours and the peer in turn; the median counts', positive, 1)
  .option('--orders <n>', 'orders of each measurement of orders', count, 200_000)
  .option('--profile <directory>', "write CPU profiles of our server's threads there, one for each when it ends")
  .option('--out <file>', 'write the JSON lines there too')
  .option('--list', 'name the scenarios')
  .action(main)
  .parseAsync()
