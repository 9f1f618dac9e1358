/** Arbitrary messages and records, for properties. All are representable; most are nonsense to the protocol. */
import fc from 'fast-check'
import { asClientId, asClientTimestamp, asDigest, asReplicaId, asSeqNo, asView, type View } from '../../src/pbft/protocol/ids.ts'
import type * as messages from '../../src/pbft/protocol/messages.ts'
import type { LogRecord } from '../../src/pbft/protocol/records.ts'
import { encodeBatch } from '../../src/pbft/wire/index.ts'

const whole = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constant(Number.MAX_SAFE_INTEGER))
const view = whole.map(asView)
const seq = whole.map(asSeqNo)
const replica = fc.nat(99).map(asReplicaId)
const digest = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => asDigest(Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')))
const signature = fc.uint8Array({ maxLength: 64 })
const client = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).map(asClientId)
const timestamp = whole.map(asClientTimestamp)

export const requests: fc.Arbitrary<messages.Request> = fc.record({
  type: fc.constant('request' as const),
  client,
  timestamp,
  operation: fc.uint8Array({ maxLength: 200 }),
  readOnly: fc.boolean(),
  replier: fc.option(replica, { nil: null }),
  authentication: fc.oneof(
    fc.record({ kind: fc.constant('signature' as const), signature }),
    fc.record({
      kind: fc.constant('macs' as const),
      macs: fc.nat(7).chain((n) => fc.uint8Array({ minLength: n * 16, maxLength: n * 16 })),
    }),
  ),
})

export const batches: fc.Arbitrary<messages.Batch> = fc
  .tuple(whole, fc.array(requests, { maxLength: 5 }))
  .map(([timeMs, list]) => encodeBatch(timeMs, list))

const header = { view, seq, digest }
const entry = fc.record({ seq, digest })
const certificate = fc.record({ seq, digest, view })
const bySeq = (a: { seq: number }, b: { seq: number }): number => a.seq - b.seq
const bySeqAndDigest = (a: messages.CertificateEntry, b: messages.CertificateEntry): number =>
  a.seq - b.seq || (a.digest < b.digest ? -1 : 1)
const entries = fc.uniqueArray(entry, { maxLength: 4, selector: (e) => e.seq }).map((list) => list.toSorted(bySeq))
const prepared = fc.uniqueArray(certificate, { maxLength: 4, selector: (e) => e.seq }).map((list) => list.toSorted(bySeq))
const prePrepared = fc
  .uniqueArray(certificate, { maxLength: 4, selector: (e) => `${e.seq} ${e.digest}` })
  .map((list) => list.toSorted(bySeqAndDigest))
const checkpoint = fc.record({ type: fc.constant('checkpoint' as const), seq, digest, replica, signature })
const stable = fc.record({ seq, digest, proof: fc.array(checkpoint, { maxLength: 4 }) })

const viewChange: fc.Arbitrary<messages.ViewChange> = fc.record({
  type: fc.constant('view-change' as const),
  view,
  replica,
  incarnation: whole,
  stable,
  checkpoints: entries,
  prepared,
  prePrepared,
  signature,
})
const newView: fc.Arbitrary<messages.NewView> = fc.record({
  type: fc.constant('new-view' as const),
  view,
  replica,
  viewChanges: fc
    .uniqueArray(viewChange, { maxLength: 3, selector: (v) => v.replica })
    .map((list) => list.toSorted((a, b) => a.replica - b.replica)),
  start: entry,
  chosen: entries,
  signature,
})
const since: fc.Arbitrary<View | null> = fc.option(view, { nil: null })
const status: fc.Arbitrary<messages.Status> = fc.record({
  type: fc.constant('status' as const),
  replica,
  view,
  active: fc.boolean(),
  stableSeq: seq,
  lastExecuted: seq,
  findsSlow: fc.boolean(),
  slots: fc
    .uniqueArray(fc.record({ seq, prePrepared: fc.boolean(), prepared: fc.boolean(), committed: fc.boolean() }), {
      maxLength: 4,
      selector: (s) => s.seq,
    })
    .map((list) => list.toSorted(bySeq)),
  viewChangesFrom: fc.array(replica, { maxLength: 4 }),
  missingBatches: fc.array(digest, { maxLength: 4 }),
  solicits: fc.boolean(),
  incarnation: whole,
  since,
  probation: fc.boolean(),
  goal: seq.map((goal) => (goal === 0 ? null : goal)),
  lastCheckpoint: seq,
  lastPrepared: seq,
  memories: fc.array(fc.record({ incarnation: whole, since, view, seq }), { maxLength: 4 }),
})
const reply: fc.Arbitrary<messages.Reply> = fc.record({
  type: fc.constant('reply' as const),
  view,
  seq,
  client,
  timestamp,
  replica,
  tentative: fc.boolean(),
  result: fc.oneof(
    fc.record({ kind: fc.constant('full' as const), bytes: fc.uint8Array({ maxLength: 100 }) }),
    fc.record({ kind: fc.constant('digest' as const), digest }),
  ),
})
const level = fc.nat(31)
const index = fc.nat(0xffffffff)

