/** One file of evidence: made from what the panel holds, and judged with nothing but a manifest. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { evidenceFileBytesMax, evidenceFileSchema, evidenceText, type EvidenceExport, type EvidenceFile } from '../../contract/evidence.ts'
import type { Manifest } from '../../contract/manifest.ts'
import type { Evidence } from '../../contract/model.ts'
import { fail, ok, type Result } from '../../contract/result.ts'
import { directoryOf, loadManifest, sha256, type Directory } from '../../link/index.ts'
import type { EvidenceBook } from './book.ts'
import { judgePair, type PairProblem } from './judge.ts'

/** Why a file convicts nobody. */
export type EvidenceProblem = PairProblem | 'altered' | 'claims'

interface Verdict {
  /** One sentence in English. */
  readonly reason: string
}
export interface Convicted extends Verdict, Pick<EvidenceFile, 'clusterId' | 'signer' | 'kind' | 'view' | 'seq'> {
  readonly convicted: true
}
export interface NotProven extends Verdict {
  readonly convicted: false
  readonly problem: EvidenceProblem
}
export type EvidenceVerdict = Convicted | NotProven

const checksumOf = ({ checksum: _, ...rest }: Omit<EvidenceFile, 'checksum'> & { checksum?: string }): string =>
  sha256(Buffer.from(JSON.stringify(rest)))

/** Within what a four-digit year holds: the time is a replica's word. */
const isoOf = (ms: number): string => new Date(Math.min(Math.max(0, Math.trunc(ms)), 253_402_300_799_999)).toISOString()

/** The file of one piece of evidence of the cluster of `manifest`, named by nothing that a peer or a user chose. */
export const evidenceExport = (evidence: Evidence, { clusterId, replicas }: Manifest): EvidenceExport => {
  const { id, signer, kind, view, seq, first, second, at, seenBy } = evidence
  const content: Omit<EvidenceFile, 'checksum'> = {
    type: 'pbft-panel evidence',
    format: 1,
    clusterId,
    n: replicas.length,
    signer,
    publicKey: replicas[signer]?.publicKey ?? '',
    kind,
    view,
    seq,
    first: { bytes: first.bytes, signature: first.signature },
    second: { bytes: second.bytes, signature: second.signature },
    seenAt: isoOf(at),
    seenBy: [...seenBy],
  }
  return { name: `evidence-${clusterId.slice(0, 8)}-${id}.json`, file: { ...content, checksum: checksumOf(content) } }
}

/** Error `not-found` when the book has no such evidence. */
export const exportEvidence = (book: EvidenceBook, id: string, manifest: Manifest): Result<EvidenceExport> => {
  const evidence = book.get(id)
  return evidence === undefined ? fail('not-found', 'there is no such evidence') : ok(evidenceExport(evidence, manifest))
}

/**
 * Reads an evidence file's text strictly. Error `bad-request`: too large, no JSON, or not of this format. What the file says is not
 * repeated in the message but for names of fields, without what a terminal would act on.
 */
const parseEvidence = (text: string): Result<EvidenceFile> => {
  if (text.length > evidenceFileBytesMax) return fail('bad-request', `evidence has at most ${evidenceFileBytesMax} bytes`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return fail('bad-request', 'it is no JSON, or broken off')
  }
  const parsed = v.safeParse(evidenceFileSchema, value, { abortPipeEarly: true })
  if (parsed.success) return ok(parsed.output)
  const issue = parsed.issues[0]
  const path = (v.getDotPath(issue) ?? '').replace(/[^\w.]/g, '?').slice(0, 80)
  const problem = issue.type === 'strict_object' ? (issue.expected === 'never' ? 'is unknown' : 'is missing, or no object') : issue.message
  return fail('bad-request', `it is no evidence file: ${path === '' ? 'the whole' : path} ${problem}`)
}

const notProven = (problem: EvidenceProblem, words: string): NotProven => ({ convicted: false, problem, reason: `Not proven: ${words}.` })

