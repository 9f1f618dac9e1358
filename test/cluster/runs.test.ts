/** A real run, kept, annotated, taken along as a file, opened again and compared: the same content each time. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filePartBytesMax, type RunInfo } from '../../src/contract/runs.ts'
import type { LogEntry } from '../../src/contract/model.ts'
import { eventually, openTestHost, type TestHost } from './support/host.ts'

describe('runs', () => {
  let test: TestHost
  let live: readonly LogEntry[] = []
  let liveDigest: string | null = null
  /** Everything that was answered is in the panel's log. */
  const readUpTo = (seq: number) =>
    eventually('the log is read', async () => (await test.call('log', { after: seq - 1 })).entries.length > 0)
  const put = (key: string) => test.call('submit', { operation: { type: 'put', key, value: '<b>v</b>' } })
  const listed = async (): Promise<readonly RunInfo[]> => (await test.call('runs', {})).runs
  const own = async (): Promise<RunInfo> => {
    const run = (await listed()).find(({ source }) => source === 'own')
    if (run === undefined) throw new Error('there is no own run')
    return run
  }
  const fetched = async (id: string, as: 'run' | 'report'): Promise<Buffer> => {
    const made = await test.call('exportRun', { id, as })
    const parts: Buffer[] = []
    for (let offset: number | null = 0; offset !== null;) {
      const part: { data: string; next: number | null } = await test.call('exportPart', { file: made.file, offset })
      parts.push(Buffer.from(part.data, 'base64'))
      offset = part.next
    }
    expect(Buffer.concat(parts)).toHaveLength(made.bytes)
    return Buffer.concat(parts)
  }
  const handIn = async (bytes: Buffer): Promise<RunInfo> => {
    const { upload } = await test.call('beginImport', { bytes: bytes.length })
    for (let offset = 0; offset < bytes.length; offset += filePartBytesMax)
      await test.call('importPart', { upload, offset, data: bytes.toString('base64', offset, offset + filePartBytesMax) })
    return test.call('endImport', { upload })
  }

  beforeAll(async () => {
    test = openTestHost()
    await test.call('createCluster', {
      name: 'kept',
      replicas: 4,
      durability: 'process',
      parameters: { checkpointInterval: 4, logWindow: 8 },
    })
    await test.call('openCluster', { name: 'kept' })
    for (let i = 0; i < 10; i += 1) await put(`key ${i}`)
    const fault = await test.call('injectFault', { fault: { type: 'isolate', replica: 3 } })
    await put('while r3 is away')
    await test.call('healFault', { id: fault.id })
    await test.until('all are in step', ({ replicas, lastExecuted }) =>
      replicas.every((one) => one.lastExecuted === lastExecuted && one.state === 'live'),
    )
    await readUpTo(11)
    live = (await test.call('log', {})).entries
    await eventually('its digest is that of the last batch', async () => {
      const replica = (await test.call('status', {})).replicas[0]
      liveDigest = replica?.stateDigest ?? null
      return replica?.stateDigestSeq === 11
    })
  })
  afterAll(() => test.dispose())

  it('of an open cluster goes on, can be annotated and is not thrown away', async () => {
    const [run] = await listed()
    expect(run).toMatchObject({ verdict: 'running', kind: 'cluster', cluster: 'kept', figures: { requests: 11, batches: 11, faults: 1 } })
    const note = await test.call('annotate', { at: run?.began ?? 0, text: ' a note ' })
    await test.call('annotate', { id: note.id, at: note.at + 1, text: 'another text' })
    const gone = await test.call('annotate', { at: 5, text: 'for nothing' })
    await test.call('removeAnnotation', { id: gone.id })
    expect(await test.call('annotations', {})).toEqual([{ id: note.id, at: note.at + 1, text: 'another text' }])
    expect(await test.host.call('trashRun', { id: run?.id })).toMatchObject({ ok: false, error: { code: 'busy' } })
  })

  it('has a verdict when its cluster is closed, also for the next host', async () => {
    await test.call('closeCluster', {})
    test = await test.again()
    const run = await own()
    expect(run).toMatchObject({ verdict: 'held', figures: { requests: 11, batches: 11, faults: 1, violations: 0 } })
    expect(run.annotations).toHaveLength(1)
    await test.call('renameRun', { id: run.id, name: 'Monday' })
    expect((await own()).name).toBe('Monday')
  })

  it('is looked at like a live one, and nothing can be done to it', async () => {
    const run = await own()
    const status = await test.call('openRun', { id: run.id })
    expect(status).toMatchObject({ name: 'Monday', verdict: { key: 'verdict.recorded' }, lastExecuted: 11 })
    const { entries } = await test.call('log', {})
    const content = (list: readonly LogEntry[]) => list.map(({ seq, digest, requests }) => ({ seq, digest, requests }))
    expect(content(entries)).toEqual(content(live))
    expect((await test.call('views', {})).length).toBeGreaterThan(0)
    expect((await test.call('checkpoints', {})).length).toBeGreaterThan(0)
    expect((await test.call('messages', { from: run.began, to: run.ended ?? 0 })).count).toBeGreaterThan(100)
    const { session } = await test.call('openReplay', { replica: 0 })
    const moment = await test.call('replay', { session, to: { seq: 11 } })
    expect(moment).toMatchObject({ lastExecuted: 11, stateDigest: liveDigest, proof: { divergences: [] } })
    for (const [method, params] of [
      ['submit', { operation: { type: 'get', key: 'k' } }],
      ['injectFault', { fault: { type: 'isolate', replica: 0 } }],
      ['controlReplica', { id: 0, action: 'kill' }],
    ] as const)
      expect(await test.host.call(method, params)).toMatchObject({ ok: false, error: { code: 'unsupported' } })
    await test.call('closeCluster', {})
    expect(await test.call('host', {})).toMatchObject({ phase: 'closed', run: null })
  })

  it('goes into a file and comes back as the same run', async () => {
    const run = await own()
    const file = await fetched(run.id, 'run')
    const back = await handIn(file)
    expect(back).toMatchObject({ source: 'file', name: 'Monday', figures: run.figures, annotations: run.annotations })
    expect(back.id).not.toBe(run.id)
    const compared = await test.call('compareRuns', { first: run.id, second: back.id })
    expect(compared).toMatchObject({ compared: 11, equalDigests: 11, divergence: null, checkpointDivergence: null })
    const html = (await fetched(back.id, 'report')).toString('utf8')
    expect(html).toContain('data-figure="requests">11<')
    expect(html).toContain('another text')
    expect(html).not.toContain('<b>v</b>')
  })

  it('differs from another run at the first request that is another', async () => {
    await test.call('openCluster', { name: 'kept' })
    await put('a second opening')
    await readUpTo(12)
    await test.call('closeCluster', {})
    const [latest, ...others] = await listed()
    const first = others.find(({ source }) => source === 'own')
    expect(latest).toMatchObject({ figures: { first: 12, batches: 1 } })
    await test.call('createCluster', { name: 'other', replicas: 4, durability: 'process' })
    await test.call('openCluster', { name: 'other' })
    await put('key 0')
    await put('something else')
    await readUpTo(2)
    await test.call('closeCluster', {})
    const other = (await listed()).find(({ cluster }) => cluster === 'other')
    const compared = await test.call('compareRuns', { first: first?.id ?? '', second: other?.id ?? '' })
    expect(compared).toMatchObject({ compared: 1, equalDigests: 0, divergence: { seq: 2, what: 'operations' } })
  })

  it('goes to the trash, comes back, and is gone when that is emptied', async () => {
    const file = (await listed()).find(({ source }) => source === 'file')
    const id = file?.id ?? ''
    await test.call('trashRun', { id })
    expect((await listed()).find((run) => run.id === id)?.trashedAt).not.toBeNull()
    await test.call('restoreRun', { id })
    expect((await listed()).find((run) => run.id === id)?.trashedAt).toBeNull()
    await test.call('trashRun', { id })
    expect(await test.call('emptyTrash', {})).toBe(1)
    expect(readdirSync(join(test.folder, 'data', 'runs'))).not.toContain(id)
  })

  it('in a damaged file is refused, counted, and leaves nothing', async () => {
    const run = await own()
    const file = await fetched(run.id, 'run')
    const before = readdirSync(join(test.folder, 'data', 'runs'))
    file[file.length >> 1] = (file[file.length >> 1] ?? 0) ^ 1
    const { upload } = await test.call('beginImport', { bytes: file.length })
    await test.call('importPart', { upload, offset: 0, data: file.toString('base64', 0, filePartBytesMax) })
    expect(await test.host.call('importPart', { upload, offset: 7, data: 'AAAA' })).toMatchObject({
      ok: false,
      error: { code: 'bad-request' },
    })
    expect(await test.host.call('endImport', { upload })).toMatchObject({
      ok: false,
      error: { code: 'bad-run', details: { problem: 'damaged' } },
    })
    expect(await test.host.call('beginImport', { bytes: 2 ** 50 })).toMatchObject({ ok: false, error: { code: 'bad-run' } })
    expect((await test.call('runs', {})).refused).toEqual({ damaged: 1, 'too-large': 1 })
    expect(readdirSync(join(test.folder, 'data', 'runs')).filter((name) => name !== 'incoming')).toEqual(
      before.filter((name) => name !== 'incoming'),
    )
    expect(readdirSync(join(test.folder, 'data', 'runs', 'incoming'))).toEqual([])
  })

  it('whose record is damaged is left out, and the others are there', async () => {
    const run = await own()
    const count = (await listed()).length
    const record = join(test.folder, 'data', 'runs', run.id, 'run.json')
    const whole = readFileSync(record)
    writeFileSync(record, whole.subarray(0, whole.length - 20))
    test = await test.again()
    expect(await listed()).toHaveLength(count - 1)
  })
})
