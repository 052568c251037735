/**
 * The peer PostgreSQL: the same reservation as one function call, one round trip and one transaction, driven by its own
 * load generator over its Unix socket. Each run takes the number of clients that served PostgreSQL best.
 */

import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Figure } from './figures.js'
import { latencyOf, type PgbenchReport, parsePgbenchLog, parsePgbenchReport } from './pgbench.js'
import { freePort, type Resources, type RunOptions } from './resources.js'
import { type Context, findProgram, type Scenario } from './scenario.js'

const STOCK_OF_EACH = 1_000_000_000
const WARM_UP_SECONDS = 2
const WARM_UP_CLIENTS = 8

/** Debian keeps the server's programs out of PATH; the newest version first. */
const BINARIES = versions().map((version) => join('/usr/lib/postgresql', version, 'bin'))

const SETTINGS = {
  listen_addresses: '',
  fsync: 'on',
  synchronous_commit: 'on',
  // Room enough that no checkpoint and no eviction falls into a run.
  shared_buffers: '512MB',
  max_wal_size: '8GB',
  checkpoint_timeout: '1h',
  // No standby will ever read this log, so it may be written in its leanest form.
  wal_level: 'minimal',
  max_wal_senders: '0',
}

/** Two buyers with one id at the same instant: the primary key refuses the second, and its stock is given back with it. */
const SCHEMA = `
create table stock (sku int primary key, available int not null check (available >= 0)) with (fillfactor = 50);
create table hold (
  id uuid primary key, sku int not null, quantity int not null, expires_at timestamptz not null, remaining int
);
insert into stock select sku, ${STOCK_OF_EACH} from generate_series(1, 1000) as sku;
create function reserve(wanted uuid, of_sku int, units int, ttl_seconds int) returns int language plpgsql as $$
declare
  answer int;
begin
  select remaining into answer from hold where id = wanted;
  if found then
    return answer;
  end if;
  update stock set available = available - units where sku = of_sku and available >= units returning available into answer;
  if not found then
    return -1;
  end if;
  insert into hold values (wanted, of_sku, units, now() + make_interval(secs => ttl_seconds), answer);
  return answer;
end $$;
vacuum analyze;
`

const TAKEN = `
select (select sum(${STOCK_OF_EACH}::bigint - available) from stock), (select count(*) from hold);
`

export const postgresScenarios = {
  // Where every client wants the one row's lock, more of them only wait for each other.
  hotRow: scenario('postgres-hot-row', 1, [2, 4, 8]),
  manySkus: scenario('postgres-1000-skus', 1_000, [8, 16, 32]),
}

function scenario(name: string, skus: number, clients: readonly number[]): Scenario {
  return {
    name,
    summary: `one function call a reservation, synchronous_commit on, ${clients.join(', ')} clients`,
    missing: postgresMissing,
    run: (context) => measure(context, name, skus, clients),
  }
}

function versions(): string[] {
  try {
    return readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a))
  } catch {
    // Not a Debian package: its programs may be in PATH.
    return []
  }
}

function postgresMissing(): string | undefined {
  const absent = ['initdb', 'postgres', 'pgbench', 'psql'].filter((name) => !findProgram(name, BINARIES))
  if (absent.length > 0) return `${absent.join(', ')} not found: run bench/setup.sh`
  if (process.getuid?.() === 0 && !unprivileged())
    return 'PostgreSQL refuses to run as root, and there is no user postgres'
  return undefined
}

/** The user that the server runs as: whoever runs the bench, except that root is refused by PostgreSQL. */
function unprivileged(): { uid: number; gid: number } | undefined {
  const { uid, gid } = userInfo()
  if (uid !== 0) return { uid, gid }
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'postgres')
  return entry && { uid: Number(entry[2]), gid: Number(entry[3]) }
}

interface Cluster {
  sql(text: string): Promise<string>
  bench(clients: number, skus: number, seconds: number): Promise<PgbenchReport & { latenciesUs: number[] }>
  stop(): Promise<void>
}

async function measure(context: Context, name: string, skus: number, choices: readonly number[]): Promise<Figure> {
  const cluster = await startCluster(context.resources)
  try {
    await cluster.sql(SCHEMA)
    let transactions = (await cluster.bench(WARM_UP_CLIENTS, skus, WARM_UP_SECONDS)).transactions
    const runs: Figure[] = []
    for (const clients of choices) {
      const report = await cluster.bench(clients, skus, context.seconds)
      if (report.failed > 0) throw new Error(`${report.failed} of PostgreSQL's transactions failed.`)
      transactions += report.transactions
      context.say(`  ${clients} clients: ${Math.round(report.perSecond)} /s`)
      runs.push({
        name,
        value: report.perSecond,
        unit: 'reservations/s',
        latency: latencyOf(report.latenciesUs),
        how: `pgbench, prepared, best of ${choices.join(', ')} clients: ${clients}`,
      })
    }
    const [taken, holds] = (await cluster.sql(TAKEN)).trim().split('|').map(Number)
    if (taken !== holds || holds !== transactions)
      throw new Error(`PostgreSQL took ${taken} units for ${holds} holds in ${transactions} transactions.`)
    return runs.reduce((best, run) => (run.value > best.value ? run : best))
  } finally {
    await cluster.stop()
  }
}

async function startCluster(resources: Resources): Promise<Cluster> {
  const user = unprivileged()
  if (!user) throw new Error('There is no user to run PostgreSQL as.')
  const directory = resources.directory(user)
  const data = join(directory, 'data')
  const as: RunOptions = { ...user, cwd: directory }
  const program = (name: string) => findProgram(name, BINARIES) ?? name
  await resources.run(program('initdb'), ['-D', data, '-A', 'trust', '-U', 'bench', '--no-locale', '-E', 'UTF8'], as)
  const port = String(await freePort())
  const settings = Object.entries(SETTINGS).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  const server = await resources.start(program('postgres'), ['-D', data, '-p', port, '-k', directory, ...settings], {
    ...user,
    cwd: directory,
    ready: /ready to accept connections/,
  })
  const connection = ['-h', directory, '-p', port, '-U', 'bench']
  const log = join(directory, 'transactions')
  return {
    sql: (input) => {
      const options = ['-X', '-q', '-t', '-A', '-v', 'ON_ERROR_STOP=1']
      return resources.run(program('psql'), [...connection, ...options, 'postgres'], { ...as, input })
    },
    async bench(clients, skus, seconds) {
      const input = `\\set sku random(1, ${skus})\nselect reserve(gen_random_uuid(), :sku, 1, 900);\n`
      // "-f -" reads the script from standard input.
      const options = ['-n', '-M', 'prepared', '-c', clients, '-j', 2, '-T', seconds, '-f', '-'].map(String)
      const logging = ['-l', `--log-prefix=${log}`]
      const report = await resources.run(program('pgbench'), [...connection, ...options, ...logging, 'postgres'], {
        ...as,
        input,
      })
      return { ...parsePgbenchReport(report), latenciesUs: takeLogs(directory) }
    },
    async stop() {
      // SIGTERM would let PostgreSQL wait for clients; SIGINT is its fast shutdown.
      await server.stop('SIGINT')
      resources.remove(directory)
    },
  }
}

/** Reads the transaction logs, one for each of pgbench's threads, and removes them so that the next run starts anew. */
function takeLogs(directory: string): number[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith('transactions.'))
    .flatMap((name) => {
      const path = join(directory, name)
      const latenciesUs = parsePgbenchLog(readFileSync(path, 'utf8'))
      rmSync(path)
      return latenciesUs
    })
}
