/** What a Byzantine replica says of views so that nothing of what was ordered before comes into the next one. */
import type { Capabilities } from '../protocol/capabilities.ts'
import { asView, type Digest, type ReplicaId, type SeqNo, type View } from '../protocol/ids.ts'
import type { CertificateEntry, CheckpointEntry, NewView, ViewChange } from '../protocol/messages.ts'

export const nullDigest = ({ digest, encodeBatch }: Capabilities): Digest => digest(encodeBatch(0, []).bytes)

/** The same sequence numbers, each with the null request. */
export const nullsAt = (capabilities: Capabilities, entries: readonly CheckpointEntry[]): CheckpointEntry[] => {
  const digest = nullDigest(capabilities)
  return entries.map(({ seq }) => ({ seq, digest }))
}

/** P and Q that know only null requests, as of `view`. */
export const nothingBut = (
  capabilities: Capabilities,
  entries: readonly { readonly seq: SeqNo }[],
  view: View,
): Pick<ViewChange, 'prepared' | 'prePrepared'> => {
  const digest = nullDigest(capabilities)
  const nulls = entries.map(({ seq }) => ({ seq, digest, view }))
  return { prepared: nulls, prePrepared: nulls }
}

/** A new-view from a view-change by `id` alone, and what would follow from it; null when there is none by `id`. Twice the same does not decode. */
export const choiceOfOne = (
  capabilities: Capabilities,
  id: ReplicaId,
  { viewChanges, chosen, view }: Pick<NewView, 'viewChanges' | 'chosen' | 'view'>,
): Pick<NewView, 'viewChanges' | 'start' | 'chosen'> | null => {
  const own = viewChanges.find(({ replica }) => replica === id)
  if (own === undefined) return null
  const { seq, digest } = own.stable
  const above = chosen.filter((entry) => entry.seq > seq)
  const unsigned = { ...own, view, checkpoints: [{ seq, digest }], ...nothingBut(capabilities, above, asView(view - 1)) }
  const forged: ViewChange = { ...unsigned, signature: capabilities.sign(unsigned) }
  return { viewChanges: [forged], start: { seq, digest }, chosen: nullsAt(capabilities, above) }
}

/** The entries of P or Q with one more, in the order in which they have to be. */
export const withEntry = (entries: readonly CertificateEntry[], entry: CertificateEntry): CertificateEntry[] =>
  [...entries.filter(({ seq, digest }) => seq !== entry.seq || digest !== entry.digest), entry].sort(
    (a, b) => a.seq - b.seq || (a.digest < b.digest ? -1 : 1),
  )
