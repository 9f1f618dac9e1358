/** Evidence as the host takes it: nobody is accused before both signatures and the contradiction hold. */
import { describe, expect, it } from 'vitest'
import { EvidenceBook } from '../../src/cluster/evidence/book.ts'
import { evidenceDetail } from '../../src/cluster/evidence/detail.ts'
import type { Manifest } from '../../src/contract/manifest.ts'
import { sign } from '../../src/link/index.ts'
import { keyFromSeed } from '../../src/link/keys.ts'
import { asDigest, asReplicaId, asSeqNo, asView } from '../../src/pbft/protocol/ids.ts'
import { signedBytes, type SignableMessage } from '../../src/pbft/wire/index.ts'

const cluster = 'ab'.repeat(16)
const keys = [0, 1, 2, 3].map((id) => keyFromSeed(new Uint8Array(32).fill(id + 1)))
const directory = { clusterId: cluster, replicas: keys.map((key) => key.publicKey), principals: new Map() }
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const statement = (message: SignableMessage, by: number) => {
  const bytes = signedBytes(message, cluster)
  return { bytes: hex(bytes), signature: hex(sign(keys[by]!, bytes)) }
}
const proposal = (digest: string) => ({ type: 'proposal', view: asView(1), seq: asSeqNo(7), digest: asDigest(digest.repeat(32)) }) as const
const checkpoint = (digest: string) =>
  ({ type: 'checkpoint', seq: asSeqNo(8), digest: asDigest(digest.repeat(32)), replica: asReplicaId(2) }) as const
const pairOf = (first: SignableMessage, second: SignableMessage, by: number) => ({
  signer: by,
  first: statement(first, by),
  second: statement(second, by),
  at: 5,
})

const newBook = () => new EvidenceBook(directory)

describe('evidence', () => {
  it('names the signer and the place, is one entry however many see it, and comes back from a recording', () => {
    const book = newBook()
    const pair = pairOf(proposal('d1'), proposal('d2'), 1)
    const taken = book.add(3, pair, 100)
    const expected = {
      id: 'pre-prepare-r1-1-7',
      kind: 'pre-prepare',
      signer: 1,
      view: 1,
      seq: 7,
      first: pair.first,
      second: pair.second,
      at: 100,
      seenBy: [3],
    }
    expect(taken).toEqual({ evidence: expected, isNew: true })
    expect(book.add(3, pair, 200)).toBe('known')
    expect(book.add(0, pair, 300)).toEqual({ evidence: { ...expected, seenBy: [0, 3] }, isNew: false })
    expect(book.add(0, pairOf(checkpoint('c1'), checkpoint('c2'), 2), 400)).toMatchObject({
      evidence: { kind: 'checkpoint', signer: 2, view: null },
    })
    const again = newBook()
    again.restore(book.list())
    expect(again.list()).toEqual(book.list())
    expect(again.add(0, pair, 500)).toBe('known')
  })

  it('is read back: what both say, and in what they contradict each other', () => {
    const book = newBook()
    book.add(3, pairOf(proposal('d1'), proposal('d2'), 1), 100)
    const manifest = { clusterId: cluster, replicas: [0, 1, 2, 3] } as unknown as Manifest
    expect(evidenceDetail(book, 'pre-prepare-r1-1-7', manifest)).toMatchObject({
      ok: true,
      value: { first: { view: 1, seq: 7, digest: 'd1'.repeat(32) }, second: { digest: 'd2'.repeat(32) }, differences: ['digest'] },
    })
    expect(evidenceDetail(book, 'nobody', manifest)).toMatchObject({ ok: false, error: { code: 'not-found' } })
  })

  it.each([
    ['signed by another than who is accused', pairOf(proposal('d1'), proposal('d2'), 2)],
    ['that says the same twice', pairOf(proposal('d1'), proposal('d1'), 1)],
    ['of two kinds', pairOf(proposal('d1'), checkpoint('d2'), 1)],
    ['with one signature only', { ...pairOf(proposal('d1'), proposal('d2'), 1), second: statement(proposal('d2'), 0) }],
    ['of bytes that mean nothing', { ...pairOf(proposal('d1'), proposal('d2'), 1), first: { bytes: '00ff', signature: '00' } }],
  ])('%s proves nothing', (_, pair) => {
    const book = newBook()
    expect(book.add(0, pair, 1)).toBe('false')
    expect(book.list()).toEqual([])
  })
})