/** What the file says of itself and the manifest or the statements do not. */
const falseClaim = (file: EvidenceFile, { replicas }: Directory, said: Pick<EvidenceFile, 'signer' | 'kind' | 'view' | 'seq'>) => {
  if (file.n !== replicas.length) return 'n'
  if (file.publicKey !== replicas[file.signer]?.hex) return 'publicKey'
  return (['signer', 'kind', 'view', 'seq'] as const).find((name) => file[name] !== said[name])
}

const placeOf = ({ kind, view, seq }: Pick<EvidenceFile, 'kind' | 'view' | 'seq'>): string => {
  if (kind === 'pre-prepare') return `two different proposals for seq ${seq} in view ${view}`
  return kind === 'checkpoint' ? `two different checkpoints at seq ${seq}` : `two different view-changes for view ${view}`
}

/**
 * Judges the text of an evidence file by who is in a checked manifest: every statement, signature and claim in it, by the manifest's keys only.
 * Error `bad-request` as `parseEvidence`. Needs no cluster, disk or clock.
 */
export const verifyEvidence = (text: string, directory: Directory): Result<EvidenceVerdict> => {
  const parsed = parseEvidence(text)
  if (!parsed.ok) return parsed
  const file = parsed.value
  if (file.clusterId !== directory.clusterId) return ok(notProven('other-cluster', 'the file is about another cluster than the manifest'))
  const judged = judgePair(file.first, file.second, directory)
  if (!judged.ok) return ok(notProven(judged.reason, judged.words))
  const claim = falseClaim(file, directory, judged.value)
  if (claim !== undefined)
    return ok(notProven('claims', `what the file says of "${claim}" is not what was signed or what the manifest has`))
  // Last, so that a change is named by what it breaks. One line, so that nothing in the file is left out of the checksum.
  const whole = evidenceText(file)
  if ((text !== whole && `${text}\n` !== whole) || checksumOf(file) !== file.checksum) {
    return ok(notProven('altered', 'the file was changed or reformatted after it was exported'))
  }
  const { clusterId, signer, kind, view, seq } = file
  return ok({
    convicted: true,
    clusterId,
    signer,
    kind,
    view,
    seq,
    reason: `r${signer} signed ${placeOf(file)}: it is faulty.`,
  })
}

/** Reads at most what evidence may have of a regular file, as UTF-8. Error `bad-request` when it cannot, or the file is larger. */
const readEvidenceFile = (path: string): Result<string> => {
  try {
    const stat = statSync(path)
    if (!stat.isFile()) return fail('bad-request', 'it is no regular file')
    if (stat.size > evidenceFileBytesMax) return fail('bad-request', `it has ${stat.size} bytes, evidence at most ${evidenceFileBytesMax}`)
    return ok(readFileSync(path, 'utf8'))
  } catch (error) {
    return fail('bad-request', `it cannot be read: ${String((error as NodeJS.ErrnoException).code)}`)
  }
}

/** Writes the files below `folder`, which is made where it is missing; their paths. Error `bad-request` when it cannot. */
export const writeEvidence = (folder: string, exports: readonly EvidenceExport[]): Result<string[]> => {
  try {
    mkdirSync(folder, { recursive: true })
    return ok(
      exports.map(({ name, file }) => {
        const path = join(folder, name)
        writeFileSync(path, evidenceText(file))
        return path
      }),
    )
  } catch (error) {
    return fail('bad-request', `${folder} cannot be written: ${String((error as NodeJS.ErrnoException).code)}`)
  }
}

/** Judges the evidence in `path` by the manifest in `manifestFile`. Errors: `bad-request` (the evidence), `bad-manifest`. */
export const verifyEvidenceFile = (path: string, manifestFile: string): Result<EvidenceVerdict> => {
  const manifest = loadManifest(manifestFile)
  if (!manifest.ok) return manifest
  const text = readEvidenceFile(path)
  const verdict = text.ok ? verifyEvidence(text.value, directoryOf(manifest.value)) : text
  return verdict.ok ? verdict : fail(verdict.error.code, `${path}: ${verdict.error.message}`)
}
