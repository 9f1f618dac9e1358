/** Checkers that cannot fail prove nothing: each is given a good history and bad ones made by hand. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Operation, OperationResult } from '../../src/pbft/service/index.ts'
import {
  checkAgreement,
  checkAnswered,
  checkCertificates,
  checkCheckpoints,
  checkChoices,
  checkConverged,
  checkDecided,
  checkDurability,
  checkLinearizability,
  checkOrder,
  checkReplay,
  checkStates,
  checkValidity,
  checkVotes,
  serviceObject,
  type ClientCall,
  type Execution,
  type FinalState,
  type FreshState,
  type Interval,
  type LogEvent,
  type Violation,
  type Vote,
} from '../../src/pbft/sim/index.ts'

const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list)

/** An execution of one request per timestamp; its result is the operation's byte plus one. */
const executed = (replica: number, seq: number, fields: Partial<Execution> = {}): Execution => ({
  kind: 'executed',
  replica,
  seq,
  digest: `d${seq}`,
  timeMs: seq,
  requests: [{ client: 'c', timestamp: seq * 10, operation: bytes(seq) }],
  results: [bytes(seq + 1)],
  ...fields,
})
const restarted = (replica: number, seq: number, durableSeq: number): LogEvent => ({ kind: 'restarted', replica, seq, durableSeq })
const transferred = (replica: number, seq: number): LogEvent => ({ kind: 'transferred', replica, seq, durableSeq: 0 })
const good: LogEvent[] = [0, 1].flatMap((replica) => [1, 2, 3].map((seq) => executed(replica, seq)))
const plusOne = (operation: Uint8Array): Uint8Array => bytes(operation[0]! + 1)
const names = (violations: Violation[]): string[] => violations.map((violation) => violation.checker)

describe('agreement', () => {
  it('accepts equal executions, also repeated after a restart', () => {
    expect(checkAgreement([...good, executed(0, 3)])).toEqual([])
  })

  it('finds two digests at one seq, at two replicas or at one', () => {
    expect(names(checkAgreement([...good, executed(2, 2, { digest: 'other' })]))).toEqual(['agreement'])
    expect(names(checkAgreement([executed(0, 1), restarted(0, 0, 0), executed(0, 1, { digest: 'other' })]))).toEqual(['agreement'])
  })
})

describe('order', () => {
  it('accepts 1, 2, 3, a restart to what was durable, a jump by state transfer', () => {
    expect(checkOrder([...good, restarted(0, 2, 2), executed(0, 3), transferred(1, 8), executed(1, 9)])).toEqual([])
  })

  it.each<[string, LogEvent[]]>([
    ['a gap', [executed(0, 1), executed(0, 3)]],
    ['a repetition', [executed(0, 1), executed(0, 1)]],
    ['a transfer that goes back', [executed(0, 1), executed(0, 2), transferred(0, 1)]],
    ['a restart that forgets what was durable', [executed(0, 1), executed(0, 2), restarted(0, 1, 2)]],
    ['a restart that knows what never happened', [executed(0, 1), restarted(0, 2, 1)]],
    ['a gap after a restart', [executed(0, 1), executed(0, 2), restarted(0, 1, 1), executed(0, 3)]],
  ])('finds %s', (_what, log) => {
    expect(names(checkOrder(log))).toEqual(['order'])
  })
})

describe('votes', () => {
  const vote = (type: Vote['type'], view: number, seq: number, digest: string, replica = 0): Vote => ({ replica, type, view, seq, digest })
  it('accepts repetitions, other views, and old votes sent again after a view-change', () => {
    const votes = [vote('prepare', 0, 1, 'a'), vote('prepare', 0, 1, 'a'), vote('view-change', 1, 0, ''), vote('prepare', 0, 1, 'a')]
    expect(checkVotes([...votes, vote('prepare', 1, 1, 'b'), vote('prepare', 0, 1, 'b', 1)])).toEqual([])
  })

  it('finds a second digest, and a new vote in a view that was left', () => {
    expect(names(checkVotes([vote('commit', 0, 1, 'a'), vote('commit', 0, 1, 'b')]))).toEqual(['votes'])
    expect(names(checkVotes([vote('checkpoint', 0, 8, 'a'), vote('checkpoint', 0, 8, 'b')]))).toEqual(['votes'])
    expect(names(checkVotes([vote('view-change', 2, 0, ''), vote('prepare', 1, 1, 'a')]))).toEqual(['votes'])
  })

  it('finds checkpoints that differ between replicas', () => {
    expect(checkCheckpoints([vote('checkpoint', 0, 8, 'a'), vote('checkpoint', 0, 8, 'a', 1)])).toEqual([])
    expect(names(checkCheckpoints([vote('checkpoint', 0, 8, 'a'), vote('checkpoint', 0, 8, 'b', 1)]))).toEqual(['checkpoints'])
  })
})

