/** For the command line, without a host: ask every replica once, submit one request. */
import { randomUUID } from 'node:crypto'
import type { SubmitResult } from '../contract/api.ts'
import type { ClusterStatus } from '../contract/model.ts'
import { readOperations, type Operation } from '../contract/operations.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import { encodeOperation } from '../pbft/service/index.ts'
import { ClientLinks } from './client/links.ts'
import { resultOf, unansweredOf } from './client/outcome-words.ts'
import { ClientSession } from './client/session.ts'
import { ClusterModel } from './cluster-model.ts'
import { FaultBoard } from './fault-board.ts'
import { openFolder } from './folder.ts'
import { Member } from './member.ts'

const askMs = 3_000
/** Session names are reused, so that one-off requests do not fill the replicas' reply caches. */
const sessionNames = 256

const ignore = (): void => undefined

/**
 * Asks every replica for its status over control links of its own, for at most `waitMs`; who does not answer is unreachable.
 * Errors: `bad-manifest`, `unauthorized` (no operator's key beside the manifest).
 */
export const askStatus = async (manifestFile: string, waitMs: number = askMs): Promise<Result<ClusterStatus>> => {
  const read = openFolder(manifestFile)
  if (!read.ok) return read
  const opened = { ...read.value, localReplicas: new Set<number>() }
  const members: Member[] = opened.manifest.replicas.map(({ id }) => {
    const member: Member = new Member({
      opened,
      id,
      launch: () => Promise.reject(new Error('nothing is launched here')),
      entry: '',
      logsFolder: '',
      startGraceMs: 0,
      onChange: ignore,
      onUp: () => void member.call({ call: 'observe' }),
      onDown: ignore,
      onRefused: ignore,
      onReport: (report) => model.onReport(member, report, Date.now()),
      onObserved: ignore,
      onExit: ignore,
    })
    return member
  })
  const faults = new FaultBoard({ members, onChange: ignore, onPaused: ignore })
  const model = new ClusterModel({ opened, members, faults, onAlarm: ignore, onViews: ignore, onCheckpoints: ignore, onForgotten: ignore })
  for (const member of members) member.connect()
  await Promise.all(members.map((member) => member.reported(waitMs)))
  const status = model.status(Date.now())
  for (const member of members) member.disconnect()
  return ok(status)
}

/**
 * Submits one operation (reads as reads) and waits for its answer. Errors: `bad-manifest`, `unauthorized`, `bad-operation`,
 * `timeout` (it may still be executed).
 */
export const submitOnce = async (manifestFile: string, operation: Operation, timeoutMs: number): Promise<Result<SubmitResult>> => {
  const read = openFolder(manifestFile)
  if (!read.ok) return read
  const { directory, manifest, operator } = read.value
  let bytes: Uint8Array
  try {
    bytes = encodeOperation(operation)
  } catch (error) {
    if (error instanceof RangeError) return fail('bad-operation', error.message)
    throw error
  }
  const links = new ClientLinks({ directory, manifest, principal: operator })
  const session = new ClientSession(links, manifest.replicas.length, `cli-${Math.floor(Math.random() * sessionNames)}`)
  const outcome = await session.run(bytes, readOperations.includes(operation.type), timeoutMs)
  const unanswered = outcome.cause === null ? null : unansweredOf(outcome, links, manifest.replicas.length)
  session.close()
  links.close()
  if (unanswered !== null) return fail(unanswered.code, unanswered.message, unanswered.known)
  if (outcome.cause !== null) throw new Error('an outcome with a cause has no result')
  const { completed } = outcome
  const result = resultOf(completed)
  if (!result.ok) return result
  const { view, seq, repliers, latencyMs } = completed
  return ok({ id: randomUUID(), result: result.value, view, seq, repliers, latencyMs })
}
