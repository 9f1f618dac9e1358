/** Files of runs from strangers: whatever is wrong with one is a typed refusal, and nothing of it stays on the disk. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { unpackRunFile } from '../../src/cluster/recorder/run-import.ts'
import { withRunSource } from '../../src/cluster/recorder/run-source.ts'
import { headerBytes, RunFileBuilder, RunFileError, type RunFileLimits } from '../../src/cluster/run-file/format.ts'
import { noFigures } from '../../src/cluster/runs/figures.ts'
import { partsOf } from '../../src/cluster/runs/names.ts'
import type { RunHead } from '../../src/cluster/runs/schemas.ts'
import type { RunFileProblem } from '../../src/contract/runs.ts'
import { makeCluster } from '../support/manifests.ts'

const { manifest } = makeCluster([1, 2, 3, 4])
const head: RunHead = {
  info: {
    ...{
      id: '00112233aabbccdd',
      name: 'A run',
      kind: 'cluster',
      source: 'own',
      cluster: manifest.name,
      clusterId: manifest.clusterId,
      n: 4,
    },
    ...{ scenario: null, began: 1_000, ended: 9_000, verdict: 'held', monitors: [], figures: noFigures, annotations: [], version: '1' },
    trashedAt: null,
  },
  manifest,
  offsets: [0, 0, 0, 0],
  scenario: null,
}
const entry = (seq: number, key = `key ${seq}`) => ({
  ...{ seq, view: 0, digest: 'ab'.repeat(32), timeMs: 2_000, rows: [] },
  requests: [{ client: 'operator/1', timestamp: seq, operation: { type: 'put', key, value: 'v' }, result: { ok: true, value: null } }],
})
const sample = (at: number) => ({ at, requests: 3, p50Ms: 1, p95Ms: 2, p99Ms: 3, view: 0, faults: 0 })
const segment = (replica: number, number: number, text: string): Buffer => {
  const bytes = Buffer.alloc(6)
  bytes.writeUInt16BE(replica, 0)
  bytes.writeUInt32BE(number, 2)
  return Buffer.concat([bytes, Buffer.from(text)])
}

type Build = (builder: RunFileBuilder) => void
/** A file as its author would have made it: all checksums fit. */
const fileOf = (build: Build, ends = true): Buffer => {
  const parts: Uint8Array[] = []
  const builder = new RunFileBuilder((bytes) => parts.push(Buffer.from(bytes)))
  build(builder)
  if (ends) builder.end()
  return Buffer.concat(parts)
}
const whole: Build = (builder) => {
  builder.addJson('head', head)
  builder.addJson('documents', { kind: 'sample', documents: [sample(2_000), sample(3_000)] })
  builder.addJson('entries', [entry(1), entry(2)])
  builder.add('segment', segment(0, 1, 'first'))
  builder.add('segment', segment(0, 1, ' second'))
  builder.add('segment', segment(3, 7, 'other'))
}
const roomy: RunFileLimits = { fileBytesMax: 1e7, contentBytesMax: 1e7 }

