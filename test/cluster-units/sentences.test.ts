import { describe, expect, it } from 'vitest'
import type { CheckpointInfo, ViewInfo } from '../../src/contract/model.ts'
import { alarmSentences, monitorSentences, stageSentences, verdictSentences, viewReasonSentences } from '../../src/contract/verdicts.ts'
import { joinCheckpoints, joinViews } from '../../src/cluster/model/past.ts'
import { i18n } from '../../src/renderer/i18n/index.ts'
import { sentenceOf } from '../../src/renderer/i18n/words.ts'
import { fillSentence, replicaList } from '../../src/cluster/sentence.ts'

/** As the header of contract/verdicts.ts lists them. */
const known = new Set(
  'replicas replica primary view seq n f needed available count pending total tolerates left next seconds because first last timestamp since name message client file fault how monitor reason ports phase partition'.split(
    ' ',
  ),
)

it('every sentence uses parameters that the contract names', () => {
  const all = { ...verdictSentences, ...monitorSentences, ...alarmSentences, ...stageSentences, ...viewReasonSentences }
  const strange = Object.entries(all).flatMap(([key, text]) =>
    [...text.matchAll(/\{(\w+)\}/g)].flatMap(([, name = '']) => (known.has(name) ? [] : [`${key}: ${name}`])),
  )
  expect(strange).toEqual([])
})

it('a violated monitor says what broke it, in the language of the screen', () => {
  const parameters = { monitor: 'agreement', because: 'monitor.agreement.violated', seq: 7, message: 'ab: r0; cd: r1' }
  const sentence = fillSentence(alarmSentences['alarm.monitor.violated'], parameters)
  expect(sentence).toBe('SAFETY: agreement is violated. Different batches were committed at seq 7: ab: r0; cd: r1.')
  i18n.global.locale.value = 'zh-CN'
  expect(sentenceOf({ key: 'alarm.monitor.violated', parameters, sentence })).toBe(
    '安全性：“一致性”被违反。序号 7 处提交了不同的批次：ab: r0; cd: r1。',
  )
  i18n.global.locale.value = 'en'
})

it('fills parameters in, leaves what is missing, and shows times of day', () => {
  expect(fillSentence('r{replica} at {seq}, {other} ', { replica: 2, seq: 7 })).toBe('r2 at 7, {other}')
  const noon = new Date(2026, 0, 1, 12, 3, 9).getTime()
  expect(fillSentence('since {since}', { since: noon })).toBe('since 12:03:09')
  expect(replicaList([0, 3])).toBe('r0, r3')
})

describe('what earlier runs recorded', () => {
  const view = (number: number, over: Partial<ViewInfo> = {}): ViewInfo => ({
    view: number,
    primary: number % 4,
    began: 1,
    started: null,
    reason: '',
    reasonKey: 'view.reason.unknown',
    reasonParameters: {},
    votes: [],
    start: null,
    chosen: null,
    nulls: null,
    chosenSpan: null,
    nullSeqs: [],
    outageMs: null,
    entered: [0],
    ...over,
  })
  const vote = {
    replica: 1,
    at: 1,
    reason: 'joined',
    stableSeq: null,
    checkpoints: null,
    prepared: null,
    prePrepared: null,
    preparedSpan: null,
    prePreparedSpan: null,
  }

  it('a view keeps its votes when this run only sees who is in it', () => {
    const joined = joinViews([view(2, { votes: [vote] }), view(0)], [view(2, { entered: [3] }), view(5, { votes: [vote] })])
    expect(joined.map(({ view, votes, entered }) => [view, votes.length, entered])).toEqual([
      [0, 0, [0]],
      [2, 1, [0, 3]],
      [5, 1, [0]],
    ])
  })

  it('a checkpoint is what was seen last', () => {
    const checkpoint = (seq: number, stable: boolean): CheckpointInfo => ({
      seq,
      stable,
      digests: {},
      digestsAt: {},
      at: 1,
      stableAt: {},
      bytes: null,
      diverged: false,
    })
    expect(
      joinCheckpoints([checkpoint(8, false), checkpoint(16, false)], [checkpoint(8, true)]).map(({ seq, stable }) => [seq, stable]),
    ).toEqual([
      [8, true],
      [16, false],
    ])
  })
})
