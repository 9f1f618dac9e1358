/** Real processes under harm for half a minute, judged; and the judge shown to fail on what it has to find. */
import { rmSync } from 'node:fs'
import { beforeAll, afterAll, describe, expect, it } from 'vitest'
import type { Execution, LogEvent } from '../../src/pbft/sim/index.ts'
import type { Call, RunHistory } from '../torture/history.ts'
import { judgeRun } from '../torture/judge.ts'
import { runTorture, type TortureRun } from '../torture/run.ts'

const seed = Number(process.env['PBFT_SEED'] ?? Date.now() % 1_000_000)
const seconds = 30

describe(`torture, seed ${seed}`, () => {
  let run: TortureRun
  beforeAll(async () => {
    run = await runTorture({
      seed,
      seconds,
      replicas: 4,
      clients: 6,
      thinkMs: 10,
      durability: 'process',
      calm: false,
      onRound: (line) => process.stderr.write(`torture ${seed}: ${line}\n`),
    })
  }, 600_000)
  afterAll(() => {
    if (run.result.violations === 0) rmSync(run.result.folder, { recursive: true, force: true })
  })

  it('nothing is violated', () => {
    const broken = run.result.verdicts.flatMap(({ violations }) => violations)
    expect(broken, `seed ${seed}, see ${run.result.folder}`).toEqual([])
    expect(run.result.answered).toBeGreaterThan(100)
  })

  const executions = (history: RunHistory): Execution[] =>
    history.log.filter((event) => event.kind === 'executed' && !history.traitors.includes(event.replica)) as Execution[]
  /** Of an honest replica, not its last. */
  const someExecution = (history: RunHistory): Execution => {
    const own = executions(history).filter(({ requests }) => requests.length > 0)
    return own[Math.floor(own.length / 2)] as Execution
  }
  const replaced = (history: RunHistory, old: LogEvent, by: readonly LogEvent[]): RunHistory => ({
    ...history,
    log: history.log.flatMap((event) => (event === old ? by : [event])),
  })
  const answerOf = (history: RunHistory, fits: (call: Call) => boolean): Call => {
    const found = history.calls.find((call) => call.answer !== null && fits(call))
    if (found === undefined) throw new Error('the run has no such call')
    return found
  }
  const withCall = (history: RunHistory, old: Call, by: Call): RunHistory => ({
    ...history,
    calls: history.calls.map((call) => (call === old ? by : call)),
  })
  /** The last read of the value that somebody had put at a key, made into a read of nothing. */
  const withStaleRead = (history: RunHistory): RunHistory => {
    const read = answerOf(history, ({ operation, answer }) => operation.type === 'get' && answer?.result.value !== null)
    const answer = { ...(read.answer as NonNullable<Call['answer']>), result: { ok: true as const, value: 'never written' } }
    return withCall(history, read, { ...read, answer })
  }

  it.each<[checker: string, corrupt: (history: RunHistory) => RunHistory]>([
    [
      'agreement',
      (history) => {
        const one = someExecution(history)
        return replaced(history, one, [{ ...one, digest: 'f'.repeat(64) }])
      },
    ],
    ['order', (history) => replaced(history, someExecution(history), [])],
    [
      'checkpoints',
      (history) => {
        const honest = history.checkpoints.find(({ replica }) => !history.traitors.includes(replica))
        if (honest === undefined) throw new Error('the run has no checkpoint')
        return { ...history, checkpoints: [...history.checkpoints, { ...honest, digest: 'f'.repeat(64) }] }
      },
    ],
    [
      'exactly-once',
      (history) => {
        const one = someExecution(history)
        return replaced(history, one, [{ ...one, results: one.results.map((result) => Uint8Array.of(...result, 1)) }])
      },
    ],
    [
      'validity',
      (history) => {
        const [request] = someExecution(history).requests
        return { ...history, sent: history.sent.filter((sent) => sent.client !== request?.client || sent.timestamp !== request.timestamp) }
      },
    ],
    [
      'durability',
      (history) => {
        const { seq } = answerOf(history, ({ answer }) => (answer?.seq ?? 0) > 0).answer as NonNullable<Call['answer']>
        return { ...history, log: history.log.filter((event) => event.seq !== seq) }
      },
    ],
    ['linearizability', withStaleRead],
    ['ledger', (history) => ({ ...history, totalBalance: history.totalBalance + 1 })],
    ['liveness', (history) => ({ ...history, waiting: ['a request'] })],
    [
      'liveness',
      (history) => ({
        ...history,
        finals: history.finals.map((final, i) => (i === 0 ? { ...final, stateDigest: 'f'.repeat(64) } : final)),
      }),
    ],
    ['found while running', (history) => ({ ...history, found: [{ checker: 'disk', detail: 'another digest' }] })],
  ])('the judge finds a corrupted history: %s', (checker, corrupt) => {
    const verdicts = judgeRun(corrupt(run.history))
    expect(verdicts.find((verdict) => verdict.checker === checker)?.violations).not.toEqual([])
  })

  it('the judge finds an answer that was lost, and one given twice', () => {
    const incr = answerOf(run.history, ({ operation }) => operation.type === 'incr')
    const answer = incr.answer as NonNullable<Call['answer']>
    const twice = { ...incr, timestamp: incr.timestamp + 1, invokedAt: answer.at + 1, answer: { ...answer, at: answer.at + 2 } }
    const broken = judgeRun({ ...run.history, calls: [...run.history.calls, twice] }).filter(({ violations }) => violations.length > 0)
    expect(broken.map(({ checker }) => checker)).toEqual(expect.arrayContaining(['durability', 'linearizability']))
  })
})
