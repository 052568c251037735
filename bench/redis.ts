/**
 * The peer Redis: the same reservation as a Lua script, driven by Redis's own load generator in C, so that no slow
 * client of ours makes it look slow. Where a choice had to be made it favours Redis: a hold is one key that expires by
 * itself, though nothing then gives its stock back; and the append-only file is never rewritten during a run.
 */
import type { Figure } from './figures.js'
import { parseRedisReport, type RedisReport } from './redis-benchmark.js'
import { freePort, type Resources } from './resources.js'
import { type Context, findProgram, type Scenario } from './scenario.js'

const SKUS = 1_000
const STOCK_OF_EACH = 1_000_000_000
const CONNECTIONS = 50
const TTL_SECONDS = 900
const WARM_UP_REQUESTS = 50_000

/** Idempotent by the hold's id; checks and takes the stock; records the hold with its SKU, quantity and expiry. */
const RESERVE = `
local first = redis.call('GET', KEYS[2])
if first then return first end
local remaining = redis.call('DECRBY', KEYS[1], ARGV[1])
if remaining < 0 then
  redis.call('INCRBY', KEYS[1], ARGV[1])
  return -1
end
redis.call('SET', KEYS[2], KEYS[1] .. ' ' .. ARGV[1] .. ' ' .. remaining, 'EX', ARGV[2])
return remaining
`

/** redis-benchmark puts twelve random digits below \`-r\` in each place: three of them are as long as a UUID's text. */
const RANDOM = '__rand_int__'
const SEED = `
for sku = 0, ${SKUS - 1} do redis.call('SET', string.format('stock:%012d', sku), ${STOCK_OF_EACH}) end
`
const TAKEN = `
local taken = 0
for sku = 0, ${SKUS - 1} do taken = taken + ${STOCK_OF_EACH} - redis.call('GET', string.format('stock:%012d', sku)) end
return taken
`

type Fsync = 'always' | 'everysec'

export const redisScenarios = {
  always: scenario('always', 1),
  alwaysPipelined: scenario('always', 64),
  everysec: scenario('everysec', 1),
  everysecPipelined: scenario('everysec', 64),
}

function scenario(fsync: Fsync, pipeline: number): Scenario {
  return {
    name: `redis-lua-${fsync}-p${pipeline}`,
    summary: `Lua reserve, appendfsync ${fsync}, ${CONNECTIONS} connections, pipeline ${pipeline}`,
    missing: redisMissing,
    run: (context) => measure(context, fsync, pipeline),
  }
}

function redisMissing(): string | undefined {
  const absent = ['redis-server', 'redis-cli', 'redis-benchmark'].filter((name) => !findProgram(name))
  return absent.length > 0 ? `${absent.join(', ')} not found: run bench/setup.sh` : undefined
}

async function measure(context: Context, fsync: Fsync, pipeline: number): Promise<Figure> {
  const { resources, seconds } = context
  const port = await freePort()
  const directory = resources.directory()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '']
  const durable = ['--appendonly', 'yes', '--appendfsync', fsync, '--auto-aof-rewrite-percentage', '0']
  const server = await resources.start('redis-server', [...args, ...durable], { ready: /Ready to accept connections/ })
  try {
    await query(resources, port, ['EVAL', SEED, '0'])
    const script = (await query(resources, port, ['SCRIPT', 'LOAD', RESERVE])).trim()
    const warmUp = await load(resources, port, script, pipeline, WARM_UP_REQUESTS, seconds)
    const requests = Math.max(WARM_UP_REQUESTS, Math.round(warmUp.perSecond * seconds))
    const report = await load(resources, port, script, pipeline, requests, seconds)
    await verify(resources, port, warmUp.requests + report.requests)
    return {
      name: `redis-lua-${fsync}-p${pipeline}`,
      value: report.perSecond,
      unit: 'reservations/s',
      latency: report.latency,
      how: `redis-benchmark, ${CONNECTIONS} connections, pipeline ${pipeline}, ${SKUS} SKUs`,
    }
  } finally {
    await server.stop()
    resources.remove(directory)
  }
}

async function load(
  resources: Resources,
  port: number,
  script: string,
  pipeline: number,
  requests: number,
  seconds: number,
): Promise<RedisReport> {
  const options = ['-p', port, '-c', CONNECTIONS, '-P', pipeline, '-n', requests, '-r', SKUS].map(String)
  const command = ['EVALSHA', script, '2', `stock:${RANDOM}`, `hold:${RANDOM}${RANDOM}${RANDOM}`, '1', `${TTL_SECONDS}`]
  const timeoutMs = 30_000 + seconds * 10_000
  // Its progress comes as lines that overwrite each other.
  const report = await resources.run('redis-benchmark', [...options, ...command], { timeoutMs })
  return parseRedisReport(report.replaceAll('\r', '\n'))
}

/** redis-benchmark counts an error's reply like any other: what counts is what Redis has recorded. */
async function verify(resources: Resources, port: number, requests: number): Promise<void> {
  const holds = Number(await query(resources, port, ['DBSIZE'])) - SKUS
  const taken = Number(await query(resources, port, ['EVAL', TAKEN, '0']))
  if (taken !== holds) throw new Error(`Redis took ${taken} units for ${holds} holds.`)
  // Random ids meet now and then, and the second one is then the first one's repeat.
  if (holds < requests * 0.99) throw new Error(`Redis has ${holds} holds after ${requests} requests.`)
}

function query(resources: Resources, port: number, command: readonly string[]): Promise<string> {
  return resources.run('redis-cli', ['-p', String(port), '-e', ...command], { timeoutMs: 60_000 })
}
