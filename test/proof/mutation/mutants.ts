/** The mutants of the protocol: found and switched in by StrykerJS's instrumenter, so that many are judged in one process. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Instrumenter } from '@stryker-mutator/instrumenter'
import { Random } from '../../support/random.ts'

export const mutatedFolder = 'src/pbft/protocol'

export interface Mutant {
  readonly id: string
  /** What it is known by when lines have moved. */
  readonly key: string
  /** Its name in the mutated folder. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** The line of the source in which it begins, trimmed. */
  readonly source: string
  readonly original: string
  readonly replacement: string
  readonly mutator: string
}

export interface Mutation {
  readonly mutants: readonly Mutant[]
  /** Sources in which every mutant is there and waits to be chosen, by file name. */
  readonly sources: ReadonlyMap<string, string>
}

const quiet = (): void => {}
const off = (): boolean => false
const logger = {
  ...{ isTraceEnabled: off, isDebugEnabled: off, isInfoEnabled: off, isWarnEnabled: off, isErrorEnabled: off, isFatalEnabled: off },
  ...{ trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet, fatal: quiet },
}

interface Place {
  readonly line: number
  readonly column: number
}

/** The text between two places, lines from 0, on one line. */
const between = (lines: readonly string[], start: Place, end: Place): string => {
  const part = lines.slice(start.line, end.line + 1)
  part[part.length - 1] = (part.at(-1) ?? '').slice(0, end.column)
  part[0] = (part[0] ?? '').slice(start.column)
  return part.map((line) => line.trim()).join(' ')
}

/** All mutants of all files of the folder; the same sources give the same ids. */
export const findMutants = async (root: string): Promise<Mutation> => {
  const names = readdirSync(join(root, mutatedFolder))
    .filter((name) => name.endsWith('.ts'))
    .sort()
  const contents = new Map(names.map((name) => [name, readFileSync(join(root, mutatedFolder, name), 'utf8')]))
  const files = [...contents].map(([name, content]) => ({ name, content, mutate: true }))
  const { files: instrumented, mutants } = await new Instrumenter(logger).instrument(files, {
    plugins: null,
    excludedMutations: [],
    ignorers: [],
  })
  const seen = new Map<string, number>()
  return {
    mutants: mutants.map(({ id, fileName, location, mutatorName, replacement }) => {
      const lines = (contents.get(fileName) ?? '').split('\n')
      const original = between(lines, location.start, location.end)
      const source = (lines[location.start.line] ?? '').trim()
      const known = JSON.stringify([fileName, source, original, replacement])
      const nth = (seen.get(known) ?? 0) + 1
      seen.set(known, nth)
      const key = `${known} ${nth}`
      return { id, key, file: fileName, line: location.start.line + 1, source, original, replacement, mutator: mutatorName }
    }),
    sources: new Map(instrumented.map(({ name, content }) => [name, content])),
  }
}

/** A uniform sample, in an order that is drawn too: each beginning of it is a uniform sample. */
export const sampleOf = (mutants: readonly Mutant[], size: number, seed: number): readonly Mutant[] => {
  const random = new Random(seed)
  const all = mutants.slice()
  const sample: Mutant[] = []
  while (sample.length < size && all.length > 0) sample.push(...all.splice(random.below(all.length), 1))
  return sample
}

/** The source with only these mutants in it; the others are taken out, since each costs a question wherever it stands. */
export const withOnly = (source: string, ids: ReadonlySet<string>): string =>
  source
    .replace(/stryMutAct_9fa48\("(\d+)"\)/g, (switched, id: string) => (ids.has(id) ? switched : 'false'))
    .replace(/stryCov_9fa48\(((?:"\d+"(?:, )?)+)\)/g, (_, list: string) => {
      const kept = list.split(', ').filter((quoted) => ids.has(quoted.slice(1, -1)))
      return kept.length === 0 ? '0' : `stryCov_9fa48(${kept.join(', ')})`
    })
