/** docs/mutation.md, and one line of it. */
import type { Verdict } from './judging.ts'
import type { Mutant } from './mutants.ts'
import { reasons, type Kind, type Reason } from './reasons.ts'

export interface Judged {
  readonly mutant: Mutant
  readonly verdict: Verdict
}

export interface Judgement {
  readonly seed: number
  /** Out of how many mutants the sample was drawn, and whether these were all that there are. */
  readonly of: number
  readonly isWhole: boolean
  /** How many were drawn; when the time was over before the end, fewer are judged. */
  readonly drawn: number
  /** The summary before survivors were judged again by more tests; null: they were not. */
  readonly first: string | null
  readonly judged: readonly Judged[]
}

/** Wilson's 95 % interval of a share. */
const interval = (hits: number, of: number): readonly [number, number] => {
  const z = 1.96
  const share = hits / of
  const centre = share + (z * z) / (2 * of)
  const spread = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of))
  const scale = 1 + (z * z) / of
  return [(centre - spread) / scale, (centre + spread) / scale]
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

export const isAlive = ({ verdict: { status } }: Judged): boolean => status === 'survived' || status === 'uncovered'

const count = (judged: readonly Judged[], status: Verdict['status']): number =>
  judged.filter(({ verdict }) => verdict.status === status).length

/** Score, interval and counts on one line. */
export const summary = (judged: readonly Judged[]): string => {
  const hits = judged.length - judged.filter(isAlive).length
  const [low, high] = interval(hits, judged.length)
  const score = `${hits} of ${judged.length} killed: ${percent(hits / judged.length)}, 95 % interval ${percent(low)} to ${percent(high)}`
  return `${score}; ${count(judged, 'timeout')} of them hung, ${count(judged, 'survived')} survived, ${count(judged, 'uncovered')} are reached by no test`
}

const reasonFor = ({ mutant }: Judged): Reason | undefined =>
  reasons.find(
    ({ file, source, original }) =>
      file === mutant.file && mutant.source.includes(source) && (original === undefined || original === mutant.original),
  )

const code = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim()
  const short = line.length > 110 ? `${line.slice(0, 107)}...` : line
  return short === '' ? '(nothing)' : `\`\` ${short.replaceAll('|', '\\|')} \`\``
}

const headings: readonly (readonly [Kind | 'unread', string])[] = [
  ['equivalent', 'Equivalent: nothing that can happen tells them apart'],
  ['speed', 'Only speed: the same comes out, later or with more work'],
  ['diagnostics', 'Only diagnostics: what people read differs'],
  ['open', 'A test is missing'],
  ['unread', 'Not read yet'],
]

const section = (judged: readonly Judged[], kind: Kind | 'unread', heading: string): string => {
  const mine = judged.filter((one) => isAlive(one) && (reasonFor(one)?.kind ?? 'unread') === kind)
  if (mine.length === 0) return ''
  const rows = mine
    .toSorted((a, b) => a.mutant.file.localeCompare(b.mutant.file) || a.mutant.line - b.mutant.line)
    .map((one) => {
      const { file, line, original, replacement } = one.mutant
      const why = reasonFor(one)?.why ?? (one.verdict.status === 'uncovered' ? 'reached by no test' : '')
      return `| ${file}:${line} | ${code(original)} | ${code(replacement)} | ${why.replaceAll('|', '\\|')} |`
    })
  return `\n### ${heading} (${mine.length})\n\n| where | instead of | is | why it survives |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
}

const fileRow = (judged: readonly Judged[], file: string): string => {
  const mine = judged.filter(({ mutant }) => mutant.file === file)
  const alive = mine.filter(isAlive).length
  return `| ${file} | ${mine.length} | ${mine.length - alive} | ${alive} |`
}

const figures = ({ first, judged }: Judgement): string =>
  first === null
    ? `**${summary(judged)}.**`
    : `**As drawn: ${first}.** Then tests were written for what had survived, and the survivors were judged again: **${summary(judged)}.**
The second figure is that of this sample, not of the folder: mutants that were not drawn had no tests written for them. What the folder has now lies
between the two until another sample is drawn.`

export const page = (judgement: Judgement): string => {
  const { seed, of, drawn, judged } = judgement
  const part =
    judged.length < drawn
      ? ` Of ${drawn} that were drawn ${judged.length} were judged when the time was over; each process judges in the order
in which they were drawn, and gives survivors that loading reaches their second trial at the end, so these may lack it: the figure is rather too low.`
      : ''
  const files = [...new Set(judged.map(({ mutant }) => mutant.file))].sort()
  return `# Mutants of the protocol

Made by \`npm run mutation -- --sample ${drawn} --seed ${seed}\`; \`test/proof/mutation\` has the code, and the reasons below.${part}

${figures(judgement)}

StrykerJS's instrumenter makes the mutants, with all its mutators, of every file in \`src/pbft/protocol\`: ${of}. These are a uniform sample of them, drawn
with seed ${seed}. What judges: the tests in \`test/pbft/protocol\`, \`test/pbft/golden\` and \`test/pbft/faults\`, with four seeds instead of 25 in each test of
\`hostile-schedule\`, and six seeds of the simulator with 1,500 steps each. The other tests (\`test/sim\`, real processes, torture) do not judge, so what
survives here may die there. A mutant is killed when a test fails, or when it hangs; which happens by the count of how often the mutated place is
passed, not by a clock. Mutants that do not type-check count like all others.

StrykerJS's own runner is not used: it starts the test files anew for each mutant, which takes several times as long as the tests. Here all is loaded once
and each mutant is switched on in turn; only survivors that loading reaches are judged again with everything loaded anew.

## By file

| file | judged | killed | survived |
| --- | --- | --- | --- |
${files.map((file) => fileRow(judged, file)).join('\n')}

## Survivors
${headings.map(([kind, heading]) => section(judged, kind, heading)).join('')}`
}