describe('states', () => {
  const fresh = (): FreshState => {
    let seen = ''
    return { execute: ({ digest }) => void (seen += digest), digest: () => seen }
  }
  const signed = (replica: number, seq: number, digest: string): Vote => ({ replica, type: 'checkpoint', view: 0, seq, digest })
  const ended = (replica: number, lastExecuted: number, stateDigest: string): FinalState => ({
    replica,
    view: 0,
    active: true,
    lastExecuted,
    stateDigest,
  })
  const log = [1, 2, 3].map((seq) => executed(0, seq))

  it('accepts checkpoints and endings that the agreed order gives, and says nothing beyond a gap in it', () => {
    expect(checkStates(log, [signed(0, 2, 'd1d2')], [ended(0, 3, 'd1d2d3'), ended(1, 1, 'd1')], fresh())).toEqual([])
    expect(checkStates([executed(0, 1), executed(0, 3)], [signed(0, 3, 'else')], [], fresh())).toEqual([])
  })

  it('finds a state with something in it that was never agreed on', () => {
    expect(names(checkStates(log, [signed(0, 2, 'd1x2')], [], fresh()))).toEqual(['states'])
    expect(names(checkStates(log, [], [ended(1, 3, 'd1d2d3x')], fresh()))).toEqual(['states'])
  })
})

describe('exactly once', () => {
  const twice = { requests: [1, 1].map(() => ({ client: 'c', timestamp: 40, operation: bytes(4) })) }
  it('accepts a duplicate with its cached result, and anything for one that was superseded', () => {
    const log = [...good, executed(0, 4, { ...twice, results: [bytes(5), bytes(5)] })]
    expect(checkReplay(log, plusOne)).toEqual([])
    const old = executed(0, 5, { requests: [{ client: 'c', timestamp: 10, operation: bytes(1) }], results: [bytes()] })
    expect(checkReplay([...log, old], plusOne)).toEqual([])
  })

  it('finds a second execution by its result', () => {
    let count = 0
    const counter = (): Uint8Array => bytes(++count)
    const log = [executed(0, 1, { requests: twice.requests, results: [bytes(1), bytes(2)] })]
    expect(names(checkReplay(log, counter))).toEqual(['exactly-once'])
  })

  it('finds a replica with another result', () => {
    expect(names(checkReplay([...good, executed(2, 2, { results: [bytes(9)] })], plusOne))).toEqual(['exactly-once'])
  })
})

describe('validity and durability', () => {
  const call = (timestamp: number, seq: number, result: number): ClientCall<null, null> => ({
    client: 'c',
    timestamp,
    operation: null,
    invokedAt: 0,
    answer: { at: 1, result: null, bytes: bytes(result), seq },
  })
  const sent = [1, 2, 3].map((seq) => ({ client: 'c', timestamp: seq * 10, operation: bytes(seq) }))

  it('accept what was sent and answered as it came out', () => {
    expect(checkValidity(good, sent)).toEqual([])
    expect(checkDurability(good, [call(10, 1, 2), call(30, 3, 4), call(99, 0, 7), { ...call(50, 0, 0), answer: null }])).toEqual([])
  })

  it('find what was never sent, or altered', () => {
    expect(names(checkValidity(good, sent.slice(1)))).toEqual(['validity'])
    expect(names(checkValidity([executed(0, 1, { requests: [{ ...sent[0]!, operation: bytes(7) }] })], sent))).toEqual(['validity'])
  })

  it('find what was answered and is gone, or came out otherwise', () => {
    expect(names(checkDurability(good, [call(40, 4, 5)]))).toEqual(['durability'])
    expect(names(checkDurability(good, [call(10, 1, 9)]))).toEqual(['durability'])
  })
})

