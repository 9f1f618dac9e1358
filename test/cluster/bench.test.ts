import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runBench, type BenchOptions } from '../../src/cluster/bench/bench.ts'
import { benchCases, selectCases } from '../../src/cluster/bench/cases.ts'
import { until } from '../support/until.ts'

const source = (path: string): string => join(import.meta.dirname, '../../src', path)
const folder = mkdtempSync(join(tmpdir(), 'pbft-bench-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const optionsFor = (names: readonly string[], signal: AbortSignal): BenchOptions => ({
  cases: selectCases(benchCases, names).cases,
  rounds: 1,
  warmUpMs: 1_000,
  measureMs: 1_000,
  folder,
  replicaEntry: source('replica/main.ts'),
  loadEntry: source('cluster/bench/load-main.ts'),
  signal,
  onRun: () => undefined,
})

describe('the bench', () => {
  it('measures real clusters, sets them against each other and leaves nothing', async () => {
    const names = ['put-1-none-signature', 'put-64-none-signature']
    const result = await runBench(optionsFor(names, new AbortController().signal))
    expect(result.machine).toMatchObject({ node: process.versions.node, folder })
    expect(result.cases.map(({ name, state, problem }) => ({ name, state, problem }))).toEqual(
      names.map((name) => ({ name, state: 'measured', problem: null })),
    )
    for (const one of result.cases) {
      expect(one.opsPerSecond).toBeGreaterThan(0)
      expect(one.p50Ms).toBeGreaterThan(0)
      expect(one.p99Ms).toBeGreaterThanOrEqual(one.p50Ms ?? Infinity)
      expect(one.runs).toHaveLength(1)
      expect(one.settings).toMatchObject({ replicas: 4, durability: 'none', valueBytes: 100, rounds: 1, measureMs: 1_000 })
      if (process.platform === 'linux') expect(one.rssMb).toBeGreaterThan(0)
    }
    const ratio = result.ratios.find(({ of }) => of === 'put-64-none-signature')
    expect(ratio?.ratio).toBeCloseTo((ratio?.opsPerSecond[0] ?? 0) / (ratio?.opsPerSecond[1] ?? 1))
    expect(readdirSync(folder)).toEqual([])
  })

  it('tells at once when a replica dies that it did not kill', async () => {
    const { signal } = new AbortController()
    const running = runBench({ ...optionsFor(['put-1-none-signature'], signal), warmUpMs: 60_000 })
    await until(() => readdirSync(folder).some((name) => existsSync(join(folder, name, 'load.log'))))
    const log = readFileSync(join(folder, readdirSync(folder)[0] ?? '', 'logs/replica-2.log'), 'utf8')
    process.kill(Number(/"pid":(\d+)/.exec(log)?.[1]), 'SIGKILL')
    const [only] = (await running).cases
    expect(only).toMatchObject({ state: 'failed', opsPerSecond: null })
    expect(only?.problem).toContain('replica 2 ended (SIGKILL')
    expect(readdirSync(folder)).toEqual([])
  })

  it('stops in the middle and leaves nothing', async () => {
    const controller = new AbortController()
    const running = runBench({ ...optionsFor(['put-1-none-signature'], controller.signal), measureMs: 60_000 })
    const stopped = expect(running).rejects.toThrow('enough')
    await until(() => readdirSync(folder).length > 0)
    controller.abort(new Error('enough'))
    await stopped
    expect(readdirSync(folder)).toEqual([])
  })
})
