import { describe, expect, it } from 'vitest'
import { asDigest, asReplicaId, asSeqNo, asView, type Digest } from '../../../src/pbft/protocol/ids.ts'
import type { CertificateEntry, Checkpoint, CheckpointEntry, StableCheckpoint, ViewChange } from '../../../src/pbft/protocol/messages.ts'
import { quorumSize, weakSize } from '../../../src/pbft/protocol/quorum.ts'
import { chooseNewView, problemOfViewChange, type RuleParameters } from '../../../src/pbft/protocol/view-change-rule.ts'
import { Random } from '../../support/random.ts'

const digestOf = (name: string): Digest => asDigest(name.repeat(64).slice(0, 64))
const [A, B, NULL, GENESIS] = ['a', 'b', '0', '9'].map(digestOf) as [Digest, Digest, Digest, Digest]
const parameters = (n: number): RuleParameters => ({
  n,
  quorum: quorumSize(n),
  weak: weakSize(n),
  checkpointInterval: 4,
  logWindow: 8,
  genesisDigest: GENESIS,
  nullDigest: NULL,
})
const four = parameters(4)

const entry = (seq: number, digest: Digest, view: number): CertificateEntry => ({ seq: asSeqNo(seq), digest, view: asView(view) })
const checkpointAt = (seq: number): CheckpointEntry => ({ seq: asSeqNo(seq), digest: seq === 0 ? GENESIS : digestOf(`c${seq}`) })
const stableAt = (seq: number): StableCheckpoint => {
  const { digest } = checkpointAt(seq)
  const proof = [0, 1, 2].map((replica): Checkpoint => ({
    type: 'checkpoint',
    seq: asSeqNo(seq),
    digest,
    replica: asReplicaId(replica),
    signature: new Uint8Array(64),
  }))
  return { seq: asSeqNo(seq), digest, proof: seq === 0 ? [] : proof }
}

interface Sketch {
  readonly stable?: number
  readonly held?: readonly number[]
  readonly p?: readonly CertificateEntry[]
  readonly q?: readonly CertificateEntry[]
}

const viewChange = (replica: number, { stable = 0, held = [], p = [], q = p }: Sketch, view = 5): ViewChange => ({
  type: 'view-change',
  view: asView(view),
  replica: asReplicaId(replica),
  incarnation: 1,
  stable: stableAt(stable),
  checkpoints: [stable, ...held].map(checkpointAt),
  prepared: p,
  prePrepared: q,
  signature: new Uint8Array(64),
})

const choose = (...sketches: Sketch[]): ReturnType<typeof chooseNewView> =>
  chooseNewView(
    sketches.map((sketch, i) => viewChange(i, sketch)),
    four,
  )