describe('liveness', () => {
  const at = (replica: number, fields: Partial<FinalState> = {}): FinalState => ({
    replica,
    view: 1,
    active: true,
    lastExecuted: 5,
    stateDigest: 'a',
    ...fields,
  })
  it('accepts one place for all, and f that left alone', () => {
    expect(checkConverged([at(0), at(1), at(2), at(3)], 1, 0)).toEqual([])
    expect(checkConverged([at(0), at(1), at(2), at(3, { view: 2, active: false, lastExecuted: 4, stateDigest: 'b' })], 1, 0)).toEqual([])
    expect(checkAnswered([], 0)).toEqual([])
  })

  it.each<[string, FinalState[], string]>([
    ['one that is behind', [at(0), at(1), at(2), at(3, { lastExecuted: 4, stateDigest: 'b' })], 'liveness'],
    ['one in another view', [at(0), at(1), at(2), at(3, { view: 2 })], 'liveness'],
    ['one that left for no higher view', [at(0), at(1), at(2), at(3, { active: false })], 'liveness'],
    ['more than f that left', [at(0), at(1), at(2, { view: 2, active: false }), at(3, { view: 2, active: false })], 'liveness'],
    ['two states after one seq', [at(0), at(1), at(2), at(3, { stateDigest: 'b' })], 'divergence'],
  ])('finds %s', (_what, states, checker) => {
    expect(names(checkConverged(states, 1, 0))).toEqual([checker])
  })

  it('finds requests that wait', () => {
    expect(names(checkAnswered(['c 10'], 0))).toEqual(['liveness'])
  })
})

type Step = Interval<Operation, OperationResult>
const step = (operation: Operation, invokedAt: number, completedAt: number, result: OperationResult | null): Step => ({
  operation,
  invokedAt,
  completedAt: result === null ? Infinity : completedAt,
  result,
  name: `${operation.type} at ${invokedAt}`,
})
const done: OperationResult = { ok: true, value: null }
const put = (value: string, from: number, to: number): Step => step({ type: 'put', key: 'k', value }, from, to, done)
const get = (value: string | null, from: number, to: number): Step => step({ type: 'get', key: 'k' }, from, to, { ok: true, value })
const isLinear = (...history: Step[]): boolean => checkLinearizability(history, serviceObject).length === 0

describe('linearizability', () => {
  it.each<[string, Step[]]>([
    ['one after another', [put('a', 0, 1), get('a', 2, 3), put('b', 4, 5), get('b', 6, 7)]],
    ['reads during a write may see either', [put('a', 0, 1), put('b', 2, 9), get('a', 3, 4), get('b', 5, 6)]],
    ['an unanswered write that happened', [step({ type: 'put', key: 'k', value: 'a' }, 0, 0, null), get('a', 5, 6)]],
    ['an unanswered write that happened late', [step({ type: 'put', key: 'k', value: 'a' }, 0, 0, null), get(null, 1, 2), get('a', 5, 6)]],
    ['an unanswered write that never happened', [step({ type: 'put', key: 'k', value: 'a' }, 0, 0, null), get(null, 5, 6)]],
  ])('accepts: %s', (_what, history) => {
    expect(isLinear(...history)).toBe(true)
  })

  it.each<[string, Step[]]>([
    ['a stale read', [put('a', 0, 1), put('b', 2, 3), get('a', 4, 5)]],
    ['a read of what was never written', [put('a', 0, 1), get('z', 2, 3)]],
    ['new, then old', [put('a', 0, 1), put('b', 2, 9), get('b', 3, 4), get('a', 5, 6)]],
    ['a lost write', [put('a', 0, 1), get(null, 2, 3)]],
    ['a read before the write began', [get('a', 0, 1), put('a', 2, 3)]],
  ])('finds: %s', (_what, history) => {
    expect(isLinear(...history)).toBe(false)
  })

  it('finds an increment that happened twice', () => {
    const incr = (from: number, value: number): Step => step({ type: 'incr', key: 'n', n: 1 }, from, from + 1, { ok: true, value })
    expect(isLinear(incr(0, 1), incr(2, 2), incr(4, 3))).toBe(true)
    expect(isLinear(incr(0, 1), incr(2, 3))).toBe(false)
  })

  it('finds money that was made', () => {
    const open = step({ type: 'open', account: 'a', balance: 10 }, 0, 1, { ok: true, value: 10 })
    const total = (value: number): Step => step({ type: 'total' }, 2, 3, { ok: true, value })
    expect(isLinear(open, total(10))).toBe(true)
    expect(isLinear(open, total(11))).toBe(false)
  })

  it('accepts whatever a sequential object did at some moment within each interval', () => {
    const kinds = fc.constantFrom<Operation>(
      { type: 'put', key: 'k', value: 'a' },
      { type: 'put', key: 'k', value: 'b' },
      { type: 'get', key: 'k' },
      { type: 'delete', key: 'k' },
      { type: 'cas', key: 'k', old: 'a', new: 'c' },
    )
    const timed = fc.array(fc.tuple(kinds, fc.nat(3), fc.nat(3), fc.boolean()), { maxLength: 30 })
    fc.assert(
      fc.property(timed, (list) => {
        let state = serviceObject.initial
        const history = list.map(([operation, before, after, isAnswered], moment) => {
          const outcome = serviceObject.apply(state, operation)
          state = outcome.state
          return step(operation, moment - before, moment + after + 0.5, isAnswered ? outcome.result : null)
        })
        expect(checkLinearizability(history, serviceObject)).toEqual([])
      }),
    )
  })
})

