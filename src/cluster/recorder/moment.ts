/** One moment of a recorded run: every replica replayed up to it, and the messages that were on their way between them. */
import { crc32 } from 'node:zlib'
import type { Manifest } from '../../contract/manifest.ts'
import { directoryOf, sha256, verify } from '../../link/index.ts'
import { fail, ok, type Result } from '../../contract/result.ts'
import { principalOf } from '../../pbft/protocol/ids.ts'
import { Replay } from '../../pbft/replay/index.ts'
import type { SignedPart } from '../../pbft/wire/index.ts'
import { BlockSource, processesOf } from './replay-source.ts'
import { Segments } from './segments.ts'

/** Messages take less than this from their sender to their receiver, or are taken for lost, ms. */
const underWayMaxMs = 5_000

export interface UnderWay {
  readonly from: number
  readonly to: number
  readonly bytes: Uint8Array
}

export interface Moment {
  /** ms since the epoch. */
  readonly at: number
  /** By id; null: no process of it was running, or what it recorded has a hole before the moment. */
  readonly replays: readonly (Replay | null)[]
  readonly underWay: readonly UnderWay[]
}

interface Source {
  readonly source: BlockSource
  readonly start: number
  readonly firstAt: number
  readonly lastAt: number
}

const sourcesOf = (folders: readonly string[]): Source[][] =>
  folders.map((folder) => {
    const segments = new Segments(folder)
    segments.refresh()
    return processesOf(segments).flatMap((process) =>
      process.start === null
        ? []
        : [{ source: new BlockSource(segments, process), start: process.start, firstAt: process.firstAt, lastAt: process.lastAt }],
    )
  })

const replayOf = ({ source, start }: Source): Replay | null => {
  const opened = Replay.open(source, start, sha256)
  return opened.ok ? opened.replay : null
}

/** When the first replica executed `seq`, ms since the epoch; null: none did, as far as that is recorded. */
const timeOfSeq = (sources: readonly Source[][], seq: number): number | null => {
  let earliest: number | null = null
  for (const source of sources.flat()) {
    const replay = replayOf(source)
    if (replay === null || replay.state.lastExecuted >= seq) continue
    for (let step = replay.step(); step !== null && (earliest === null || step.at < earliest); step = replay.step()) {
      if (replay.state.lastExecuted < seq) continue
      earliest = step.at
      break
    }
  }
  return earliest
}

/** The replica's replay, after all inputs up to then. */
const standingAt = (processes: readonly Source[], at: number): Replay | null => {
  const process = processes.find(({ firstAt, lastAt }) => firstAt <= at && at <= lastAt)
  const replay = process === undefined ? null : replayOf(process)
  if (process === undefined || replay === null) return null
  for (;;) {
    const entry = replay.next < process.source.count ? process.source.entry(replay.next) : null
    if (entry === null) return null
    if (entry.at > at) return replay.proof.inputs > 0 ? replay : null
    if (replay.step() === null) return null
  }
}

const keyOf = (from: number, to: number, size: number, sum: number): string => `${from} ${to} ${size} ${sum}`

/** Calls with the entries of a replica recorded between two times. */
const eachEntry = (
  processes: readonly Source[],
  from: number,
  to: number,
  use: (entry: NonNullable<ReturnType<BlockSource['entry']>>) => void,
): void => {
  for (const { source, firstAt, lastAt } of processes) {
    if (lastAt < from || firstAt > to) continue
    for (let index = source.indexAt(from); index < source.count; index++) {
      const entry = source.entry(index)
      if (entry === null || entry.at < from) continue
      if (entry.at > to) break
      use(entry)
    }
  }
}

/** Sent up to `at`, taken after it: of those alone the recording has the bytes. */
const underWayAt = (sources: readonly Source[][], at: number): UnderWay[] => {
  const sent = new Map<string, number>()
  const add = (key: string, count: number): void => void sent.set(key, (sent.get(key) ?? 0) + count)
  for (const [from, processes] of sources.entries()) {
    eachEntry(processes, at - underWayMaxMs, at, (entry) => {
      if (entry.kind !== 'sent') return
      for (const { replica, fate } of entry.to) if (fate === 'sent' || fate === 'held') add(keyOf(from, replica, entry.size, entry.sum), 1)
    })
  }
  const found: UnderWay[] = []
  for (const [to, processes] of sources.entries()) {
    eachEntry(processes, at - underWayMaxMs, at + underWayMaxMs, (entry) => {
      if (entry.kind !== 'input' || entry.input.type !== 'message') return
      const key = keyOf(entry.input.from, to, entry.bytes.length, crc32(entry.bytes))
      if ((sent.get(key) ?? 0) <= 0) return
      add(key, -1)
      if (entry.at > at) found.push({ from: entry.input.from, to, bytes: entry.bytes.slice() })
    })
  }
  return found
}

/**
 * The moment at which the first replica executed `seq`. The clocks of the replicas are taken for one: those of one machine are.
 * `folders`: their recordings, by replica. Errors: `not-found` (that seq is not in them), `bad-request` (no replica can be replayed to there).
 */
export const momentAt = (folders: readonly string[], seq: number): Result<Moment> => {
  const sources = sourcesOf(folders)
  const at = timeOfSeq(sources, seq)
  if (at === null) return fail('not-found', `no recorded replica executed seq ${seq}`)
  const replays = sources.map((processes) => standingAt(processes, at))
  if (replays.every((replay) => replay === null)) return fail('bad-request', `no replica can be replayed up to seq ${seq}`)
  return ok({ at, replays, underWay: underWayAt(sources, at) })
}

/** Signatures of the recorded run, judged by its public keys; each once. */
export const recordedKeys = (manifest: Manifest): { readonly clusterId: string; holds(part: SignedPart): boolean } => {
  const directory = directoryOf(manifest)
  const known = new Map<string, boolean>()
  return {
    clusterId: manifest.clusterId,
    holds({ signer, bytes, signature }) {
      const key =
        signer.kind === 'replica' ? directory.replicas[signer.id] : directory.principals.get(principalOf(signer.client))?.publicKey
      if (key === undefined || signature.length !== 64) return false
      const name = `${Buffer.from(signature).toString('latin1')}${Buffer.from(bytes).toString('latin1')}`
      const before = known.get(name)
      if (before !== undefined) return before
      const holds = verify(key, bytes, signature)
      known.set(name, holds)
      return holds
    },
  }
}
