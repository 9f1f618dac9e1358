/** Starts replica 0 of a cluster, prints its process id when it listens, and stays. Argument: cluster.json. */
import { spawnReplica } from './processes.ts'
import { until } from './until.ts'

const replica = spawnReplica(['--cluster', String(process.argv[2]), '--id', '0'])
await until(() => replica.ready() !== null)
process.stdout.write(`${replica.ready()?.pid}\n`)
