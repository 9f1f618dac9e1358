/**
 * Signed bytes read back, and whether two of them contradict each other: what it takes to judge evidence without a replica at
 * hand. The signatures are the caller's to check, by the key of the replica that is named here.
 */
import type { CheckpointEntry, Unsigned, ViewChange } from '../protocol/messages.ts'
import { primaryOf } from '../protocol/quorum.ts'
import { readReplica, readSeq, readDigest } from './fields.ts'
import { readPrePrepareHeader, readUnsignedViewChange } from './parts.ts'
import { Reader } from './reader.ts'
import { domains } from './signing.ts'

const contradictionKinds = ['pre-prepare', 'checkpoint', 'view-change'] as const
type ContradictionKind = (typeof contradictionKinds)[number]

/** Two statements for one place that differ. */
export interface Contradiction {
  readonly kind: ContradictionKind
  /** Who has to have signed both. */
  readonly signer: number
  /** null for checkpoints, which are of no view. */
  readonly view: number | null
  /** null for view-changes. */
  readonly seq: number | null
}

interface Statement extends Contradiction {
  /** Of the disk that a view-change speaks for; another one has another say. 0 for the others. */
  readonly incarnation: number
  /** Statements for one place that are equal in this are no contradiction. */
  readonly says: string
}

const kindOf = (domain: string): ContradictionKind | null => contradictionKinds.find((kind) => domains[kind] === domain) ?? null

/** Which quorum vouches for the stable checkpoint is nothing that a view-change says. */
const saysOf = ({ stable, checkpoints, prepared, prePrepared }: Unsigned<ViewChange>): string => {
  const start: CheckpointEntry = { seq: stable.seq, digest: stable.digest }
  return JSON.stringify([start, checkpoints, prepared, prePrepared])
}

const readBody = (reader: Reader, kind: ContradictionKind, n: number): Statement => {
  switch (kind) {
    case 'pre-prepare': {
      const { view, seq, digest } = readPrePrepareHeader(reader)
      return { kind, signer: primaryOf(view, n), view, seq, incarnation: 0, says: digest }
    }
    case 'checkpoint': {
      const seq = readSeq(reader)
      const digest = readDigest(reader)
      return { kind, signer: readReplica(reader), view: null, seq, incarnation: 0, says: digest }
    }
    case 'view-change': {
      const message = readUnsignedViewChange(reader)
      return { kind, signer: message.replica, view: message.view, seq: null, incarnation: message.incarnation, says: saysOf(message) }
    }
  }
}

/** null: no statement of this cluster, or not the canonical bytes of one. */
const readStatement = (bytes: Uint8Array, clusterId: string, n: number): Statement | null => {
  const reader = new Reader(bytes)
  const kind = kindOf(reader.text(64))
  if (kind === null || reader.text(64) !== clusterId) return null
  const statement = reader.finish(readBody(reader, kind, n))
  return statement.ok && statement.value.signer < n ? statement.value : null
}

/** What two signed byte strings of the cluster `clusterId` of `n` replicas contradict each other in; null when they do not. Never throws. */
export function contradictionOf(first: Uint8Array, second: Uint8Array, clusterId: string, n: number): Contradiction | null {
  const [a, b] = [readStatement(first, clusterId, n), readStatement(second, clusterId, n)]
  if (a === null || b === null) return null
  const { kind, signer, view, seq } = a
  const isSamePlace = kind === b.kind && signer === b.signer && view === b.view && seq === b.seq && a.incarnation === b.incarnation
  return isSamePlace && a.says !== b.says ? { kind, signer, view, seq } : null
}