describe('a run file', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pbft-panel-run-file-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** What is wrong with it; null: nothing. What is not RunFileError is thrown on. */
  const opened = async (bytes: Uint8Array, limits = roomy): Promise<RunFileProblem | null> => {
    const [file, target] = [join(folder, 'file'), join(folder, 'content')]
    writeFileSync(file, bytes)
    try {
      await unpackRunFile(file, target, limits)
      return null
    } catch (error) {
      if (!(error instanceof RunFileError)) throw error
      expect(error.message.length).toBeLessThan(400)
      return error.problem
    } finally {
      // Beside the file itself there is the run's folder, or nothing.
      expect(readdirSync(folder).filter((name) => name !== 'file' && name !== 'content')).toEqual([])
    }
  }
  const left = (): boolean => existsSync(join(folder, 'content'))

  it('that is whole is unpacked, and gives back what was put in', async () => {
    expect(await opened(fileOf(whole))).toBeNull()
    expect(readdirSync(join(folder, 'content')).sort()).toEqual(['journal.sqlite', 'replica-0', 'replica-3'])
    const record = { format: 1, head, place: null, after: 0, upto: null } as const
    const place = { record, ...partsOf(join(folder, 'content'), 4) }
    const facts = await withRunSource(place, (source) => source.facts())
    expect(facts.log).toEqual({ first: 1, last: 2, batches: 2, requests: 2 })
    expect(facts.documents.sample).toEqual([sample(2_000), sample(3_000)])
  })

  const withHead =
    (change: object): Build =>
    (builder) =>
      builder.addJson('head', { ...head, ...change })
  const withInfo = (change: object): Build => withHead({ info: { ...head.info, ...change } })
  const after =
    (build: Build): Build =>
    (builder) => {
      builder.addJson('head', head)
      build(builder)
    }
  const entries = (...list: unknown[]): Build => after((builder) => builder.addJson('entries', list))
  const documents = (kind: string, ...list: unknown[]): Build => after((builder) => builder.addJson('documents', { kind, documents: list }))
  const alarm = { id: 'a', at: 2_000, severity: 'info', key: 'alarm.replica.back', parameters: { replica: 1 }, sentence: 's' }

  it.each<[string, Build, RunFileProblem]>([
    ['a head that comes second', (builder) => builder.addJson('entries', [entry(1)]), 'wrong-order'],
    ['two heads', after((builder) => builder.addJson('head', head)), 'wrong-order'],
    [
      'documents after entries',
      after((b) => {
        b.addJson('entries', [entry(1)])
        b.addJson('documents', { kind: 'sample', documents: [] })
      }),
      'wrong-order',
    ],
    ['no head at all', () => undefined, 'truncated'],
    ['a path for an id', withInfo({ id: '../../../../etc' }), 'wrong-types'],
    ['an absolute path for an id', withInfo({ id: '/etc/passwd' }), 'wrong-types'],
    ['NUL in an id', withInfo({ id: '00112233aabbcc\u0000d' }), 'wrong-types'],
    ['a very long name', withInfo({ name: 'x'.repeat(10_000) }), 'wrong-types'],
    ['a time that no calendar holds', withInfo({ began: 9e15 }), 'wrong-types'],
    ['a field that nobody knows', withHead({ path: '/tmp' }), 'wrong-types'],
    ['a place on the disk', withHead({ place: { journal: '/etc/passwd', replicas: [] } }), 'wrong-types'],
    ['another count of replicas than its cluster', withInfo({ n: 7 }), 'wrong-types'],
    ['a text where a number belongs', entries({ ...entry(1), seq: '1' }), 'wrong-types'],
    [
      'an operation that there is not',
      entries({ ...entry(1), requests: [{ client: 'c', timestamp: 1, operation: { type: 'exec', key: 'k' }, result: null }] }),
      'wrong-types',
    ],
    ['documents of no kind', documents('secret', {}), 'wrong-types'],
    ['a view without its votes', documents('view', { view: 1, primary: 1 }), 'wrong-types'],
    [
      'a digest that is none',
      documents('checkpoint', { seq: 1, stable: true, digests: { 0: '<b>' }, at: 1, stableAt: {}, bytes: null, diverged: false }),
      'wrong-types',
    ],
    ['a severity of its own', documents('alarm', { ...alarm, severity: 'fatal' }), 'wrong-types'],
    ['a record that is no JSON', after((b) => b.add('entries', Buffer.from('[{"seq":'))), 'wrong-types'],
    ['a record that is no UTF-8', after((b) => b.add('entries', Buffer.from([0x22, 0xff, 0xfe, 0x22]))), 'wrong-types'],
    ['one entry twice', entries(entry(1), entry(1)), 'duplicate'],
    ['a log that goes back', entries(entry(2), entry(1)), 'wrong-order'],
    ['one document twice', documents('alarm', alarm, alarm), 'duplicate'],
    [
      'one segment in two places',
      after((b) => {
        b.add('segment', segment(0, 1, 'a'))
        b.add('segment', segment(1, 1, 'a'))
        b.add('segment', segment(0, 1, 'b'))
      }),
      'duplicate',
    ],
    ['a recording of a replica that there is not', after((b) => b.add('segment', segment(4, 1, 'a'))), 'wrong-types'],
    ['an empty piece of a recording', after((b) => b.add('segment', segment(0, 1, ''))), 'wrong-types'],
  ])('with %s is refused', async (_, build, problem) => {
    expect(await opened(fileOf(build))).toBe(problem)
    expect(left()).toBe(false)
  })

  it('of another sort, of a later version, cut or with something behind is refused', async () => {
    const good = fileOf(whole)
    const later = Buffer.from(good)
    later.writeUInt16BE(2, 8)
    const huge = Buffer.from(good)
    huge.writeUInt32BE(0xffffffff, headerBytes + 8)
    for (const [bytes, problem] of [
      [Buffer.from(''), 'not-a-run'],
      [Buffer.from('<!doctype html><script>alert(1)</script>'), 'not-a-run'],
      [later, 'other-version'],
      [fileOf(whole, false), 'truncated'],
      [good.subarray(0, -1), 'truncated'],
      [Buffer.concat([good, Buffer.from([0])]), 'trailing-bytes'],
      [huge, 'too-large'],
    ] as const) {
      expect(await opened(bytes)).toBe(problem)
      expect(left()).toBe(false)
    }
  })

  it('that is too large, or unpacks to too much, is refused before it fills the disk', async () => {
    const good = fileOf(whole)
    expect(await opened(good, { ...roomy, fileBytesMax: good.length - 1 })).toBe('too-large')
    const bomb = fileOf(
      after((builder) => {
        for (let i = 0; i < 40; i += 1) builder.add('segment', Buffer.concat([segment(0, 1, ''), Buffer.alloc(1_048_576)]))
      }),
    )
    expect(bomb.length).toBeLessThan(200_000)
    expect(await opened(bomb)).toBe('too-large')
    // A record that says to be small and is not.
    const lying = fileOf(after((builder) => builder.add('segment', Buffer.concat([segment(0, 1, ''), Buffer.alloc(1_048_576)]))))
    const second = headerBytes + 16 + lying.readUInt32BE(headerBytes + 8)
    lying.writeUInt32BE(100, second + 4)
    expect(await opened(lying)).toBe('damaged')
    expect(left()).toBe(false)
  })

  it('takes HTML and paths in texts for what they are', async () => {
    const name = '../../x\u0000<script>alert(1)</script>'
    expect(
      await opened(
        fileOf((builder) => {
          withInfo({ name })(builder)
          builder.addJson('entries', [entry(1, '/etc/passwd'), entry(2, '<img src=x onerror=alert(1)>')])
        }),
      ),
    ).toBeNull()
    expect(readdirSync(join(folder, 'content'))).toEqual(['journal.sqlite'])
  })

  it('with any one byte changed, or cut anywhere, is refused', async () => {
    const good = fileOf(whole)
    const seed = Number(process.env['PBFT_PANEL_SEED'] ?? Date.now() % 1e9)
    process.stdout.write(`run-file: seed ${seed}\n`)
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, change, cut) => {
        const bytes = Buffer.from(cut ? good.subarray(0, at) : good)
        if (!cut) bytes[at] = (bytes[at] ?? 0) ^ change
        expect(await opened(bytes)).not.toBeNull()
        expect(left()).toBe(false)
      }),
      { seed, numRuns: 120 },
    )
  })

  it('whose author put anything anywhere is taken or refused, never more', async () => {
    const seed = Number(process.env['PBFT_PANEL_SEED'] ?? Date.now() % 1e9)
    process.stdout.write(`run-file, contents: seed ${seed}\n`)
    const kind = fc.constantFrom('head', 'documents', 'entries', 'segment')
    const odd = fc.oneof(fc.constantFrom('../x', '/', '\u0000', '__proto__', -1, 1e300, null, [], {}, 'x'.repeat(5_000)), fc.jsonValue())
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(kind, odd, fc.nat(3)), { maxLength: 4 }), odd, fc.nat(20), async (records, value, place) => {
        const keys = Object.keys(head.info)
        const changed = withInfo({ [keys[place % keys.length] ?? 'id']: value })
        const bytes = fileOf((builder) => {
          if (place < 10) builder.addJson('head', head)
          else changed(builder)
          for (const [record, content, how] of records) {
            if (how === 0) builder.add(record as 'segment', Buffer.from(JSON.stringify(content)))
            else builder.addJson(record as 'entries', how === 1 ? [content] : { kind: 'alarm', documents: [content] })
          }
        })
        const problem = await opened(bytes)
        expect(left()).toBe(problem === null)
        rmSync(join(folder, 'content'), { recursive: true, force: true })
      }),
      { seed, numRuns: 120 },
    )
  })

  it('does not write over a folder that is there', async () => {
    mkdirSync(join(folder, 'content'))
    writeFileSync(join(folder, 'content', 'mine'), 'x')
    await expect(opened(fileOf(whole))).rejects.toThrow('EEXIST')
    expect(readdirSync(join(folder, 'content'))).toEqual(['mine'])
  })
})
