import { Resources } from './dist/bench/resources.js'
import { Server } from './dist/bench/server.js'
import { fill } from './dist/bench/catalogue.js'
import { runLoad } from './dist/bench/load.js'
const r = new Resources(); process.on('exit', () => r.endAll())
const shapes = process.argv.slice(2).map(s => s.split('x').map(Number))
for (const [recordsPerFrame, sockets, framesInFlight] of shapes) {
  const s = await Server.start(r)
  const c = await fill(s, 1000)
  const cpu = () => { const f = require('fs').readFileSync(`/proc/${s.pid}/stat`,'utf8').split(' '); return (+f[13] + +f[14]) / 100 }
  const x = await runLoad(r, { kind: 'closed', port: s.port, skus: c.skus, recordsPerFrame, sockets, framesInFlight, warmUpMs: 1500, measureMs: 3000 })
  console.log(`${recordsPerFrame} a frame, ${sockets} x ${framesInFlight}: ${Math.round(x.operations / x.seconds)} p50 ${x.latency.p50Ms} p99 ${x.latency.p99Ms} gen ${x.generatorLoad.toFixed(2)} ${JSON.stringify(x.refused)}`)
  await s.stop()
}
process.exit()
