import fc from 'fast-check'
import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Journal, readJournal, type Entry } from '../../src/replica/journal.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pbft-journal-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const nonce = Buffer.from('0102030405060708', 'hex')
const entries: fc.Arbitrary<Entry[]> = fc.array(
  fc.record({
    bytes: fc.uint8Array({ maxLength: 40 }),
    partitions: fc.array(fc.record({ index: fc.nat(1_000), bytes: fc.uint8Array({ maxLength: 20 }) }), { maxLength: 2 }),
  }),
  { maxLength: 3 },
)
const plain = (commits: readonly (readonly Entry[])[]) =>
  commits.map((commit) => commit.map(({ bytes, partitions }) => [[...bytes], partitions.map((p) => [p.index, [...p.bytes]])]))

/** The file after these commits, and where each ends. */
const written = (commits: readonly Entry[][], before: readonly Entry[][] = []): { readonly file: Buffer; readonly ends: number[] } => {
  const path = join(folder, 'journal')
  rmSync(path, { force: true })
  const journal = new Journal(path, false)
  journal.restart(Buffer.alloc(8, 9))
  for (const commit of before) journal.append(commit)
  journal.restart(nonce)
  const ends = commits.map((commit) => {
    journal.append(commit)
    return readJournal(readFileSync(path), nonce)?.end ?? -1
  })
  journal.close()
  return { file: readFileSync(path), ends }
}

it('gives back what was committed since it began anew, whatever an earlier use has left', () => {
  fc.assert(
    fc.property(fc.array(entries, { maxLength: 5 }), fc.array(entries, { maxLength: 8 }), (commits, before) => {
      const { file } = written(commits, before)
      expect(plain(readJournal(file, nonce)?.commits ?? [])).toEqual(plain(commits))
      expect(readJournal(file, Buffer.alloc(8, 1))?.commits).toEqual([])
    }),
    { numRuns: 100 },
  )
})

it('of a torn file gives the whole commits', () => {
  fc.assert(
    fc.property(fc.array(entries, { minLength: 1, maxLength: 5 }), fc.nat(), (commits, cut) => {
      const { file, ends } = written(commits)
      const length = cut % (file.length + 1)
      const whole = ends.filter((end) => end <= length).length
      expect(plain(readJournal(file.subarray(0, length), nonce)?.commits ?? [])).toEqual(plain(commits.slice(0, whole)))
    }),
    { numRuns: 200 },
  )
})

it('notices a rotten byte in any commit but the last, which may have been torn', () => {
  fc.assert(
    fc.property(fc.array(entries, { minLength: 1, maxLength: 4 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (commits, place, flip) => {
      const { file, ends } = written(commits)
      const at = place % file.length
      file[at]! ^= flip
      const hit = ends.findIndex((end) => at < end)
      const read = readJournal(file, nonce)
      if (hit < commits.length - 1) expect(read).toBeNull()
      else expect(plain(read?.commits ?? [])).toEqual(plain(commits.slice(0, -1)))
    }),
    { numRuns: 300 },
  )
})

it('does not take for a block what stands in a torn one', () => {
  const inner = written([[], [], []]).file
  const other = Buffer.from(inner)
  for (let at = other.indexOf(nonce); at >= 0; at = other.indexOf(nonce, at)) other.fill(7, at, at + 8)
  const { file, ends } = written([[], [{ bytes: other, partitions: [] }]])
  expect(readJournal(file.subarray(0, file.length - 1), nonce)).toMatchObject({ end: ends[0] })
})

it('is full at its bound, and notices that it was replaced', () => {
  const journal = new Journal(join(folder, 'journal'), true)
  journal.restart(nonce)
  const half = [{ bytes: new Uint8Array(4_194_304), partitions: [] }]
  expect(journal.fits(half)).toBe(true)
  journal.append(half)
  expect(journal.fits(half)).toBe(false)
  journal.restart(nonce)
  expect(journal.fits(half)).toBe(true)
  expect(journal.isThere).toBe(true)
  truncateSync(join(folder, 'journal'))
  expect(journal.isThere).toBe(true)
  rmSync(join(folder, 'journal'))
  expect(journal.isThere).toBe(false)
  journal.close()
})
