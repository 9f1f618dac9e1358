/** `npm run fuzz -- --inputs 1000000 --seed 1`: hostile input at everything that takes any. Exit code 1 on a problem. */
import { parseArgs } from 'node:util'
import type { Outcome } from './outcome.ts'
import { runFuzz } from './run.ts'

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)

const textOf = ({ part, inputs, accepted, refused, reasons, memoryMb, problems }: Outcome): string =>
  [
    `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${part}: ${inputs} inputs, ${accepted} accepted, ${refused} refused; memory ${memoryMb.join(' -> ')} MiB`,
    `     ${JSON.stringify(reasons)}`,
    ...problems.map((problem) => `     ${problem.slice(0, 600)}`),
  ].join('\n')

const began = performance.now()
const outcomes = await runFuzz({
  seed,
  inputs: Number(values.inputs),
  onPart: (outcome) => {
    if (!values.json) process.stdout.write(`${textOf(outcome)}\n`)
  },
})
const seconds = Math.round((performance.now() - began) / 1_000)
const inputs = outcomes.reduce((sum, outcome) => sum + outcome.inputs, 0)
const problems = outcomes.reduce((sum, outcome) => sum + outcome.problems.length, 0)
if (values.json) process.stdout.write(`${JSON.stringify({ seed, inputs, seconds, problems, outcomes }, null, 2)}\n`)
else process.stdout.write(`seed ${seed}: ${inputs} inputs in ${seconds} s, ${problems} problems\n`)
process.exit(problems === 0 ? 0 : 1)
