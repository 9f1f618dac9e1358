/** One fixed message of each type, for golden vectors and signatures. Cluster of four. */
import { asClientId, asClientTimestamp, asDigest, asReplicaId, asSeqNo, asView } from '../../src/pbft/protocol/ids.ts'
import type * as messages from '../../src/pbft/protocol/messages.ts'
import { encodeBatch } from '../../src/pbft/wire/index.ts'

const digest = (byte: string) => asDigest(byte.repeat(32))
const filled = (length: number, byte: number) => new Uint8Array(length).fill(byte)
const replica = asReplicaId
const seq = asSeqNo

export const signedRequest: messages.Request = {
  type: 'request',
  client: asClientId('zoë/1'),
  timestamp: asClientTimestamp(1_700_000_000_000_001),
  operation: Uint8Array.of(1, 2, 3),
  readOnly: false,
  replier: replica(2),
  authentication: { kind: 'signature', signature: filled(64, 0xc1) },
}
export const macedRequest: messages.Request = {
  ...signedRequest,
  readOnly: true,
  replier: null,
  authentication: { kind: 'macs', macs: Uint8Array.of(...filled(16, 0xa0), ...filled(16, 0xa1)) },
}
export const batch = encodeBatch(1_700_000_000_000, [signedRequest, macedRequest])
export const checkpointOf = (id: number): messages.Checkpoint => ({
  type: 'checkpoint',
  seq: seq(128),
  digest: digest('cc'),
  replica: replica(id),
  signature: filled(64, 0xd0 + id),
})
export const viewChangeOf = (id: number): messages.ViewChange => ({
  type: 'view-change',
  view: asView(5),
  replica: replica(id),
  incarnation: 1_700_000_000_000,
  stable: { seq: seq(128), digest: digest('cc'), proof: [checkpointOf(0), checkpointOf(1), checkpointOf(3)] },
  checkpoints: [{ seq: seq(128), digest: digest('cc') }],
  prepared: [{ seq: seq(129), digest: digest('d1'), view: asView(4) }],
  prePrepared: [
    { seq: seq(129), digest: digest('d1'), view: asView(4) },
    { seq: seq(129), digest: digest('d2'), view: asView(3) },
  ],
  signature: filled(64, 0xe0 + id),
})

export const examples: { readonly [T in messages.Message['type']]: Extract<messages.Message, { type: T }> } = {
  request: signedRequest,
  'pre-prepare': { type: 'pre-prepare', view: asView(5), seq: seq(129), digest: digest('d1'), batch, signature: filled(64, 0xb1) },
  proposal: { type: 'proposal', view: asView(5), seq: seq(129), digest: digest('d1'), signature: filled(64, 0xb1) },
  prepare: { type: 'prepare', view: asView(5), seq: seq(129), digest: digest('d1'), replica: replica(3) },
  commit: { type: 'commit', view: asView(Number.MAX_SAFE_INTEGER), seq: seq(2 ** 32), digest: digest('0f'), replica: replica(99) },
  reply: {
    type: 'reply',
    view: asView(5),
    seq: seq(129),
    client: asClientId('zoë/1'),
    timestamp: asClientTimestamp(7),
    replica: replica(0),
    tentative: true,
    result: { kind: 'full', bytes: Uint8Array.of(9, 8) },
  },
  checkpoint: checkpointOf(2),
  'view-change': viewChangeOf(2),
  'new-view': {
    type: 'new-view',
    view: asView(5),
    replica: replica(1),
    viewChanges: [viewChangeOf(0), viewChangeOf(2), viewChangeOf(3)],
    start: { seq: seq(128), digest: digest('cc') },
    chosen: [{ seq: seq(129), digest: digest('d1') }],
    signature: filled(64, 0xf1),
  },
  status: {
    type: 'status',
    replica: replica(2),
    view: asView(5),
    active: true,
    stableSeq: seq(128),
    lastExecuted: seq(130),
    findsSlow: true,
    slots: [
      { seq: seq(131), prePrepared: true, prepared: true, committed: false },
      { seq: seq(133), prePrepared: false, prepared: false, committed: true },
    ],
    viewChangesFrom: [replica(0), replica(3)],
    missingBatches: [digest('d1')],
    solicits: true,
    incarnation: 1_700_000_000_000,
    since: null,
    probation: true,
    goal: seq(384),
    lastCheckpoint: seq(128),
    lastPrepared: seq(131),
    memories: [{ incarnation: 1_700_000_000_000, since: asView(4), view: asView(5), seq: seq(132) }],
  },
  'batch-data': { type: 'batch-data', batch },
  fetch: { type: 'fetch', seq: seq(128), root: digest('cc'), level: 1, index: 7 },
  'meta-data': { type: 'meta-data', seq: seq(128), level: 0, index: 0, children: [digest('01'), digest('02')] },
  data: { type: 'data', seq: seq(128), index: 300, bytes: Uint8Array.of(1, 2, 3, 4) },
  'authentication-wanted': { type: 'authentication-wanted', client: asClientId('zoë/1'), timestamp: asClientTimestamp(7) },
}
