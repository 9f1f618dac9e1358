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
  /** For people: what is said, by the names of the message's fields. */
  readonly content: object
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
      return { kind, signer: primaryOf(view, n), view, seq, incarnation: 0, says: digest, content: { type: kind, view, seq, digest } }
    }
    case 'checkpoint': {
      const seq = readSeq(reader)
      const digest = readDigest(reader)
      const signer = readReplica(reader)
      return { kind, signer, view: null, seq, incarnation: 0, says: digest, content: { type: kind, seq, digest, replica: signer } }
    }
    case 'view-change': {
      const message = readUnsignedViewChange(reader)
      const { replica: signer, view, incarnation } = message
      return { kind, signer, view, seq: null, incarnation, says: saysOf(message), content: message }
    }
  }
}

/** Why two byte strings are no contradiction. */
export type NoContradiction = 'unreadable' | 'other-cluster' | 'other-place' | 'same'

type Weighed = { readonly ok: true; readonly value: Contradiction } | { readonly ok: false; readonly reason: NoContradiction }
type Read = { readonly ok: true; readonly value: Statement } | { readonly ok: false; readonly reason: NoContradiction }

const unreadable = { ok: false, reason: 'unreadable' } as const

/** Refuses what is no statement of this cluster, or not the canonical bytes of one. */
const readStatement = (bytes: Uint8Array, clusterId: string, n: number): Read => {
  const reader = new Reader(bytes)
  const kind = kindOf(reader.text(64))
  if (kind === null) return unreadable
  const cluster = reader.text(64)
  if (reader.failed) return unreadable
  if (cluster !== clusterId) return { ok: false, reason: 'other-cluster' }
  const statement = reader.finish(readBody(reader, kind, n))
  return statement.ok && statement.value.signer < n ? statement : unreadable
}

/** What a signed byte string of the cluster says, by the names of the message's fields; null when it is no statement. Never throws. */
export function statementContent(bytes: Uint8Array, clusterId: string, n: number): object | null {
  const statement = readStatement(bytes, clusterId, n)
  return statement.ok ? statement.value.content : null
}

/** What two signed byte strings of the cluster `clusterId` of `n` replicas contradict each other in, or why they do not. Never throws. */
export function weighStatements(first: Uint8Array, second: Uint8Array, clusterId: string, n: number): Weighed {
  const [a, b] = [readStatement(first, clusterId, n), readStatement(second, clusterId, n)]
  if (!a.ok) return a
  if (!b.ok) return b
  const { kind, signer, view, seq, incarnation, says } = a.value
  const isSamePlace =
    kind === b.value.kind &&
    signer === b.value.signer &&
    view === b.value.view &&
    seq === b.value.seq &&
    incarnation === b.value.incarnation
  if (!isSamePlace) return { ok: false, reason: 'other-place' }
  return says === b.value.says ? { ok: false, reason: 'same' } : { ok: true, value: { kind, signer, view, seq } }
}

/** As `weighStatements`; null when there is no contradiction. */
export function contradictionOf(first: Uint8Array, second: Uint8Array, clusterId: string, n: number): Contradiction | null {
  const weighed = weighStatements(first, second, clusterId, n)
  return weighed.ok ? weighed.value : null
}
