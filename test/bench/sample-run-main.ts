/**
 * Makes resources/runs/sample.pbftrun anew, on a real cluster: `npm run sample-run`. Needed when what is recorded, or the file's format, changes.
 * Its story is that of the panel's first screen: the primary is cut off, a replica lies, another one is killed and comes back.
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sampleRun } from '../../src/web/paths.ts'
import { openBenchHost } from './recorded-run.ts'

/** Quick enough that the tests which open it stay short, long enough that each part has its place on the time bar. */
const partMs = 6_000
const load = { clients: 4, ratePerSecond: 30, keys: 50, valueBytes: 40, durationMs: 3_600_000 }

const folder = mkdtempSync(join(tmpdir(), 'pbft-panel-sample-'))
const { host, call } = openBenchHost(folder)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await pause(50)
}
const view = async (): Promise<number> => (await call('status', {})).view ?? 0
const inStep = async (): Promise<boolean> => {
  const { replicas } = await call('status', {})
  return replicas.every(
    ({ state, lastExecuted, pending }) => state === 'live' && pending === 0 && lastExecuted === replicas[0]?.lastExecuted,
  )
}

try {
  // Checkpoints often enough that there are some.
  await call('createCluster', {
    name: 'harbour',
    replicas: 4,
    durability: 'process',
    parameters: { checkpointInterval: 32, logWindow: 64 },
  })
  await call('openCluster', { name: 'harbour' })
  // Whoever shows it shows what keys hold as text.
  await call('submit', { operation: { type: 'put', key: '<img src=x onerror=alert(1)>', value: 'text' } })
  await call('startLoad', load)
  await pause(partMs)

  await call('annotate', { at: Date.now(), text: 'The primary is cut off from the others.' })
  const cut = await call('injectFault', { fault: { type: 'isolate', replica: 0 } })
  await until(async () => (await view()) > 0)
  await pause(partMs / 2)
  await call('healFault', { id: cut.id })
  await pause(partMs / 2)

  const { primary } = await call('status', {})
  const lie = await call('injectFault', { fault: { type: 'byzantine', replica: primary ?? 1, behaviour: 'equivocate' } })
  await until(async () => (await call('evidence', {})).length > 0)
  await call('healFault', { id: lie.id })
  await pause(partMs / 2)

  await call('controlReplica', { id: 3, action: 'kill' })
  await pause(partMs / 2)
  await call('controlReplica', { id: 3, action: 'start' })
  await pause(partMs / 2)
  await call('stopLoad', {})
  await until(inStep)
  await call('closeCluster', {})

  const [run] = (await call('runs', {})).runs
  const made = await call('exportRun', { id: run?.id ?? '', as: 'run' })
  const parts: Buffer[] = []
  for (let offset: number | null = 0; offset !== null;) {
    const part: { data: string; next: number | null } = await call('exportPart', { file: made.file, offset })
    parts.push(Buffer.from(part.data, 'base64'))
    offset = part.next
  }
  writeFileSync(`${sampleRun}.new`, Buffer.concat(parts))
  renameSync(`${sampleRun}.new`, sampleRun)
  process.stdout.write(`${sampleRun}: ${made.bytes} bytes, ${run?.figures.requests ?? 0} requests, ${run?.verdict ?? ''}\n`)
} finally {
  await host.close()
  rmSync(folder, { recursive: true, force: true })
}
