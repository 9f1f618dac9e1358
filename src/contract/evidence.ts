/**
 * Evidence against a replica as one file: two statements that it signed and that contradict each other. JSON on one line, in the order
 * of the fields below; docs/evidence.md says what it proves. Everything but `seenAt` and `seenBy` is checked against cluster.json.
 */
import * as v from 'valibot'
import { replicasMax } from './manifest.ts'
import type { Evidence } from './model.ts'

/** Hex digits of the longest statement: a replica keeps 2 MiB of them, in bytes, for all its evidence together. */
const statementCharsMax = 8 * 1_048_576
/** Two statements and what is around them. */
export const evidenceFileBytesMax = 2 * statementCharsMax + 65_536

/** No group in the expression: over megabytes one would exhaust the stack. */
const hex = (charsMax: number) =>
  v.pipe(
    v.string('must be a text'),
    v.maxLength(charsMax, `must have at most ${charsMax} digits`),
    v.regex(/^[0-9a-f]*$/, 'must be lower-case hex'),
    v.check((text) => text.length % 2 === 0, 'must be whole bytes in hex'),
  )
const hexOf = (bytes: number) =>
  v.pipe(
    hex(2 * bytes),
    v.check((text) => text.length === 2 * bytes, `must be ${bytes} bytes`),
  )
const whole = (max: number) =>
  v.pipe(
    v.number('must be a number'),
    v.integer('must be a whole number'),
    v.minValue(0, 'must not be negative'),
    v.maxValue(max, `must be at most ${max}`),
  )
const place = v.nullable(whole(Number.MAX_SAFE_INTEGER))

export const statementSchema = v.strictObject({
  /** What is signed (domain, cluster, fields), and the Ed25519 signature over it, in hex. */
  bytes: hex(statementCharsMax),
  signature: hex(512),
})
export type Statement = v.InferOutput<typeof statementSchema>

export const evidenceKinds = ['pre-prepare', 'checkpoint', 'view-change'] as const
export type EvidenceKind = (typeof evidenceKinds)[number]

export const evidenceFileSchema = v.strictObject({
  type: v.literal('pbft-panel evidence', 'must be "pbft-panel evidence"'),
  format: v.literal(1, 'must be 1: this program knows no other'),
  clusterId: hexOf(16),
  /** Replicas of the cluster. */
  n: whole(replicasMax),
  /** Who contradicts itself. */
  signer: whole(replicasMax - 1),
  /** The signer's, for reference: signatures are checked by the manifest's. */
  publicKey: hexOf(32),
  kind: v.picklist(evidenceKinds, `must be one of ${evidenceKinds.join(', ')}`),
  /** null for checkpoints. */
  view: place,
  /** null for view-changes. */
  seq: place,
  first: statementSchema,
  second: statementSchema,
  /** When the first replica held both, and which ones have: what the panel was told. Nobody signed it. */
  seenAt: v.pipe(v.string('must be a text'), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'must be a time in UTC')),
  seenBy: v.pipe(v.array(whole(replicasMax - 1), 'must be a list'), v.maxLength(replicasMax, 'has too many members')),
  /** SHA-256 of the file without this field, as one line: shows damage, not forgery. */
  checksum: hexOf(32),
})
export type EvidenceFile = v.InferOutput<typeof evidenceFileSchema>

/** What a screen saves: a name without separators, and the file, to be written by `evidenceText`. */
export interface EvidenceExport {
  readonly name: string
  readonly file: EvidenceFile
}

/** The file's only text. */
export const evidenceText = (file: EvidenceFile): string => `${JSON.stringify(file)}\n`

/** A piece of evidence with its statements decoded. */
export interface EvidenceDetail {
  readonly evidence: Evidence
  /** What each statement says: plain data by the names of the message's fields; null: it cannot be read. */
  readonly first: unknown
  readonly second: unknown
  /** Names joined by dots of what they contradict each other in, at most 500. */
  readonly differences: readonly string[]
}
