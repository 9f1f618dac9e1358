/** For the command line, without a host: ask every replica once, submit one request. */
import { randomUUID } from 'node:crypto'
import type { SubmitResult } from '../contract/api.ts'
import type { ReplicaReport } from '../contract/control.ts'
import type { EvidenceExport } from '../contract/evidence.ts'
import type { ClusterStatus } from '../contract/model.ts'
import { readOperations, type Operation } from '../contract/operations.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import { encodeOperation } from '../pbft/service/index.ts'
import { ClientLinks } from './client/links.ts'
import { resultOf, unansweredOf } from './client/outcome-words.ts'
import { ClientSession } from './client/session.ts'
import { ClusterModel } from './cluster-model.ts'
import { FaultBoard } from './fault-board.ts'
import { EvidenceBook } from './evidence/book.ts'
import { evidenceExport } from './evidence/file.ts'
import { openFolder, type OpenedFolder } from './folder.ts'
import { Member } from './member.ts'

const askMs = 3_000
/** Session names are reused, so that one-off requests do not fill the replicas' reply caches. */
const sessionNames = 256

const ignore = (): void => undefined

interface Listener {
  onUp(member: Member): void
  onReport(member: Member, report: ReplicaReport): void
}

/** Control links of its own to every replica, to be connected; nothing is launched. */
const membersOf = (folder: OpenedFolder, { onUp, onReport }: Listener): Member[] => {
  const opened = { ...folder, localReplicas: new Set<number>() }
  return opened.manifest.replicas.map(({ id }) => {
    const member: Member = new Member({
      opened,
      id,
      launch: () => Promise.reject(new Error('nothing is launched here')),
      entry: '',
      logsFolder: '',
      startGraceMs: 0,
      onChange: ignore,
      onUp: () => onUp(member),
      onDown: ignore,
      onRefused: ignore,
      onReport: (report) => onReport(member, report),
      onObserved: ignore,
      onExit: ignore,
    })
    return member
  })
}

/**
 * Asks every replica for its status over control links of its own, for at most `waitMs`; who does not answer is unreachable.
 * Errors: `bad-manifest`, `unauthorized` (no operator's key beside the manifest).
 */
export const askStatus = async (manifestFile: string, waitMs: number = askMs): Promise<Result<ClusterStatus>> => {
  const read = openFolder(manifestFile)
  if (!read.ok) return read
  const opened = { ...read.value, localReplicas: new Set<number>() }
  const members = membersOf(opened, {
    onUp: (member) => void member.call({ call: 'observe' }),
    onReport: (member, report) => model.onReport(member, report, Date.now()),
  })
  const faults = new FaultBoard({ members, onChange: ignore, onPaused: ignore })
  const model = new ClusterModel({ opened, members, faults, onAlarm: ignore, onViews: ignore, onCheckpoints: ignore, onForgotten: ignore })
  for (const member of members) member.connect()
  await Promise.all(members.map((member) => member.reported(waitMs)))
  const status = model.status(Date.now())
  for (const member of members) member.disconnect()
  return ok(status)
}

export interface AskedEvidence {
  readonly exports: readonly EvidenceExport[]
  /** Replicas that answered. */
  readonly answered: readonly number[]
  /** Replicas that handed over pairs that prove nothing. */
  readonly liars: readonly number[]
}

/**
 * Asks every replica for the evidence that its process holds, for at most `waitMs`, and keeps what is proven. Errors as `askStatus`.
 */
export const askEvidence = async (manifestFile: string, waitMs: number = askMs): Promise<Result<AskedEvidence>> => {
  const read = openFolder(manifestFile)
  if (!read.ok) return read
  const { directory, manifest } = read.value
  const book = new EvidenceBook(directory)
  const [answered, liars] = [new Set<number>(), new Set<number>()]
  const members = membersOf(read.value, { onUp: ignore, onReport: ignore })
  const ask = async (member: Member): Promise<void> => {
    member.connect()
    await member.reported(waitMs)
    const answer = await member.call({ call: 'evidence', after: 0 })
    if (!answer.ok) return
    answered.add(member.id)
    for (const pair of answer.value.evidence) {
      if (book.add(member.id, pair, pair.at - member.clock.ms) === 'false') liars.add(member.id)
    }
  }
  await Promise.all(members.map(ask))
  for (const member of members) member.disconnect()
  const exports = book.list().map((evidence) => evidenceExport(evidence, manifest))
  return ok({ exports, answered: [...answered].sort((a, b) => a - b), liars: [...liars].sort((a, b) => a - b) })
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
