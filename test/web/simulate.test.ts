/** `pbft-panel simulate`, as a process. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { problemOfSources } from '../../src/web/simulation/mutated-copy.ts'

const cli = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'src', 'web', 'cli.ts')

const simulate = async (words: string, interruptAt?: string): Promise<{ code: number | null; out: string; err: string }> => {
  const child = spawn(process.execPath, [cli, 'simulate', ...words.split(' ')])
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  child.stderr.on('data', (chunk) => {
    err += String(chunk)
    if (interruptAt !== undefined && err.includes(interruptAt)) child.kill('SIGINT')
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, out, err }
}

describe('pbft-panel simulate', { timeout: 240_000 }, () => {
  it('answers in JSON, the same however many threads there are', async () => {
    const runs = await Promise.all([1, 3].map((threads) => simulate(`--seeds 6 --steps 300 --threads ${threads} --json`)))
    const [one, three] = runs.map(({ out }) => JSON.parse(out) as Record<string, unknown>)
    expect(one).toMatchObject({ seeds: 6, violations: [], cancelled: false, shrunk: null })
    expect({ ...three, seconds: 0 }).toEqual({ ...one, seconds: 0 })
    expect(runs.map(({ code }) => code)).toEqual([0, 0])
  })

  it('prints the same trace for the same seed, to the byte', async () => {
    const [first, second] = await Promise.all([1, 2].map(() => simulate('--first 12 --seeds 1 --steps 400 --trace')))
    const withoutRate = (text: string): string => text.slice(0, text.lastIndexOf(';'))
    expect(withoutRate(second!.out)).toBe(withoutRate(first!.out))
    expect(first!.out.split('\n').length).toBeGreaterThan(400)
  })

  it('names the planted bugs, and refuses others, and parts that there are not', async () => {
    const { code, out } = await simulate('--plant list')
    expect(code).toBe(0)
    expect(out).toMatch(/^mixed-digests +8 {2}votes/m)
    const wrong = await Promise.all(['--plant nothing', '--without something', '--replicas 3', '--seeds 0'].map((words) => simulate(words)))
    for (const { code: exitCode, out: said, err } of wrong) {
      expect(exitCode).toBe(2)
      expect(said).toBe('')
      expect(err.trim().split('\n')).toHaveLength(1)
    }
  })

  it('finds a planted bug, ends with 1, and shows the least that it takes', async () => {
    const { code, out } = await simulate('--plant prepare-as-commit --first 36 --seeds 1 --steps 3000 --shrink --json')
    const { violations, shrunk } = JSON.parse(out) as { violations: { seed: number; checker: string }[]; shrunk: { runs: number } | null }
    expect(code).toBe(violations.length > 0 ? 1 : 0)
    expect(shrunk === null).toBe(violations.length === 0)
  })

  it('when it is interrupted, says what it has found', async () => {
    const { code, out } = await simulate('--seeds 1000000 --steps 200 --threads 1 --json', 'of 1000000 seeds')
    expect(JSON.parse(out)).toMatchObject({ cancelled: true, violations: [] })
    expect(code).toBe(0)
  })

  it('without the sources there are no planted bugs', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pbft-no-sources-'))
    expect(problemOfSources(folder)).toMatch('needs the sources')
    rmSync(folder, { recursive: true })
  })
})
