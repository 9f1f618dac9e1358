/** What each replica itself holds as its history, side by side: asked of every one, compared by batch and by results. */
import type { HistoryEntry } from '../contract/control.ts'
import type { LogComparison } from '../contract/model.ts'
import { sha256 } from '../link/index.ts'
import type { Member } from './member.ts'

/** Histories after `after` of all who answer, at most `limit` seqs. A replica that no longer (or not yet) holds a seq has null there. */
export const compareLogs = async (members: readonly Member[], after: number, limit: number): Promise<LogComparison> => {
  const answers = await Promise.all(
    members.map(async (member) => {
      const answer = await member.call({ call: 'history', after, limit })
      return { id: member.id, history: answer.ok ? (answer.value.history ?? []) : null }
    }),
  )
  return compared(answers, after, limit)
}

interface Answer {
  readonly id: number
  /** null: it did not answer. */
  readonly history: readonly HistoryEntry[] | null
}

/** Pure. An answer may be cut short for its size: nothing is said about what lies beyond the shortest that was. */
export const compared = (answers: readonly Answer[], after: number, limit: number): LogComparison => {
  const held = answers.map(({ id, history }) => ({
    id,
    bySeq: new Map(
      (history ?? []).map((entry) => [
        entry.seq,
        { digest: entry.digest, view: entry.view, results: sha256(Buffer.from(entry.results.join(' '))) },
      ]),
    ),
  }))
  const lasts = answers.flatMap(({ history }) => history?.at(-1)?.seq ?? [])
  const highest = Math.max(after, ...lasts)
  const cutAt = Math.min(
    ...answers.flatMap(({ history }) => (history !== null && isCut(history, limit) ? [history.at(-1)?.seq ?? highest] : [])),
  )
  const last = Math.min(highest, cutAt)
  const seqs = [...new Set(held.flatMap(({ bySeq }) => [...bySeq.keys()]))].filter((seq) => seq <= last).sort((a, b) => a - b)
  const rows = seqs.map((seq) => {
    const entries = held.map(({ id, bySeq }) => [String(id), bySeq.get(seq) ?? null] as const)
    const kinds = new Set(entries.flatMap(([, entry]) => (entry === null ? [] : [`${entry.digest} ${entry.results}`])))
    return { seq, equal: kinds.size <= 1, replicas: Object.fromEntries(entries) }
  })
  return {
    rows,
    silent: answers.filter(({ history }) => history === null).map(({ id }) => id),
    firstDifference: rows.find(({ equal }) => !equal)?.seq ?? null,
    next: rows.length > 0 && (cutAt < highest || rows.length >= limit) ? last : null,
  }
}

/** As many as were asked for: there may be more behind it. */
const isCut = (history: readonly HistoryEntry[], limit: number): boolean => history.length >= limit
