/** What earlier runs recorded of a cluster, joined with what this run sees. Pure. */
import type { CheckpointInfo, ViewInfo } from '../../contract/model.ts'

/** Ascending. A view that began in an earlier run keeps what that run saw of it: this one only knows who is in it. */
export const joinViews = (past: readonly ViewInfo[], current: readonly ViewInfo[]): ViewInfo[] => {
  const known = new Map(past.map((view) => [view.view, view]))
  for (const view of current) {
    const earlier = known.get(view.view)
    if (earlier === undefined || view.votes.length > 0) known.set(view.view, view)
    else known.set(view.view, { ...earlier, entered: [...new Set([...earlier.entered, ...view.entered])].sort((a, b) => a - b) })
  }
  return [...known.values()].sort((a, b) => a.view - b.view)
}

/** Ascending; of one seq what was seen last. */
export const joinCheckpoints = (past: readonly CheckpointInfo[], current: readonly CheckpointInfo[]): CheckpointInfo[] =>
  [...new Map([...past, ...current].map((info) => [info.seq, info])).values()].sort((a, b) => a.seq - b.seq)
