/** What P and Q keep of one sequence number (SPEC, I12). */
import { describe, expect, it } from 'vitest'
import { asDigest, asSeqNo, asView, type Digest } from '../../../src/pbft/protocol/ids.ts'
import { PRE_PREPARED_PER_SEQ_MAX, SlotLog } from '../../../src/pbft/protocol/slots.ts'
import { batchOf } from '../../support/solo-replica.ts'

const digestOf = (name: string): Digest => asDigest(name.repeat(64).slice(0, 64))
const nullBatch = batchOf(0)
const newLog = (): SlotLog => new SlotLog(4, nullBatch, digestOf('0'))
const names = ['a', 'b', 'c', 'd', 'e', 'f']

/** A log in which a digest each was pre-prepared at sequence number 1 in views 1, 2, 3... */
const withProposals = (digests: readonly string[], before: (log: SlotLog) => void = () => {}): SlotLog => {
  const log = newLog()
  const slot = log.open(asSeqNo(1))
  before(log)
  digests.forEach((name, i) => {
    log.keepBatch(slot.seq, digestOf(name), batchOf(i + 1))
    log.notePrePrepared(slot, digestOf(name), asView(i + 1))
  })
  return log
}

const inQ = (log: SlotLog): string[] => log.prePrepared().map(({ digest, view }) => `${digest.slice(0, 1)}${view}`)

describe('the log of a replica', () => {
  it('forgets the oldest of too many digests in Q, and their bytes', () => {
    const log = withProposals(names)
    expect(names.length - PRE_PREPARED_PER_SEQ_MAX).toBe(2)
    expect(inQ(log)).toEqual(['c3', 'd4', 'e5', 'f6'])
    expect(['a', 'b'].map((name) => log.batch(digestOf(name)))).toEqual([undefined, undefined])
    expect(log.batch(digestOf('c'))).toBeDefined()
  })

  it('never forgets what is in P or was executed, beside as many others', () => {
    const log = withProposals(names, (early) => {
      const slot = early.open(asSeqNo(1))
      slot.lastPrepared = { digest: digestOf('a'), view: asView(1) }
      slot.executed = digestOf('b')
    })
    expect(inQ(log)).toEqual(['a1', 'b2', 'c3', 'd4', 'e5', 'f6'])
    const slot = log.open(asSeqNo(1))
    log.notePrePrepared(slot, digestOf('9'), asView(7))
    expect(inQ(log)).toEqual(['97', 'a1', 'b2', 'd4', 'e5', 'f6'])
  })

  it('keeps the bytes of a forgotten digest that another place still has in Q', () => {
    const log = newLog()
    log.notePrePrepared(log.open(asSeqNo(2)), digestOf('a'), asView(1))
    const slot = log.open(asSeqNo(1))
    names.forEach((name, i) => {
      log.keepBatch(slot.seq, digestOf(name), batchOf(i + 1))
      log.notePrePrepared(slot, digestOf(name), asView(i + 1))
    })
    expect(log.batch(digestOf('a'))).toBeDefined()
    expect(log.batch(digestOf('b'))).toBeUndefined()
  })

  it('has each digest once, with its last view, and takes no earlier one', () => {
    const log = withProposals(['a', 'b', 'a'])
    expect(inQ(log)).toEqual(['a3', 'b2'])
    log.notePrePrepared(log.open(asSeqNo(1)), digestOf('b'), asView(1))
    log.notePrePrepared(log.open(asSeqNo(1)), digestOf('a'), asView(3))
    log.notePrePrepared(log.open(asSeqNo(1)), digestOf('a'), asView(2))
    expect(inQ(log)).toEqual(['a3', 'b2'])
    log.notePrePrepared(log.open(asSeqNo(1)), digestOf('a'), asView(4))
    expect(inQ(log)).toEqual(['a4', 'b2'])
  })

  it('drops slots and batches up to a place, and keeps what a later place needs', () => {
    const log = withProposals(['a', 'b'])
    log.open(asSeqNo(2))
    log.keepBatch(asSeqNo(2), digestOf('b'), batchOf(2))
    expect(log.keptThrough(digestOf('b'))).toBe(2)
    log.dropThrough(asSeqNo(1))
    expect([...log.all()].map(({ seq }) => seq)).toEqual([2])
    expect(log.batch(digestOf('a'))).toBeUndefined()
    expect(log.batch(digestOf('b'))).toBeDefined()
    expect(log.batch(digestOf('0'))).toBe(nullBatch)
    expect(log.highest(asSeqNo(0))).toBe(2)
    expect(log.highest(asSeqNo(5))).toBe(5)
  })
})
