/** A piece of evidence as people read it: what the two signed statements say, and where they contradict each other. */
import type { EvidenceDetail } from '../../contract/evidence.ts'
import type { Manifest } from '../../contract/manifest.ts'
import { fail, ok, type Result } from '../../contract/result.ts'
import { diffOf } from '../../pbft/replay/index.ts'
import { statementContent } from '../../pbft/wire/index.ts'
import { jsonOf } from '../recorder/message-detail.ts'
import type { EvidenceBook } from './book.ts'

/** Errors: `not-found`. */
export const evidenceDetail = (book: EvidenceBook, id: string, { clusterId, replicas }: Manifest): Result<EvidenceDetail> => {
  const evidence = book.get(id)
  if (evidence === undefined) return fail('not-found', `there is no evidence ${id}`)
  const [first, second] = [evidence.first, evidence.second].map(
    ({ bytes }) => jsonOf(statementContent(Buffer.from(bytes, 'hex'), clusterId, replicas.length)) as Parameters<typeof diffOf>[0],
  )
  const differences = diffOf(first ?? null, second ?? null).map(({ path }) => path)
  return ok({ evidence, first, second, differences })
}
