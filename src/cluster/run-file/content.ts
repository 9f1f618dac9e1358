/** What the records of a run's file hold, checked against its schemas: in order, each thing once. */
import * as v from 'valibot'
import { replicasMax } from '../../contract/manifest.ts'
import {
  documentKinds,
  documentSchemas,
  entrySchema,
  runHeadSchema,
  type DocumentKind,
  type DocumentOf,
  type RunHead,
} from '../runs/schemas.ts'
import { recordKinds, readRecords, RunFileError, type FileRecord, type ReadAt, type RunFileLimits } from './format.ts'

/** Of each kind in one file. */
export const documentsMax = 100_000
export const segmentsMax = 100_000
/** Before a segment's bytes: the replica's number and the segment's. */
export const segmentHeadBytes = 6

const documentsSchema = v.strictObject({ kind: v.picklist(documentKinds), documents: v.array(v.unknown()) })
const entriesSchema = v.array(entrySchema)
export type FileEntry = v.InferOutput<typeof entrySchema>

export type RunPart =
  | { readonly part: 'head'; readonly head: RunHead }
  | { readonly part: 'documents'; readonly kind: DocumentKind; readonly documents: readonly unknown[] }
  | { readonly part: 'entries'; readonly entries: readonly FileEntry[] }
  /** Bytes of a segment; those of one follow each other. */
  | { readonly part: 'segment'; readonly replica: number; readonly segment: number; readonly bytes: Buffer; readonly isFirst: boolean }

/** Which thing a document is about: two of the same are one too many. */
export const documentKey = (kind: DocumentKind, document: unknown): string => {
  const { id, seq, view, at, what } = document as { id?: string; seq?: number; view?: number; at?: number; what?: string }
  if (kind === 'view') return String(view)
  if (kind === 'checkpoint') return String(seq)
  if (kind === 'sample' || kind === 'status') return String(at)
  if (kind === 'band') return (document as DocumentOf<'band'>).fault.id
  return kind === 'fault' ? `${id}-${what}` : String(id)
}

const parse = <S extends v.GenericSchema>(schema: S, { content, at }: FileRecord): v.InferOutput<S> => {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content))
  } catch {
    throw new RunFileError('wrong-types', at, 'a record is not JSON in UTF-8')
  }
  return check(schema, value, at)
}

const check = <S extends v.GenericSchema>(schema: S, value: unknown, at: number): v.InferOutput<S> => {
  const parsed = v.safeParse(schema, value)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw new RunFileError('wrong-types', at, `${v.getDotPath(issue) ?? 'a record'}: ${issue.message}`.slice(0, 300))
}

/** Reads and checks the parts of a file. Throws RunFileError; parts before an error must not be used. */
export function* readParts(file: ReadAt, limits: RunFileLimits): Generator<RunPart> {
  const seen = { documents: new Set<string>(), segments: new Set<string>(), lastSeq: 0, kind: 0, segment: '' }
  let head: RunHead | null = null
  for (const record of readRecords(file, limits)) {
    const { kind, at } = record
    if ((kind === 'head') !== (head === null) || recordKinds[kind] < seen.kind)
      throw new RunFileError('wrong-order', at, `a record of ${kind} is not where it belongs`)
    seen.kind = recordKinds[kind]
    switch (kind) {
      case 'head':
        head = parse(runHeadSchema, record)
        checkHead(head, at)
        yield { part: 'head', head }
        break
      case 'documents': {
        const read = parse(documentsSchema, record)
        const documents = read.documents.map((document) => check(documentSchemas[read.kind], document, at))
        for (const document of documents) once(seen.documents, `${read.kind} ${documentKey(read.kind, document)}`, documentsMax, at)
        yield { part: 'documents', kind: read.kind, documents }
        break
      }
      case 'entries': {
        const entries = parse(entriesSchema, record)
        for (const { seq } of entries) {
          if (seq === seen.lastSeq) throw new RunFileError('duplicate', at, `the log has seq ${seq} twice`)
          if (seq < seen.lastSeq) throw new RunFileError('wrong-order', at, `the log goes back to seq ${seq}`)
          seen.lastSeq = seq
        }
        yield { part: 'entries', entries }
        break
      }
      case 'segment': {
        const part = segmentPart(record, head?.manifest.replicas.length ?? 0, seen.segment)
        seen.segment = `${part.replica} ${part.segment}`
        if (part.isFirst) once(seen.segments, seen.segment, segmentsMax, at)
        yield part
      }
    }
  }
  if (head === null) throw new RunFileError('truncated', file.size, 'the file has no head')
}

const once = (seen: Set<string>, key: string, max: number, at: number): void => {
  if (seen.has(key)) throw new RunFileError('duplicate', at, `the file has ${key.slice(0, 80)} twice`)
  if (seen.size >= max) throw new RunFileError('too-large', at, `the file has more than ${max} things of one sort`)
  seen.add(key)
}

const checkHead = ({ info, manifest, offsets }: RunHead, at: number): void => {
  const isOne = info.n === manifest.replicas.length && offsets.length === info.n && info.clusterId === manifest.clusterId
  if (!isOne) throw new RunFileError('wrong-types', at, 'the run and its cluster do not fit each other')
}

const segmentPart = ({ content, at }: FileRecord, n: number, before: string): Extract<RunPart, { part: 'segment' }> => {
  if (content.length <= segmentHeadBytes) throw new RunFileError('wrong-types', at, 'a piece of a recording is empty')
  const [replica, segment] = [content.readUInt16BE(0), content.readUInt32BE(2)]
  if (replica >= Math.min(n, replicasMax))
    throw new RunFileError('wrong-types', at, `a recording is of r${replica}, which the run does not have`)
  return { part: 'segment', replica, segment, bytes: content.subarray(segmentHeadBytes), isFirst: `${replica} ${segment}` !== before }
}
