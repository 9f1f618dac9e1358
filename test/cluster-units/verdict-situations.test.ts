/** The verdict as an operator reads it, in both languages, in every situation that a cluster gets into. */
import { afterEach, describe, expect, test } from 'vitest'
import { verdictOf, type VerdictInput, type VerdictReplica } from '../../src/cluster/verdict.ts'
import type { ReplicaState, Verdict, VerdictState } from '../../src/contract/model.ts'
import { i18n } from '../../src/renderer/i18n/index.ts'
import { sentenceOf } from '../../src/renderer/i18n/words.ts'

/** 12:00:30 local time, whatever the zone. */
const nowMs = new Date(2026, 0, 1, 12, 0, 30).getTime()
const secondsAgo = (seconds: number): number => nowMs - seconds * 1_000

const live: VerdictReplica = {
  id: 0,
  state: 'live',
  view: 0,
  active: true,
  pending: 0,
  hears: [],
  viewTimeoutMs: 500,
  transfer: null,
  probation: null,
}
const of = (...states: ReplicaState[]): VerdictReplica[] => states.map((state, id) => ({ ...live, id, state }))
const four = of('live', 'live', 'live', 'live')
const all = (over: Partial<VerdictReplica>): VerdictReplica[] => four.map((replica) => ({ ...replica, ...over }))
const one = (id: number, over: Partial<VerdictReplica>): VerdictReplica[] =>
  four.map((replica) => (replica.id === id ? { ...replica, ...over } : replica))
const groups =
  (...parts: number[][]) =>
  (from: number, to: number): boolean =>
    parts.some((part) => part.includes(from) && part.includes(to))

interface Situation {
  readonly name: string
  readonly input: Partial<VerdictInput> & { readonly replicas: readonly VerdictReplica[] }
  readonly previous?: Verdict
  readonly state: VerdictState
  readonly en: string
  readonly zh: string
  /** What the sentence leads to. */
  readonly basis?: Partial<Verdict['basis']>
}

