/** A process that hosts a cluster until it is killed: `node hosting.ts FOLDER NAME`. Prints one JSON line when it is ready. */
import { eventually, openTestHost } from './host.ts'

const [folder = '', name = ''] = process.argv.slice(2)
const test = openTestHost(folder)
const status = await test.call('openCluster', { name })
for (let i = 0; i < 5; i += 1) await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 20_000 })
await test.call('injectFault', { fault: { type: 'pause', replica: 3 } })
const page = await eventually('the log is read', async () => {
  const now = await test.call('log', { limit: 100 })
  return now.entries.flatMap(({ requests }) => requests).length === 5 ? now : null
})
// Every second is recorded as it ends, with everything that happened in it.
const { at } = await test.call('status', {})
await eventually('two more seconds are recorded', async () => (await test.call('samples', { since: at })).length >= 2)
process.stdout.write(`${JSON.stringify({ replicas: status.replicas, entries: page.entries.length })}\n`)
