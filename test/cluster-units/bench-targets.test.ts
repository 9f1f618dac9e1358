import { expect, it } from 'vitest'
import type { CaseResult, RatioResult } from '../../src/cluster/bench/bench.ts'
import { benchCases, comparisons, type BenchCase } from '../../src/cluster/bench/cases.ts'
import { judgeTargets } from '../../src/cluster/bench/targets.ts'

const caseNamed = (name: string): BenchCase => {
  const found = benchCases.find((one) => one.name === name)
  if (found === undefined) throw new Error(`there is no case ${name}`)
  return found
}

const measured = (name: string, figures: Partial<CaseResult>): CaseResult => ({
  name,
  opsPerSecond: null,
  p50Ms: null,
  p99Ms: null,
  rssMb: null,
  loadRssMb: null,
  nodesCpu: null,
  busiestCpu: null,
  loadCpu: null,
  othersCpu: null,
  nodeUsPerOp: null,
  loadUsPerOp: null,
  opsPerCpuSecond: null,
  requestsPerBatch: null,
  longestGapMs: null,
  resent: 0,
  wrong: 0,
  runs: [],
  settings: { ...caseNamed(name).settings, warmUpMs: 1, measureMs: 1, rounds: 1 },
  state: 'measured',
  problem: null,
  ...figures,
})

it('every name is one of a case, and both sides of every comparison of our own exist', () => {
  const names = benchCases.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const { of, to } of comparisons) for (const side of [of, to]) if (!side.startsWith('etcd')) expect(names).toContain(side)
})

it('a peak is the best of its cases, memory the worst, and what was not measured is left out', () => {
  const judged = judgeTargets(
    [
      measured('put-400-none-mac', { opsPerSecond: 31_000, rssMb: 150 }),
      measured('put-1600-none-mac', { opsPerSecond: 33_000, rssMb: 210 }),
      measured('put-64-full-mac-stop-backup', { opsPerSecond: 90_000, rssMb: 900 }),
    ],
    [],
  )
  expect(judged.map(({ name, from, isMet }) => ({ name, from, isMet }))).toEqual([
    { name: 'peak ops/s, mac, none', from: 'put-1600-none-mac', isMet: true },
    { name: 'memory of a replica, MiB', from: 'put-1600-none-mac', isMet: false },
  ])
  expect(judged[0]).toMatchObject({ measured: 33_000, target: 30_000, ratio: 1.1 })
})

it('the worst behaviour decides', () => {
  const ratioOf = (behaviour: string, ratio: number): RatioResult => {
    const of = caseNamed(`put-64-full-mac-byzantine-${behaviour}`).name
    return { name: behaviour, of, to: 'put-64-full-mac', opsPerSecond: [ratio, 1], ratio, cpuRatio: ratio }
  }
  const [only] = judgeTargets([], [ratioOf('silent', 0.7), ratioOf('slow-primary', 0.3), ratioOf('forge', 0.9)])
  expect(only).toMatchObject({ from: 'put-64-full-mac-byzantine-slow-primary', measured: 0.3, isMet: false })
})
