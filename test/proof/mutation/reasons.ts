/** Why mutants that were read survive. Those of a sample that nobody has read yet stand in the page as such. */

/**
 * equivalent: behaves the same in every reachable state; speed: the same comes out, later or with more work; diagnostics: only what people
 * read differs; open: a test is missing.
 */
export type Kind = 'equivalent' | 'speed' | 'diagnostics' | 'open'

export interface Reason {
  readonly file: string
  /** A part of the line of source in which the mutant begins. */
  readonly source: string
  /** The mutated text; left out: whatever survives in that line. */
  readonly original?: string
  readonly kind: Kind
  readonly why: string
}

const notNull = 'never undefined here: the types cannot say so'

export const reasons: readonly Reason[] = [
  { file: 'assert.ts', source: 'assertThat(value !== null', kind: 'equivalent', why: 'what is asserted holds in every run' },
  {
    file: 'restore.ts',
    source: "assertThat(r.capabilities.digest(batch.bytes) === digest, 'an executed batch",
    kind: 'equivalent',
    why: 'records on disk carry checksums: one with another batch ends the start before',
  },
  { file: 'checkpoints.ts', source: 'const taken = (received[r.config.id] ?? [])', original: '[]', kind: 'equivalent', why: notNull },
  { file: 'checkpoints.ts', source: 'while (own !== undefined && own.length > 0', kind: 'equivalent', why: `\`own\` is ${notNull}` },
  {
    file: 'checkpoints.ts',
    source: 'proof.slice(0, r.quorum)',
    original: 'proof.slice(0, r.quorum)',
    kind: 'equivalent',
    why: 'it is proven by the message that completes the quorum, so there are no more',
  },
  {
    file: 'checkpoints.ts',
    source: 'if (seq <= stable.seq) wanted.',
    kind: 'speed',
    why: 'a batch is wanted a checkpoint longer than it can help; nobody sends it, and the status is busy meanwhile',
  },
  {
    file: 'copy.ts',
    source: "'copy' in value && typeof",
    kind: 'equivalent',
    why: 'no part of a state has a field `copy` that is no function',
  },
  {
    file: 'copy.ts',
    source: 'made.set(value, copy)',
    kind: 'diagnostics',
    why: 'no map occurs twice in a state; only the count of objects differs',
  },
  { file: 'copy.ts', source: "('bytes' in value && 'timeMs'", kind: 'speed', why: 'batches are copied instead of shared' },
  {
    file: 'ordering.ts',
    source: 'r.adopted < newView.chosen.length',
    kind: 'equivalent',
    why: 'one past the end there is no entry, and the loop returns',
  },
  {
    file: 'probation.ts',
    source: "if (disk === 'kept' && r.silence === null && r.peers.length > 0)",
    original: 'r.peers.length > 0',
    kind: 'equivalent',
    why: 'a roll call of no peers is over at once',
  },
  { file: 'ids.ts', source: 'slash < 0', kind: 'equivalent', why: 'no client id begins with a slash: the wire refuses it' },
  { file: 'reply-cache.ts', source: 'oldest?.timestamp', original: 'oldest?.timestamp', kind: 'equivalent', why: notNull },
  {
    file: 'restore.ts',
    source: 'record.seq > highest',
    original: 'record.seq > highest',
    kind: 'equivalent',
    why: 'equal numbers are the same number',
  },
  { file: 'view-change-rule.ts', source: 'a.digest < b.digest', kind: 'equivalent', why: 'two candidates that are equal are the same' },
  { file: 'state-transfer.ts', source: "{ type: 'fetch',", original: 'false', kind: 'speed', why: 'asking waits for the disk' },
  {
    file: 'state-transfer.ts',
    source: 't.asked.size < PIECES_IN_FLIGHT_MAX',
    kind: 'speed',
    why: 'one piece more is on its way at once',
  },
  { file: 'state-transfer.ts', source: 'piece.askedAt >= t.period - 1', kind: 'speed', why: 'a lost piece is asked for again later' },
  { file: 'state-transfer.ts', source: 't.stalled >= STALLED_PERIODS_FOR_WEAK', kind: 'speed', why: 'the target is given up earlier' },
  { file: 'state-transfer.ts', source: "report(r, t, 'progress')", kind: 'diagnostics', why: 'an event for the panel' },
  { file: 'status.ts', source: '++answered >= SLOTS_PER_ANSWER_MAX', kind: 'speed', why: 'one slot more in an answer' },
  { file: 'status.ts', source: 'BATCH_BYTES_PER_ANSWER_MAX', kind: 'speed', why: 'fewer batches in an answer: the next status asks again' },
  { file: 'transfer-plan.ts', source: 'const indices =', original: 'a - b', kind: 'diagnostics', why: 'the order in an event' },
  {
    file: 'replicated-state.ts',
    source: 'forgetChanges(): void',
    kind: 'speed',
    why: 'the next checkpoint record holds more than changed',
  },
  { file: 'replicated-state.ts', source: 'this.#refresh()', kind: 'speed', why: 'the next checkpoint record holds more than changed' },
  { file: 'client.ts', source: 'nowMs - atMs >= WISH_MS', kind: 'equivalent', why: 'one millisecond of a minute' },
]
