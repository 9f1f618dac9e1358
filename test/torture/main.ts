/**
 * `npm run torture -- --minutes 10 --seed 1 --replicas 4`: a real cluster under harm, judged. Exit code 1 on a violation; then data, logs
 * and history stay, and the last line says where.
 */
import { createWriteStream, rmSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Authentication, Durability } from '../../src/contract/manifest.ts'
import type { RunHistory } from './history.ts'
import { runTorture, type TortureResult } from './run.ts'

const shownPerChecker = 5

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    replicas: { type: 'string', default: '4' },
    clients: { type: 'string', default: '8' },
    think: { type: 'string', default: '10' },
    durability: { type: 'string', default: 'process' },
    authentication: { type: 'string', default: 'signature' },
    calm: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Bytes as base64, one JSON value a line: calls first, then the log. */
const writeHistory = async (file: string, history: RunHistory): Promise<void> => {
  const stream = createWriteStream(file)
  const plain = (_key: string, value: unknown): unknown => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value)
  const { calls, log, sent, checkpoints, ...rest } = history
  const kinds = { about: [rest], call: calls, log, checkpoint: checkpoints, sent }
  for (const [kind, list] of Object.entries(kinds)) {
    for (const value of list) if (!stream.write(`${JSON.stringify({ kind, value }, plain)}\n`)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'finish')
}

const textOf = (result: TortureResult): string => {
  const { longestGapMs: gap, memory, verdicts, rounds, alarms } = result
  return [
    `seed ${result.seed}, ${result.replicas} replicas (may lie: ${result.traitors.join(', ') || 'none'}), durability ${result.durability}, ${result.authentication}, ${result.seconds} s`,
    `${result.operations} operations: ${result.answered} answered (${result.answeredPerSecond}/s), ${result.unknown} unknown`,
    `longest time without an answer: ${gap.withinF} ms with at most f concerned, ${gap.beyondF} ms with more; ${gap.recovery} ms after a heal`,
    `rounds: ${JSON.stringify(rounds)}`,
    `alarms: ${JSON.stringify(alarms)}`,
    ...memory.map(({ name, firstMb, lastMb, highestMb }) => `memory of ${name}: ${firstMb} -> ${lastMb} MiB, highest ${highestMb}`),
    ...verdicts.flatMap(({ checker, over, violations }) => [
      `${violations.length === 0 ? 'holds   ' : 'VIOLATED'} ${checker} (${over})`,
      ...violations.slice(0, shownPerChecker).map(({ checker: of, detail }) => `           ${of}: ${detail.slice(0, 400)}`),
    ]),
  ].join('\n')
}

const { result, history } = await runTorture({
  seed: Number(values.seed),
  seconds: Number(values.minutes) * 60,
  replicas: Number(values.replicas),
  clients: Number(values.clients),
  thinkMs: Number(values.think),
  durability: values.durability as Durability,
  authentication: values.authentication as Authentication,
  calm: values.calm,
  onRound: (line) => say(`${new Date().toISOString()} ${line}`),
})
process.stdout.write(`${values.json ? JSON.stringify(result, null, 2) : textOf(result)}\n`)
if (result.violations > 0 || values.keep) {
  await writeHistory(join(result.folder, 'history.jsonl'), history)
  say(`data, logs and history: ${result.folder}`)
} else rmSync(result.folder, { recursive: true, force: true })
process.exit(result.violations === 0 ? 0 : 1)
