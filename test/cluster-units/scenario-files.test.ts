import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { listScenarios, readScenario } from '../../src/cluster/scenario/files.ts'
import { resolverOf } from '../../src/cluster/scenario/replicas.ts'
import { scenarioBytesMax, type ScenarioText } from '../../src/contract/scenarios.ts'
import type { ClusterStatus } from '../../src/contract/model.ts'

const folder = mkdtempSync(join(tmpdir(), 'pbft-panel-scenarios-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const library = resolve(import.meta.dirname, '../../resources/scenarios')
const text = { en: 'x' }
const minimal = {
  format: 1,
  name: 'own',
  title: text,
  summary: text,
  steps: [{ title: text, expect: text, acts: [] as unknown[], checks: [{ check: 'faults', count: 0 }] as unknown[] }],
}
const withStep = (step: { acts?: unknown[]; checks?: unknown[] }): unknown => ({ ...minimal, steps: [{ ...minimal.steps[0], ...step }] })

let files = 0
const written = (content: string | Uint8Array): string => {
  files += 1
  const file = join(folder, `${files}.json`)
  writeFileSync(file, content)
  return file
}
const problem = (value: unknown): string => {
  const read = readScenario(written(JSON.stringify(value)))
  return read.ok ? '' : read.error.message.replace(folder, '')
}

describe('scenario files', () => {
  it('the library is whole, and told in both languages', () => {
    const scenarios = listScenarios(library, 'library')
    expect(scenarios.filter(({ problem }) => problem !== null)).toEqual([])
    expect(scenarios.length).toBeGreaterThanOrEqual(13)
    for (const { file, name } of scenarios) {
      const read = readScenario(file)
      if (!read.ok) throw new Error(read.error.message)
      expect(file.endsWith(`${name}.json`)).toBe(true)
      const told: (ScenarioText | undefined)[] = [read.value.title, read.value.summary]
      for (const step of read.value.steps) told.push(step.title, step.expect, ...(step.say === undefined ? [] : [step.say]))
      expect(told.filter((words) => words?.['zh-CN'] === undefined)).toEqual([])
    }
  })

  it('takes the smallest one and fills in what was left out', () => {
    const read = readScenario(written(JSON.stringify(minimal)))
    expect(read.ok && read.value).toMatchObject({ replicasMin: 4, steps: [{ acts: [], withinMs: 20_000 }] })
  })

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['another format', JSON.stringify({ ...minimal, format: 2 })],
    ['an unknown field', JSON.stringify({ ...minimal, script: 'x' })],
    ['a name with a path in it', JSON.stringify({ ...minimal, name: '../x' })],
    ['no steps', JSON.stringify({ ...minimal, steps: [] })],
    ['a step without a check', JSON.stringify(withStep({ checks: [] }))],
    ['bytes that are no UTF-8', Uint8Array.of(0x22, 0xff, 0xfe, 0x22)],
    ['too many bytes', `"${' '.repeat(scenarioBytesMax)}"`],
  ])('refuses %s', (_, content) => {
    expect(readScenario(written(content)).ok).toBe(false)
  })

  it('refuses what is not a file', () => {
    expect(readScenario(folder).ok).toBe(false)
    expect(readScenario(join(folder, 'absent.json')).ok).toBe(false)
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling.json'))
    expect(readScenario(join(folder, 'dangling.json')).ok).toBe(false)
  })

  it.each([
    ['a replica that nobody remembered', { acts: [{ act: 'replica', replica: '@who', action: 'kill' }] }, '"who" is not named'],
    ['a group that nobody submitted', { checks: [{ check: 'answered', as: 'none', is: 'all' }] }, '"none" is not named'],
    ['a mark that nobody made', { checks: [{ check: 'view', since: 'then', is: 'same' }] }, '"then" is not named'],
    ['a fault that nobody injected', { acts: [{ act: 'heal', as: 'it' }] }, '"it" is not named'],
    ['a fault without its fields', { acts: [{ act: 'inject', fault: { type: 'delay', from: 0, to: 1 } }] }, 'steps.0.acts.0'],
    ['a fault with a field too many', { acts: [{ act: 'inject', fault: { type: 'isolate', replica: 0, x: 1 } }] }, 'steps.0.acts.0'],
    ['an alarm that does not exist', { checks: [{ check: 'alarm', is: ['fire'] }] }, '"fire" is none of'],
    ['a reason that does not exist', { checks: [{ check: 'view-reason', is: ['mood'] }] }, '"mood" is none of'],
  ])('refuses %s', (_, step, words) => {
    expect(problem(withStep(step))).toContain(words)
  })

  it('names replicas by id, by role and by memory', () => {
    const status = { n: 4, primary: 2 } as ClusterStatus
    const resolve = resolverOf(status, new Map([['old', 1]]))
    expect([resolve(3), resolve('primary'), resolve('backup-1'), resolve('backup-2'), resolve('@old')]).toEqual([3, 2, 3, 0, 1])
    expect(() => resolve(4)).toThrow('no replica 4')
    expect(() => resolve('backup-4')).toThrow('no backup-4')
    expect(() => resolve('@new')).toThrow('no replica @new')
    expect(() => resolverOf({ ...status, primary: null }, new Map())('primary')).toThrow('no quorum')
  })
})