describe('certificates', () => {
  const vote = (type: Vote['type'], view: number, seq: number, digest: string): Vote => ({ replica: 1, type, view, seq, digest })
  const votes = [vote('prepare', 0, 5, 'a'), vote('commit', 0, 5, 'a'), vote('prepare', 1, 5, 'b')]
  const entry = (seq: number, digest: string, view: number) => ({ seq, digest, view })
  const whole = {
    replica: 1,
    view: 2,
    low: 4,
    high: 12,
    prepared: [entry(5, 'a', 0)],
    prePrepared: [entry(5, 'a', 0), entry(5, 'b', 1)],
    after: 3,
  }

  it('accepts what tells all votes of lower views, or later ones', () => {
    expect(checkCertificates(votes, [whole], 4)).toEqual([])
    expect(checkCertificates(votes, [{ ...whole, prepared: [entry(5, 'b', 1)] }], 4)).toEqual([])
    expect(checkCertificates(votes, [{ ...whole, low: 5, prepared: [], prePrepared: [] }], 4)).toEqual([])
    expect(checkCertificates(votes, [{ ...whole, view: 0, prepared: [], prePrepared: [] }], 4)).toEqual([])
    const lost: Vote = { replica: 1, type: 'new-disk', view: 0, seq: 0, digest: '' }
    expect(checkCertificates([...votes, lost], [{ ...whole, prepared: [], prePrepared: [], after: 4 }], 4)).toEqual([])
  })

  it('finds what is left out of P or of Q, or told of an older view or another digest', () => {
    const bad = [
      { ...whole, prepared: [] },
      { ...whole, prepared: [entry(5, 'b', 0)] },
      { ...whole, prePrepared: [entry(5, 'b', 1)] },
      { ...whole, prePrepared: [entry(5, 'a', 0), entry(5, 'b', 0)] },
    ]
    for (const told of bad) expect(names(checkCertificates(votes, [told], 4)), JSON.stringify(told)).toEqual(['certificates'])
    const full = ['c', 'd', 'e', 'f'].map((digest) => entry(5, digest, 1))
    expect(checkCertificates(votes, [{ ...whole, prePrepared: full }], 4)).toEqual([])
  })
})

describe('choices', () => {
  it('finds a batch that was proposed to nobody at its place before', () => {
    const proposed = { kind: 'pre-prepared' as const, seq: 3, digest: 'a' }
    const entered = { kind: 'entered' as const, replica: 0, view: 1, chosen: [{ seq: 3, digest: 'a' }] }
    expect(checkChoices([proposed, entered, { ...entered, chosen: [{ seq: 4, digest: 'null' }] }], 'null')).toEqual([])
    expect(names(checkChoices([entered, proposed], 'null'))).toEqual(['choices'])
    expect(names(checkChoices([proposed, { ...entered, chosen: [{ seq: 4, digest: 'a' }] }], 'null'))).toEqual(['choices'])
  })
})

describe('decided answers', () => {
  const prepared = (replica: number, view: number, digest = 'a') => ({ replica, view, seq: 7, digest })
  const taken = { client: 'c', timestamp: 1, seq: 7, after: 3 }

  it('accepts one that a quorum has prepared in one view, those unknown included', () => {
    expect(checkDecided([prepared(0, 1), prepared(1, 1), prepared(2, 1)], [taken], 3, 0)).toEqual([])
    expect(checkDecided([prepared(0, 1), prepared(1, 1)], [{ ...taken, after: 2 }], 3, 1)).toEqual([])
  })

  it('finds one that rests on several views, several batches, one replica twice, or what came later', () => {
    const bad = [
      [prepared(0, 0), prepared(1, 1), prepared(2, 1)],
      [prepared(0, 1, 'b'), prepared(1, 1), prepared(2, 1)],
      [prepared(1, 1), prepared(1, 1), prepared(2, 1)],
    ]
    for (const promises of bad) expect(names(checkDecided(promises, [taken], 3, 0))).toEqual(['decided'])
    expect(names(checkDecided([prepared(0, 1), prepared(1, 1), prepared(2, 1)], [{ ...taken, after: 2 }], 3, 0))).toEqual(['decided'])
    expect(names(checkDecided([], [{ ...taken, after: 0 }], 3, 1))).toEqual(['decided'])
  })
})
