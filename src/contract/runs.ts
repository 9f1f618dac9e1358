/**
 * Runs: one opening of a cluster, or one scenario that ran on it, with everything that was recorded of it. A run can be named, annotated,
 * compared, exported into one file and opened from one (docs/run-files.md); an opened one is only looked at.
 */
import * as v from 'valibot'
import { replicasMax } from './manifest.ts'
import { monitorNames } from './model.ts'
import { scenarioNameSchema, scenarioTextSchema } from './scenarios.ts'

export const annotationsMax = 200
const whole = (max = Number.MAX_SAFE_INTEGER) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max))
/** ms since the epoch. */
const time = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(8.64e15))
const milliseconds = v.nullable(v.pipe(v.number(), v.finite(), v.minValue(0)))
const text = (max: number) => v.pipe(v.string(), v.maxLength(max))

export const runIdSchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/, 'must be 16 lower-case hex digits'))
export const runNameSchema = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(120))
export const annotationTextSchema = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(500))

/** What somebody wrote down about a moment of a run. */
export const annotationSchema = v.strictObject({ id: runIdSchema, at: time, text: annotationTextSchema })
export type Annotation = v.InferOutput<typeof annotationSchema>

/** held: no safety monitor went off, and a scenario came as expected. failed: a scenario did not. broken-off: its end is not recorded. */
export const runVerdicts = ['running', 'held', 'failed', 'violated', 'broken-off'] as const
export type RunVerdict = (typeof runVerdicts)[number]

export const runFiguresSchema = v.strictObject({
  /** The first and the last seq of its log; 0 and 0 when there is none. */
  first: whole(),
  last: whole(),
  batches: whole(),
  requests: whole(),
  /** Faults that were injected. */
  faults: whole(),
  /** Times that a safety monitor went off. */
  violations: whole(),
  /** Views that began after the first one. */
  viewChanges: whole(),
  checkpoints: whole(),
  /** Pieces of evidence against replicas. */
  evidence: whole(),
  /** Most requests within one second. */
  peakPerSecond: whole(),
  /** Longest outage at a view change; null: none was seen. */
  longestOutageMs: milliseconds,
  /** Of the median second with requests of this panel; null: there was none. */
  p50Ms: milliseconds,
  /** The worst second. */
  p99Ms: milliseconds,
})
export type RunFigures = v.InferOutput<typeof runFiguresSchema>

export const runInfoSchema = v.strictObject({
  id: runIdSchema,
  name: runNameSchema,
  kind: v.picklist(['cluster', 'scenario']),
  /** file: it was opened from a file. */
  source: v.picklist(['own', 'file']),
  cluster: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  clusterId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  n: v.pipe(whole(replicasMax), v.minValue(1)),
  scenario: v.nullable(v.strictObject({ name: scenarioNameSchema, title: scenarioTextSchema, holds: v.nullable(v.boolean()) })),
  began: time,
  /** null: it goes on, or its end is not recorded. */
  ended: v.nullable(time),
  verdict: v.picklist(runVerdicts),
  /** Safety monitors as they stood at the end; empty while it goes on. */
  monitors: v.pipe(
    v.array(
      v.strictObject({
        name: v.picklist(monitorNames),
        state: v.picklist(['holds', 'violated', 'unknown']),
        /** What it rests on, as a sentence's key with parameters; `detail` is it in English. */
        key: text(80),
        parameters: v.record(
          v.pipe(v.string(), v.regex(/^(?!__proto__$)\w{1,32}$/)),
          v.union([v.pipe(v.number(), v.finite()), text(2_000)]),
        ),
        detail: text(2_000),
      }),
    ),
    v.maxLength(monitorNames.length),
  ),
  figures: runFiguresSchema,
  annotations: v.pipe(v.array(annotationSchema), v.maxLength(annotationsMax)),
  /** The program that recorded it. */
  version: text(64),
  /** When it was thrown away; null: it was not. */
  trashedAt: v.nullable(time),
})
export type RunInfo = v.InferOutput<typeof runInfoSchema>

export interface RunList {
  /** The latest first. */
  readonly runs: readonly RunInfo[]
  /** The one that is shown: the run that goes on, or an opened one; null: no cluster is open. */
  readonly shown: string | null
  readonly settings: RecordingSettings
  /** Files that were not opened, by what was wrong with them. */
  readonly refused: Readonly<Record<string, number>>
}

export const recordingSettingsSchema = v.strictObject({
  /** Runs that are kept, without those in the trash; of more the oldest own ones without name and annotations go to the trash. */
  runsMax: v.pipe(whole(1_000), v.minValue(10)),
  /** Largest file that is opened as a run, MiB. */
  fileMegabytesMax: v.pipe(whole(4_096), v.minValue(1)),
})
export type RecordingSettings = v.InferOutput<typeof recordingSettingsSchema>
export const defaultRecordingSettings: RecordingSettings = { runsMax: 200, fileMegabytesMax: 1_024 }

export const exportKinds = ['run', 'report'] as const
export type ExportKind = (typeof exportKinds)[number]

/** A file on the host that a screen fetches piece by piece; it goes away when another one is made or the host ends. */
export interface ExportedFile {
  readonly file: string
  /** What to save it as: letters, digits and dashes, with an extension. */
  readonly name: string
  readonly bytes: number
}

/** Bytes of a file that go with one call, at most. */
export const filePartBytesMax = 1_048_576

export interface ExportPart {
  /** Base64. */
  readonly data: string
  /** Where the next part begins; null at the end. */
  readonly next: number | null
}

/** What two runs agreed on at one seq. */
export interface ComparedEntry {
  readonly seq: number
  readonly view: number
  readonly digest: string
  /** One line for each request: operation and result, in JSON. */
  readonly requests: readonly string[]
}

export interface RunComparison {
  readonly first: RunInfo
  readonly second: RunInfo
  /** Seqs that both have. */
  readonly compared: number
  /** The first that differs in what was done, or in what came of it; null: none does. */
  readonly divergence: {
    readonly seq: number
    /** operations: other requests. results: the same requests, other answers. missing: only one of them goes so far. */
    readonly what: 'operations' | 'results' | 'missing'
    readonly first: ComparedEntry | null
    readonly second: ComparedEntry | null
  } | null
  /** Seqs whose batches are the same byte for byte, as their digests say. */
  readonly equalDigests: number
  /** First seq at which checkpoint digests of both differ; null: none does, or there is no common one. */
  readonly checkpointDivergence: { readonly seq: number; readonly first: string; readonly second: string } | null
}

/** Why a file is not opened as a run. */
export const runFileProblems = [
  'not-a-run',
  'other-version',
  'truncated',
  'too-large',
  'damaged',
  'wrong-order',
  'wrong-types',
  'duplicate',
  'trailing-bytes',
] as const
export type RunFileProblem = (typeof runFileProblems)[number]
