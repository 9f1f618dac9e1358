/** Lists that the host answers as they are now, as they were at a time: what came later is taken out of them. Pure; ms since the epoch. */
import type { CheckpointInfo, ReplicaStatus, RequestInfo, RequestStage, ViewInfo } from '../../contract/model.ts'

const until = (times: Readonly<Record<string, number>>, at: number): Record<string, number> =>
  Object.fromEntries(Object.entries(times).filter(([, time]) => time <= at))

/**
 * Views that had been begun or asked for. Of the one that was the last nobody has said when which replica entered it: `replicas`, as they
 * were then, tell.
 */
export function viewsAsOf(views: readonly ViewInfo[], at: number, replicas: readonly ReplicaStatus[]): ViewInfo[] {
  const known = [...views].filter((info) => (info.started ?? info.began ?? 0) <= at).sort((a, b) => a.view - b.view)
  return known.map((info, i) => {
    const votes = info.votes.filter((vote) => vote.at <= at)
    if (info.began === null || info.began > at)
      return {
        ...info,
        votes,
        began: null,
        start: null,
        chosen: null,
        nulls: null,
        chosenSpan: null,
        nullSeqs: [],
        outageMs: null,
        entered: [],
      }
    if (i < known.length - 1) return { ...info, votes }
    const isIn = (id: number): boolean => replicas.some((replica) => replica.id === id && replica.active && replica.view === info.view)
    const isServing = info.outageMs === null || info.started === null || info.started + info.outageMs <= at
    return { ...info, votes, entered: info.entered.filter(isIn), outageMs: isServing ? info.outageMs : null }
  })
}

export function checkpointsAsOf(checkpoints: readonly CheckpointInfo[], at: number): CheckpointInfo[] {
  return checkpoints
    .filter((info) => info.at <= at)
    .map((info) => {
      const digests = Object.fromEntries(Object.entries(info.digests).filter(([id]) => (info.digestsAt[id] ?? info.at) <= at))
      const stableAt = until(info.stableAt, at)
      return {
        ...info,
        digests,
        digestsAt: until(info.digestsAt, at),
        stableAt,
        stable: Object.keys(stableAt).length > 0,
        diverged: new Set(Object.values(digests)).size > 1,
      }
    })
}

const ends: readonly RequestStage[] = ['completed', 'failed']

/** Requests that had been sent, with the stages that they had reached. */
export function requestsAsOf(requests: readonly RequestInfo[], at: number): RequestInfo[] {
  return requests
    .filter(({ stages }) => (stages[0]?.at ?? 0) <= at)
    .map((request) => {
      const stages = request.stages.filter((stage) => stage.at <= at)
      if (stages.length === request.stages.length) return request
      const hasEnded = stages.some(({ stage }) => ends.includes(stage))
      return hasEnded ? { ...request, stages } : { ...request, stages, outcome: { state: 'pending' }, repliers: [], resends: 0 }
    })
}