/** One arbitrary per message type. */
export const messageArbitraries: Record<messages.Message['type'], fc.Arbitrary<messages.Message>> = {
  request: requests,
  'pre-prepare': fc.record({ type: fc.constant('pre-prepare' as const), ...header, batch: batches, signature }),
  proposal: fc.record({ type: fc.constant('proposal' as const), ...header, signature }),
  prepare: fc.record({ type: fc.constant('prepare' as const), ...header, replica }),
  commit: fc.record({ type: fc.constant('commit' as const), ...header, replica }),
  reply,
  checkpoint,
  'view-change': viewChange,
  'new-view': newView,
  status,
  'batch-data': fc.record({ type: fc.constant('batch-data' as const), batch: batches }),
  fetch: fc.record({ type: fc.constant('fetch' as const), seq, root: digest, level, index }),
  'meta-data': fc.record({ type: fc.constant('meta-data' as const), seq, level, index, children: fc.array(digest, { maxLength: 4 }) }),
  data: fc.record({ type: fc.constant('data' as const), seq, index, bytes: fc.uint8Array({ maxLength: 200 }) }),
  'authentication-wanted': fc.record({ type: fc.constant('authentication-wanted' as const), client, timestamp }),
}

export const anyMessage: fc.Arbitrary<messages.Message> = fc.oneof(...Object.values<fc.Arbitrary<messages.Message>>(messageArbitraries))

const certificates = fc
  .uniqueArray(fc.record({ seq, digest, view }), { maxLength: 4, selector: (certificate) => certificate.seq })
  .map((list) => list.toSorted(bySeq))

/** Records as they come back: a checkpoint's partitions are not part of its bytes. */
export const anyRecord: fc.Arbitrary<LogRecord> = fc.oneof<fc.Arbitrary<LogRecord>[]>(
  fc.record({ kind: fc.constant('pre-prepared' as const), ...header, batch: batches, signature }),
  fc.record({ kind: fc.constant('prepared' as const), ...header }),
  fc.record({
    kind: fc.constant('executed' as const),
    ...header,
    batch: batches,
    results: fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('batch' as const), seq, digest, batch: batches }),
  fc.record({ kind: fc.constant('view-change' as const), message: viewChange }),
  fc.record({ kind: fc.constant('new-view' as const), message: newView, prepared: certificates, prePrepared: certificates }),
  fc.record({
    kind: fc.constant('checkpoint' as const),
    message: checkpoint,
    timeMs: whole,
    partitions: fc.constant([]),
    transferred: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('stable' as const), stable }),
  fc.record({
    kind: fc.constant('born' as const),
    incarnation: whole,
    since,
    lost: fc.constantFrom(null, 'no-disk' as const, 'old-disk' as const),
  }),
  fc.constant({ kind: 'stopped' as const }),
  fc.constant({ kind: 'started' as const }),
  fc.record({
    kind: fc.constant('disks' as const),
    disks: fc.array(fc.record({ incarnation: whole, since }), { maxLength: 4 }),
  }),
)