describe('the rule of the view change', () => {
  it('chooses what a quorum may have committed', () => {
    const one = [entry(1, A, 2)]
    expect(choose({ p: one }, { q: one }, {})?.chosen).toEqual([{ seq: 1, digest: A }])
  })

  it('waits when nothing is decided yet, and chooses null when a quorum prepared nothing', () => {
    const one = [entry(1, A, 2)]
    // Replica 0 claims to have prepared it, and nobody else has even seen it.
    expect(choose({ p: one }, {}, {})).toBeNull()
    expect(choose({ p: one }, {}, {}, {})?.chosen).toEqual([{ seq: 1, digest: NULL }])
  })

  it('finds every digest that somebody pre-prepared at a place, not only the first', () => {
    const seen = [entry(1, A, 1), entry(1, B, 3)]
    expect(choose({ p: [entry(1, B, 3)] }, { p: [], q: seen }, {})?.chosen).toEqual([{ seq: 1, digest: B }])
  })

  it.each<[string, ViewChange, string]>([
    [
      'another genesis, also in C',
      { ...viewChange(1, {}), stable: { ...stableAt(0), digest: A }, checkpoints: [{ seq: asSeqNo(0), digest: A }] },
      'genesis differs',
    ],
    ['one checkpoint twice in C', viewChange(1, { held: [4, 4] }), 'C out of order or bounds'],
    ['its stable one twice in C', viewChange(1, { stable: 4, held: [4] }), 'C out of order or bounds'],
    ['a checkpoint one interval above the window', viewChange(1, { stable: 4, held: [16] }), 'C out of order or bounds'],
    ['P at the low mark', viewChange(1, { stable: 4, p: [entry(4, A, 1)] }), 'entry outside the watermarks'],
    ['P one above the window', viewChange(1, { stable: 4, p: [entry(13, A, 1)] }), 'entry outside the watermarks'],
    ['P of its own view', viewChange(1, { p: [entry(1, A, 5)] }), 'entry of a view that is not before'],
    ['Q with one entry twice', viewChange(1, { q: [entry(1, A, 1), entry(1, A, 2)] }), 'entries out of order'],
    ['P twice at one place', viewChange(1, { p: [entry(1, A, 1), entry(1, B, 1)] }), 'too many entries at one sequence number'],
  ])('refuses a view-change with %s, and says so', (_, message, problem) => {
    expect(problemOfViewChange(message, four)).toBe(problem)
  })

  it('starts from a checkpoint that f+1 vouch for, and not from one on which they differ', () => {
    const at = (replica: number, digest: Digest): ViewChange => ({
      ...viewChange(replica, {}),
      checkpoints: [checkpointAt(0), { seq: asSeqNo(4), digest }],
    })
    expect(chooseNewView([at(0, A), at(1, A), viewChange(2, {})], four)?.start).toEqual({ seq: 4, digest: A })
    expect(chooseNewView([at(0, A), at(1, B), viewChange(2, {})], four)?.start.seq).toBe(0)
  })

  it.each<[string, ViewChange]>([
    ['C to the edge of the window', viewChange(1, { stable: 4, held: [8, 12] })],
    ['P at both edges of the window', viewChange(1, { stable: 4, p: [entry(5, A, 1), entry(12, A, 4)] })],
  ])('takes a view-change with %s', (_, message) => {
    expect(problemOfViewChange(message, four)).toBeNull()
  })

  it('takes the later of two views, whatever the order of the messages', () => {
    const early = [entry(1, A, 1)]
    const late = [entry(1, B, 3)]
    const sketches: Sketch[] = [{ p: early, q: [...early, ...late] }, { p: late }, { q: late }, { p: early }]
    const random = new Random(7)
    for (let i = 0; i < 10; i++) {
      const set = sketches.map((sketch, id) => viewChange(id, sketch)).sort(() => random.next() - 0.5)
      expect(chooseNewView(set, four)?.chosen).toEqual([{ seq: 1, digest: B }])
    }
  })

  it('A1: a candidate does not stand against a later certificate in all but a quorum', () => {
    const early = [entry(1, A, 1)]
    const late = [entry(1, B, 3)]
    // Two hold B of view 3: no quorum is left for A, and f+1 saw B, so B it is.
    expect(choose({ p: early, q: early }, { p: late }, { p: late }, { q: early })?.chosen).toEqual([{ seq: 1, digest: B }])
    // With B seen by one only, neither can be chosen and all wait.
    expect(choose({ p: early, q: early }, { p: late }, { p: early })).toBeNull()
  })

  it('pitfall 04: replicas at three different checkpoints find a start', () => {
    const choice = choose({ stable: 0, held: [4, 8] }, { stable: 4, held: [8] }, { stable: 8 }, { stable: 0, held: [4] })
    expect(choice).toEqual({ start: checkpointAt(8), chosen: [] })
    expect(choose({ stable: 4, held: [12] }, { stable: 4 }, { stable: 0, held: [4] })?.start).toEqual(checkpointAt(4))
  })

  it('starts at no checkpoint that one replica alone vouches for', () => {
    expect(choose({ held: [4] }, {}, {}, {})?.start).toEqual(checkpointAt(0))
  })

  it('pitfall 05: an invalid P entry beside a valid one does not mask it', () => {
    const valid = [entry(1, A, 2)]
    const madeUp = [entry(1, B, 4)]
    const choice = choose({ p: madeUp, q: madeUp }, { p: valid }, { p: valid }, { q: valid })
    expect(choice?.chosen).toEqual([{ seq: 1, digest: A }])
  })

  it('pitfall 07: fills the gap below what prepared with the null request', () => {
    const second = [entry(2, A, 1)]
    expect(choose({ p: second }, { p: second }, { p: second })?.chosen).toEqual([
      { seq: 1, digest: NULL },
      { seq: 2, digest: A },
    ])
  })

  it.each<[string, ViewChange]>([
    ['of no replica', viewChange(4, {})],
    ['for view 0', viewChange(1, {}, 0)],
    ['with another genesis', { ...viewChange(1, {}), stable: { ...stableAt(0), digest: A } }],
    ['without proof', { ...viewChange(1, { stable: 4 }), stable: { ...stableAt(4), proof: stableAt(4).proof.slice(1) } }],
    [
      'with one signer twice',
      { ...viewChange(1, { stable: 4 }), stable: { ...stableAt(4), proof: [...stableAt(4).proof.slice(1), stableAt(4).proof[1]!] } },
    ],
    ['with a proof of something else', { ...viewChange(1, { stable: 4 }), stable: { ...stableAt(4), proof: stableAt(8).proof } }],
    ['with C that lacks the stable checkpoint', { ...viewChange(1, {}), checkpoints: [] }],
    ['with C out of order', viewChange(1, { held: [8, 4] })],
    ['with C beyond the window', viewChange(1, { held: [12] })],
    ['with C off the interval', viewChange(1, { held: [5] })],
    ['with P at the low watermark', viewChange(1, { stable: 4, p: [entry(4, A, 1)] })],
    ['with P above the high watermark', viewChange(1, { p: [entry(9, A, 1)] })],
    ['with P of its own view', viewChange(1, { p: [entry(1, A, 5)] })],
    ['with two in P at one seq', viewChange(1, { p: [entry(1, A, 1), entry(1, B, 2)], q: [] })],
    ['with Q out of order', viewChange(1, { q: [entry(1, B, 1), entry(1, A, 2)] })],
    ['with Q beyond its bound', viewChange(1, { q: ['1', '2', '3', '4', '5', '6', '7'].map((name) => entry(1, digestOf(name), 1)) })],
  ])('refuses a view-change %s', (_, message) => {
    expect(problemOfViewChange(message, four)).not.toBeNull()
  })

  it('accepts what a correct replica sends', () => {
    const q = ['1', '2', '3', '4', '5', '6'].map((name) => entry(5, digestOf(name), 1))
    expect(
      problemOfViewChange(viewChange(1, { stable: 4, held: [8, 12], p: [entry(5, digestOf('1'), 4), entry(12, A, 0)], q }), four),
    ).toBeNull()
  })

  /** Random histories: whatever committed in an earlier view is chosen, by any set that decides. */
  it('keeps what committed, over random certificates with f liars', () => {
    const seed = 20_260_101
    const random = new Random(seed)
    for (let run = 0; run < 3_000; run++) {
      const n = [4, 5, 7, 10][random.below(4)]!
      const p = parameters(n)
      const f = Math.floor((n - 1) / 3)
      const view = 1 + random.below(3)
      // A committed in `view`: a quorum prepared it then; f of them are liars now. The others may have pre-prepared B earlier.
      const order = Array.from({ length: n }, (_, i) => i).sort(() => random.next() - 0.5)
      const liars = new Set(order.slice(0, f))
      const voters = new Set(order.slice(0, p.quorum))
      const set = order.map((id) => {
        if (liars.has(id)) {
          const lie = [entry(1, random.chance(0.5) ? B : A, random.below(5))]
          return viewChange(id, random.chance(0.3) ? {} : { p: lie, q: lie })
        }
        const earlier = entry(1, B, random.below(view))
        if (!voters.has(id)) return viewChange(id, random.chance(0.5) ? {} : { p: [earlier], q: [earlier] })
        return viewChange(id, { p: [entry(1, A, view)], q: [entry(1, A, view), ...(random.chance(0.5) ? [earlier] : [])] })
      })
      const subset = set.sort(() => random.next() - 0.5).slice(0, p.quorum + random.below(n - p.quorum + 1))
      const choice = chooseNewView(subset, p)
      if (choice !== null) expect({ run, seed, chosen: choice.chosen }).toEqual({ run, seed, chosen: [{ seq: 1, digest: A }] })
      if (subset.length === n) expect({ run, seed, decided: choice !== null }).toEqual({ run, seed, decided: true })
    }
  })
})
