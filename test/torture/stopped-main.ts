/** `npm run pitfall28 -- --requests 100000`: the full count of pitfall 28. Exit code 1 when the cap is exceeded or it does not come back. `--calm`: nobody is stopped. */
import { parseArgs } from 'node:util'
import { runStoppedReplica, stoppedPeerCapMb } from './stopped-replica.ts'

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '100000' }, cap: { type: 'string' }, calm: { type: 'boolean', default: false } },
})
const capMb = Number(values.cap ?? stoppedPeerCapMb)
const figures = await runStoppedReplica(Number(values.requests), !values.calm)
process.stdout.write(`${JSON.stringify({ capMb, ...figures }, null, 2)}\n`)
process.exit(figures.highestMb <= capMb && figures.backMs !== null && figures.failed === 0 ? 0 : 1)
