/** Scenario files: read, validated, listed. Hostile or broken ones give an error that says where. */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as v from 'valibot'
import { faultRequestSchema } from '../../contract/faults.ts'
import { fail, ok, type Result } from '../../contract/result.ts'
import { scenarioBytesMax, scenarioSchema, type Scenario, type ScenarioSummary } from '../../contract/scenarios.ts'
import { alarmSentences, viewReasonSentences } from '../../contract/verdicts.ts'
import { faultWith } from './replicas.ts'

const extension = '.json'

const readText = (file: string): Result<string> => {
  let descriptor: number | null = null
  try {
    descriptor = openSync(file, 'r')
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) return fail('bad-request', `${file} is not a file.`)
    if (stat.size > scenarioBytesMax)
      return fail('too-large', `${file} has ${stat.size} bytes; a scenario has at most ${scenarioBytesMax}.`)
    const bytes = Buffer.alloc(scenarioBytesMax)
    const length = readSync(descriptor, bytes, 0, bytes.length, 0)
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length)))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return fail('not-found', `There is no file ${file}.`)
    return fail('bad-request', `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    if (descriptor !== null) closeSync(descriptor)
  }
}

const parse = (file: string, text: string): Result<unknown> => {
  try {
    return ok(JSON.parse(text))
  } catch (error) {
    return fail('bad-request', `${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

interface Problem {
  readonly path: string
  readonly message: string
}

/** What the schema cannot say: names that are used before they are given, faults that no replica would take, unknown keys. */
const problemsOf = (scenario: Scenario): Problem[] => {
  const problems: Problem[] = []
  const named = { '@': new Set<string>(), mark: new Set(['start', 'step']), group: new Set<string>(), fault: new Set<string>() }
  const need = (kind: keyof typeof named, name: string, path: string): void => {
    if (!named[kind].has(name)) problems.push({ path, message: `"${name}" is not named by an earlier act` })
  }
  const needReplicas = (value: unknown, path: string): void => {
    for (const [, name] of JSON.stringify(value).matchAll(/"@([a-z0-9-]+)"/g)) need('@', name ?? '', path)
  }
  for (const [s, step] of scenario.steps.entries()) {
    for (const [a, act] of step.acts.entries()) {
      const path = `steps.${s}.acts.${a}`
      needReplicas(act, path)
      if (act.act === 'heal') need('fault', act.as, path)
      if (act.act === 'remember') named['@'].add(act.as)
      if (act.act === 'mark') named.mark.add(act.as)
      if (act.act === 'submit') named.group.add(act.as)
      if (act.act !== 'inject') continue
      if (act.as !== undefined) named.fault.add(act.as)
      const fault = v.safeParse(
        faultRequestSchema,
        faultWith(act.fault, () => 0),
      )
      if (!fault.success) problems.push({ path, message: fault.issues[0].message })
    }
    for (const [c, check] of step.checks.entries()) {
      const path = `steps.${s}.checks.${c}`
      needReplicas(check, path)
      if ('as' in check) need('group', check.as, path)
      if ('since' in check) need('mark', check.since, path)
      const known =
        check.check === 'alarm'
          ? keysIn(alarmSentences, 'alarm.')
          : check.check === 'view-reason'
            ? keysIn(viewReasonSentences, 'view.reason.')
            : null
      if (known === null || !('is' in check)) continue
      for (const key of check.is) if (!known.has(key)) problems.push({ path, message: `"${key}" is none of ${[...known].join(', ')}` })
    }
  }
  return problems
}

const keysIn = (sentences: Readonly<Record<string, string>>, prefix: string): ReadonlySet<string> =>
  new Set(Object.keys(sentences).map((key) => key.slice(prefix.length)))

/** Errors: `not-found`, `too-large`, `bad-request` with `details` that list where. */
export const readScenario = (file: string): Result<Scenario> => {
  const text = readText(file)
  if (!text.ok) return text
  const value = parse(file, text.value)
  if (!value.ok) return value
  const parsed = v.safeParse(scenarioSchema, value.value)
  const problems = parsed.success
    ? problemsOf(parsed.output)
    : parsed.issues.slice(0, 20).map((issue) => ({ path: v.getDotPath(issue) ?? '', message: issue.message }))
  const [first] = problems
  if (first !== undefined) return fail('bad-request', `${file}: ${first.path}: ${first.message}`, problems)
  return parsed.success ? ok(parsed.output) : fail('bad-request', `${file} is no scenario.`)
}

const summaryOf = (file: string, source: ScenarioSummary['source']): ScenarioSummary => {
  const read = readScenario(file)
  if (read.ok) {
    const { name, title, summary, replicasMin, steps } = read.value
    return { name, file, source, title, summary, replicasMin, steps: steps.length, problem: null }
  }
  const name = basename(file, extension)
  return { name, file, source, title: { en: name }, summary: { en: '' }, replicasMin: 1, steps: 0, problem: read.error.message }
}

/** Every scenario file of a folder, by file name; none when there is no such folder. */
export const listScenarios = (folder: string, source: ScenarioSummary['source']): ScenarioSummary[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(extension))
        .sort()
        .map((name) => summaryOf(join(folder, name), source))
    : []

/** The file of a library scenario. */
export const libraryFile = (folder: string, name: string): string => join(folder, `${name}${extension}`)
