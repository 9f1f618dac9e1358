/** The messages of a real run: recorded by the replicas, joined by the recorder, asked for through the contract. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Params } from '../../src/contract/api.ts'
import { messageFates, unpackMessages, type MessagesPage } from '../../src/contract/messages.ts'
import { eventually, openTestHost, type TestHost } from './support/host.ts'

interface Row {
  readonly id: number
  readonly kind: string
  readonly from: string
  readonly to: string
  readonly seq: number
  readonly sentAt: number
  readonly receivedAt: number
  readonly fate: string
  readonly reason: string | null
}

const rowsOf = (page: MessagesPage): Row[] => {
  const columns = unpackMessages(page.packed)
  if (columns === null) throw new Error('not packed')
  const lane = (index: number | undefined): string => {
    const found = page.lanes[index ?? -1]
    return found === undefined ? '?' : found.kind === 'replica' ? `r${found.id}` : found.name
  }
  return Array.from({ length: columns.count }, (_, i) => ({
    id: columns.id[i] as number,
    kind: page.kinds[columns.kind[i] ?? -1] ?? '?',
    from: lane(columns.from[i]),
    to: lane(columns.to[i]),
    seq: columns.seq[i] as number,
    sentAt: columns.sentAt[i] as number,
    receivedAt: columns.receivedAt[i] as number,
    fate: messageFates[columns.fate[i] ?? -1] ?? '?',
    reason: page.reasons[columns.reason[i] ?? -1] ?? null,
  }))
}

describe('the messages of a run', () => {
  let test: TestHost
  const began = Date.now()
  const put = (key: string) => test.call('submit', { operation: { type: 'put', key, value: 'v' }, timeoutMs: 20_000 })
  const all = async (filter = {}): Promise<{ rows: Row[]; page: MessagesPage }> => {
    const page = await test.call('messages', { from: began - 1_000, to: Date.now() + 1_000, limit: 100_000, filter })
    return { rows: rowsOf(page), page }
  }
  /** Different ways that a kind of message took and came; status messages may bring some again. */
  const count = (rows: readonly Row[], kind: string): number =>
    new Set(rows.filter((row) => row.kind === kind && !Number.isNaN(row.receivedAt)).map(({ from, to }) => `${from}>${to}`)).size

  beforeAll(async () => {
    test = openTestHost()
    await test.call('createCluster', { name: 'talking', replicas: 4, durability: 'process' })
    await test.call('openCluster', { name: 'talking' })
  })
  afterAll(() => test.dispose())

  it('of one request are those of the protocol, each from where it was sent to where it came', async () => {
    const { seq } = await put('a')
    const { rows, page } = await eventually('all of them are recorded', async () => {
      const found = await all({ seq })
      return count(found.rows, 'pre-prepare') === 3 && count(found.rows, 'prepare') === 12 && count(found.rows, 'commit') === 12
        ? found
        : null
    })
    expect(page.count).toBe(page.total)
    expect(page.gaps).toEqual([])
    const prePrepares = rows.filter(({ kind }) => kind === 'pre-prepare').map(({ from, to }) => `${from}>${to}`)
    expect([...new Set(prePrepares)].sort()).toEqual(['r0>r1', 'r0>r2', 'r0>r3'])
    for (const row of rows.filter(({ from, to, fate }) => from.startsWith('r') && to.startsWith('r') && fate === 'delivered')) {
      expect(row.receivedAt).toBeGreaterThan(row.sentAt - 5)
      expect(row.receivedAt).toBeLessThan(row.sentAt + 5_000)
    }
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
    const replies = rows.filter(({ kind }) => kind === 'reply')
    expect([...new Set(replies.map(({ from }) => from))].sort()).toEqual(['r0', 'r1', 'r2', 'r3'])
    const { rows: requests } = await all({ kinds: ['request'], client: 'operator' })
    expect(requests.length).toBeGreaterThan(0)
  })

  it('can be looked at one by one, with what led to them and what they led to', async () => {
    const { seq } = await put('b')
    const { rows } = await eventually('they are recorded', async () => {
      const found = await all({ seq })
      return count(found.rows, 'pre-prepare') === 3 ? found : null
    })
    const prePrepare = rows.find(({ kind, to }) => kind === 'pre-prepare' && to === 'r2') as Row
    const detail = await test.call('message', { id: prePrepare.id })
    expect(detail).toMatchObject({
      kind: 'pre-prepare',
      seq,
      fate: 'delivered',
      from: { kind: 'replica', id: 0 },
      to: { kind: 'replica', id: 2 },
    })
    expect(detail.content).toMatchObject({ type: 'pre-prepare', seq, view: 0, batch: { requests: [{ client: 'operator/panel-0' }] } })
    expect(detail.authentication).toEqual({ how: 'link-and-signatures', signatures: 2, held: true })
    expect(detail.causes[0]).toMatchObject({ kind: 'request' })
    expect(detail.effects.map(({ kind }) => kind)).toContain('prepare')
    expect(await test.host.call('message', { id: 2 ** 52 })).toMatchObject({ ok: false, error: { code: 'not-found' } })
  })

  it('that a fault ate say so', async () => {
    const fault = await test.call('injectFault', { fault: { type: 'isolate', replica: 3 } })
    const { seq } = await put('c')
    const { rows } = await eventually('they are recorded', async () => {
      const found = await all({ seq })
      return count(found.rows, 'commit') >= 6 ? found : null
    })
    const toIsolated = rows.filter(({ from, to }) => from.startsWith('r') && to === 'r3')
    expect(toIsolated.length).toBeGreaterThan(0)
    expect(new Set(toIsolated.map(({ fate, reason }) => `${fate} ${reason}`))).toEqual(new Set(['lost cut']))
    await test.call('healFault', { id: fault.id })
  })

  it('are counted for a wide window as they are one by one', async () => {
    const { rows, page } = await all()
    const overview = await eventually('all blocks are read', async () => {
      const counted = await test.call('messagesOverview', { from: began - 600_000, to: Date.now() + 600_000, bins: 10 })
      return counted.blocks.read === counted.blocks.of ? counted : null
    })
    const ofReplicas = overview.count.reduce(
      (sum, n, i) => (overview.lanes[overview.source[i] ?? -1]?.kind === 'replica' ? sum + n : sum),
      0,
    )
    // Status messages go on in the meantime.
    expect(ofReplicas).toBeGreaterThanOrEqual(rows.filter(({ from, sentAt }) => from.startsWith('r') && !Number.isNaN(sentAt)).length)
    expect(overview.first).toBe(page.first)
    expect(await test.host.call('messages', { from: 5, to: 5 })).toMatchObject({ ok: false, error: { code: 'bad-request' } })
  })

  it('are announced while they come', async () => {
    const lasts: number[] = []
    const stop = test.host.subscribe(null, ({ events }) => {
      for (const event of events) if (event.type === 'messages') lasts.push(event.last)
    })
    await eventually('two announcements', () => Promise.resolve(new Set(lasts).size >= 2))
    stop()
    expect(lasts.every((last) => Math.abs(last - Date.now()) < 60_000)).toBe(true)
  })

  it('lead a second run of the same replica to the same states, forward and back', async () => {
    const [, process] = (await test.call('recordedProcesses', {})).filter(({ replica }) => replica <= 1)
    expect(process).toMatchObject({ replica: 1, process: 1, replayable: true, lost: 0 })
    const { session, count } = await test.call('openReplay', { replica: 1 })
    const to = (target: Params<'replay'>['to']) => test.call('replay', { session, to: target })
    const tenth = await to({ steps: 10 })
    expect(tenth).toMatchObject({ inputs: 10, ended: false })
    expect(await to({ steps: -4 })).toMatchObject({ inputs: 6 })
    // How far the run has been prepared in the background is no part of the moment.
    expect({ ...(await to({ steps: 4 })), prepared: 0 }).toEqual({ ...tenth, prepared: 0 })
    const first = await to({ seq: 1 })
    expect(first).toMatchObject({ lastExecuted: 1, state: { lastExecuted: 1, view: 0 } })
    const before = await to({ steps: -1 })
    expect(before.lastExecuted).toBe(0)
    const again = await to({ steps: 1 })
    expect(again.changes).toContainEqual({ path: 'lastExecuted', before: 0, after: 1 })
    expect(again.effects).toContainEqual(expect.objectContaining({ type: 'reply' }))
    const end = await to({ place: count - 1 })
    expect(end).toMatchObject({ ended: true, proof: { divergences: [] } })
    expect(end.lastExecuted).toBeGreaterThanOrEqual(3)
    await test.call('closeReplay', { session })
    expect(await test.host.call('replay', { session, to: { steps: 1 } })).toMatchObject({ ok: false, error: { code: 'not-found' } })
    expect(await test.host.call('openReplay', { replica: 9 })).toMatchObject({ ok: false, error: { code: 'not-found' } })
  })

  it('survive a wiped disk', async () => {
    const before = await all()
    await test.call('controlReplica', { id: 2, action: 'wipe' })
    const after = await all()
    expect(after.page.first).toBe(before.page.first)
    expect(after.page.total).toBeGreaterThanOrEqual(before.page.total)
  })
})