const situations: readonly Situation[] = [
  {
    name: 'healthy',
    input: { replicas: four },
    state: 'healthy',
    en: 'Healthy: all 4 replicas are live in view 0; r0 is primary.',
    zh: '健康：视图 0 中 4 个副本全部正常；r0 为主节点。',
    basis: { replicas: [], seq: null, view: 0 },
  },
  {
    name: 'development: one replica alone',
    input: { replicas: of('live') },
    state: 'healthy',
    en: 'Healthy: the one replica is live. A cluster of one tolerates no fault.',
    zh: '健康：唯一的副本正常。单副本集群不能容忍任何故障。',
  },
  {
    name: 'one of seven stopped: one more fault is left',
    input: { replicas: of('live', 'live', 'stopped', 'live', 'live', 'live', 'live') },
    state: 'degraded',
    en: 'Stopped: r2. Requests complete; further faults tolerated: 1.',
    zh: 'r2 已停止；请求可以完成，还能容忍 1 个故障。',
    basis: { replicas: [2] },
  },
  {
    name: 'one of four isolated: no fault is left',
    input: { replicas: of('live', 'live', 'live', 'isolated') },
    state: 'degraded',
    en: 'Isolated: r3. Requests complete; further faults tolerated: 0.',
    zh: 'r3 已隔离；请求可以完成，还能容忍 0 个故障。',
    basis: { replicas: [3] },
  },
  {
    name: 'no quorum: two of four isolated',
    input: { replicas: of('live', 'live', 'isolated', 'isolated'), lastProgressAt: secondsAgo(20) },
    state: 'stuck',
    en: 'No progress since 12:00:10: 3 replicas are needed, 2 can take part. Isolated: r2, r3.',
    zh: '自 12:00:10 起没有进展：需要 3 个副本，可参与的有 2 个；r2, r3 已隔离。',
    basis: { replicas: [2, 3] },
  },
  {
    name: 'no quorum for several causes',
    input: { replicas: of('live', 'paused', 'stopped', 'live'), lastProgressAt: secondsAgo(20) },
    state: 'stuck',
    en: 'No progress since 12:00:10: 3 replicas are needed, 2 can take part. Missing: r1, r2.',
    zh: '自 12:00:10 起没有进展：需要 3 个副本，可参与的有 2 个；r1, r2 不能参与。',
    basis: { replicas: [1, 2] },
  },
  {
    name: 'the primary is mute, and the replicas still wait for it',
    input: { replicas: all({ pending: 3 }), waitingSince: secondsAgo(2) },
    state: 'degraded',
    en: 'Requests waiting for r0, primary of view 0: 3. If it stays silent the replicas change to r1.',
    zh: '有 3 个请求在等待视图 0 的主节点 r0；如果它一直沉默，副本将切换到 r1。',
    basis: { replicas: [0], view: 0 },
  },
  {
    name: 'the primary is mute, and nobody does anything about it',
    input: { replicas: all({ pending: 3 }), waitingSince: secondsAgo(20), lastProgressAt: secondsAgo(20) },
    state: 'stuck',
    en: 'No progress since 12:00:10: r0, primary of view 0, orders nothing. Requests waiting: 3.',
    zh: '自 12:00:10 起没有进展：视图 0 中有 3 个请求在等待；主节点 r0 没有排序任何请求。',
    basis: { replicas: [0], view: 0 },
  },
  {
    name: 'a seq that does not get prepared',
    input: {
      replicas: all({ pending: 1 }),
      waitingSince: secondsAgo(5),
      lastProgressAt: secondsAgo(5),
      frontier: { seq: 412, phase: 'prepared', have: 2 },
    },
    state: 'stuck',
    en: 'No progress since 12:00:25: seq 412 is prepared at 2 of the 3 replicas it needs.',
    zh: '自 12:00:25 起没有进展：序号 412 需要在 3 个副本上已准备，目前为 2 个。',
    basis: { seq: 412 },
  },
  {
    name: 'a view change under way',
    input: { replicas: all({ view: 1, active: false }), changingSince: secondsAgo(0.5) },
    state: 'degraded',
    en: 'The replicas are changing to view 1; r1 will be primary.',
    zh: '副本正在切换到视图 1；r1 将成为主节点。',
    basis: { replicas: [1], view: 1 },
  },
  {
    name: 'view changes back off',
    input: { replicas: all({ view: 4, active: false, viewTimeoutMs: 4_000 }), changingSince: secondsAgo(2) },
    state: 'degraded',
    en: 'Changing views again and again: now to view 4 under r0, which has 4 s to begin.',
    zh: '正在反复切换视图：现在是视图 4，主节点 r0 有 4 秒时间开始。',
    basis: { view: 4 },
  },
  {
    name: 'view changes back off, for long',
    input: {
      replicas: all({ view: 6, active: false, viewTimeoutMs: 16_000 }),
      changingSince: secondsAgo(29),
      lastProgressAt: secondsAgo(30),
    },
    state: 'stuck',
    en: 'No progress since 12:00:00: view change after view change fails. View 6 under r2 has 16 s to begin; then the next is tried.',
    zh: '自 12:00:00 起没有进展：视图切换接连失败。主节点 r2 有 16 秒时间开始视图 6；然后尝试下一个。',
    basis: { replicas: [2], view: 6 },
  },
  {
    name: 'one lags behind',
    input: { replicas: one(2, { state: 'recovering' }) },
    state: 'degraded',
    en: 'Catching up: r2. Requests complete; further faults tolerated: 0.',
    zh: 'r2 正在追赶；请求可以完成，还能容忍 0 个故障。',
    basis: { replicas: [2] },
  },
  {
    name: 'a lost disk, on probation',
    input: { replicas: one(2, { state: 'recovering', probation: { until: 384, heard: 3, needed: 3 } }) },
    state: 'degraded',
    en: 'Lost the disk, and on probation until the checkpoint at seq 384: r2. Requests complete; further faults tolerated: 0.',
    zh: 'r2 失去了磁盘，处于观察期，直到序号 384 处的检查点；请求可以完成，还能容忍 0 个故障。',
    basis: { replicas: [2], seq: 384 },
  },
  {
    name: 'a lost disk, not yet known how long the probation is',
    input: { replicas: one(2, { state: 'recovering', probation: { until: null, heard: 1, needed: 3 } }) },
    state: 'degraded',
    en: 'Lost the disk: r2, who asks the others how far they are (1 of 3 answered). Requests complete; further faults tolerated: 0.',
    zh: 'r2 失去了磁盘，正在询问其他副本的进度（1 / 3 个已回答）；请求可以完成，还能容忍 0 个故障。',
    basis: { replicas: [2], seq: null },
  },
  {
    name: 'state transfer',
    input: { replicas: one(2, { state: 'recovering', transfer: { seq: 256, verified: 12, remaining: 28 } }) },
    state: 'degraded',
    en: 'Fetching the state as of seq 256: r2, 12 of 40 pieces. Requests complete; further faults tolerated: 0.',
    zh: 'r2 正在获取序号 256 处的状态：12 / 40 块；请求可以完成，还能容忍 0 个故障。',
    basis: { replicas: [2], seq: 256 },
  },
  {
    name: 'one has another state',
    input: { replicas: one(1, { state: 'diverged' }) },
    state: 'degraded',
    en: 'Diverged: r1. The others agree on another state; do not trust what these answer.',
    zh: 'r1 的状态与其他副本不一致；不要相信它们的答复。',
    basis: { replicas: [1] },
  },
  {
    name: 'agreement is broken',
    input: { replicas: four, disagreementSeq: 77 },
    state: 'stuck',
    en: 'The replicas disagree at seq 77: more than 1 are faulty, and nothing they say can be trusted.',
    zh: '副本在序号 77 处不一致：出错的多于 1 个，它们说的都不可信。',
    basis: { seq: 77 },
  },
  {
    name: 'all stopped',
    input: { replicas: of('stopped', 'stopped', 'stopped', 'stopped') },
    state: 'stopped',
    en: 'Stopped: none of the 4 replicas runs.',
    zh: '已停止：4 个副本都没有运行。',
  },
  {
    name: 'every control link lost',
    input: { replicas: of('unreachable', 'unreachable', 'unreachable', 'unreachable') },
    state: 'unknown',
    en: 'Unknown: none of the 4 replicas can be reached.',
    zh: '未知：4 个副本都不可达。',
    basis: { replicas: [0, 1, 2, 3] },
  },
  {
    name: 'two control links lost, but the replicas are fine',
    input: {
      replicas: of('live', 'live', 'unreachable', 'unreachable').map((replica) => ({ ...replica, hears: [0, 1, 2, 3] })),
      lastProgressAt: secondsAgo(60),
    },
    state: 'degraded',
    en: 'No control link to r2, r3, but the others hear them. Requests complete; further faults tolerated: 1.',
    zh: '到 r2, r3 的控制链路已断开，但其他副本能听到它们；请求可以完成，还能容忍 1 个故障。',
    basis: { replicas: [2, 3] },
  },
  {
    name: 'two are gone, and only one liar says that it hears them',
    input: {
      replicas: of('live', 'live', 'unreachable', 'unreachable').map((replica) => ({ ...replica, hears: replica.id === 0 ? [2, 3] : [] })),
      lastProgressAt: secondsAgo(20),
    },
    state: 'stuck',
    en: 'No progress since 12:00:10: 3 replicas are needed, 2 can take part. Unreachable: r2, r3.',
    zh: '自 12:00:10 起没有进展：需要 3 个副本，可参与的有 2 个；r2, r3 不可达。',
  },
  {
    name: 'a partition without a quorum',
    input: { replicas: four, linkFaults: 1, hears: groups([0, 1], [2, 3]), lastProgressAt: secondsAgo(20) },
    state: 'stuck',
    en: 'No progress since 12:00:10: 3 replicas that hear each other are needed, the largest group has 2.',
    zh: '自 12:00:10 起没有进展：需要 3 个互相可达的副本，最大的一组只有 2 个。',
  },
  {
    name: 'a partition with a quorum',
    input: { replicas: four, linkFaults: 1, hears: groups([0, 1, 2], [3]) },
    state: 'degraded',
    en: 'All replicas are live in view 0; faults active on their links: 1.',
    zh: '视图 0 中所有副本正常；它们的链路上有 1 个生效的故障。',
  },
  {
    name: 'Byzantine by choice',
    input: { replicas: one(1, { state: 'faulty' }) },
    state: 'degraded',
    en: 'Faulty by your choice: r1. Requests complete; further faults tolerated: 0.',
    zh: 'r1 按您的选择处于故障；请求可以完成，还能容忍 0 个故障。',
    basis: { replicas: [1] },
  },
  {
    name: 'more Byzantine by choice than the protocol stands',
    input: { replicas: of('faulty', 'faulty', 'live', 'live'), lastProgressAt: secondsAgo(0.2) },
    state: 'degraded',
    en: 'Unsafe: more than f = 1 replicas are faulty by your choice (r0, r1); nothing they say is guaranteed.',
    zh: '不安全：按您的选择出错的副本多于 f = 1 个（r0, r1）；它们说的都没有保证。',
    basis: { replicas: [0, 1] },
  },
  {
    name: 'starting',
    input: { replicas: of('live', 'starting', 'starting', 'live'), lastProgressAt: null },
    state: 'unknown',
    en: 'The replicas are starting; 2 of 4 have answered.',
    zh: '副本正在启动；4 个中已有 2 个应答。',
  },
  {
    name: 'one is not heard',
    input: { replicas: one(3, { state: 'stale' }) },
    state: 'degraded',
    en: 'Not heard for 2 s: r3. Requests complete; further faults tolerated: 0.',
    zh: 'r3 已有 2 秒没有消息；请求可以完成，还能容忍 0 个故障。',
    basis: { replicas: [3] },
  },
]

afterEach(() => {
  i18n.global.locale.value = 'en'
})

describe('the verdict as it is shown', () => {
  test.each(situations)('$name', ({ input, state, en, zh, basis = {} }) => {
    const verdict = verdictOf(
      {
        n: input.replicas.length,
        nowMs,
        linkFaults: 0,
        hears: () => true,
        view: 0,
        lastProgressAt: secondsAgo(60),
        waitingSince: null,
        changingSince: null,
        frontier: null,
        disagreementSeq: null,
        patienceMs: 3_000,
        viewTimeoutMs: 500,
        ...input,
      },
      null,
    )
    const shown = (locale: 'en' | 'zh-CN'): string => {
      i18n.global.locale.value = locale
      return sentenceOf(verdict)
    }
    expect({ state: verdict.state, en: shown('en'), zh: shown('zh-CN'), sentence: verdict.sentence }).toEqual({
      state,
      en,
      zh,
      sentence: en,
    })
    expect(verdict.basis).toMatchObject(basis)
  })
})
