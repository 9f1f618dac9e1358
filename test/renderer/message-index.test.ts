import { describe, expect, test } from 'vitest'
import { messageFates, packMessages, type MessageColumns, type MessageLane, type MessagesPage } from '../../src/contract/messages.ts'
import { clientRowsMax, MessageIndex, rowsOf } from '../../src/renderer/lib/message-index.ts'

interface Given {
  readonly sentAt: number
  readonly receivedAt?: number
  readonly from: number
  readonly to: number
  readonly kind?: number
  readonly fate?: (typeof messageFates)[number]
}

const replicas: readonly MessageLane[] = [0, 1, 2, 3].map((id) => ({ kind: 'replica', id }))
const client: MessageLane = { kind: 'client', name: 'operator/panel-0' }

/** A page of messages with ids 1, 2, ... */
const pageOf = (given: readonly Given[], lanes: readonly MessageLane[] = [...replicas, client]): MessagesPage => {
  const columns: MessageColumns = {
    count: given.length,
    id: Float64Array.from(given, (_, i) => i + 1),
    sentAt: Float64Array.from(given, ({ sentAt }) => sentAt),
    receivedAt: Float64Array.from(given, ({ receivedAt }) => receivedAt ?? NaN),
    seq: Float64Array.from(given, () => 7),
    view: new Float64Array(given.length),
    timestamp: new Float64Array(given.length).fill(NaN),
    bytes: new Float64Array(given.length).fill(100),
    from: Int32Array.from(given, ({ from }) => from),
    to: Int32Array.from(given, ({ to }) => to),
    kind: Int32Array.from(given, ({ kind }) => kind ?? 0),
    digest: new Int32Array(given.length).fill(-1),
    fate: Int32Array.from(given, ({ fate }) => messageFates.indexOf(fate ?? 'delivered')),
    reason: new Int32Array(given.length).fill(-1),
  }
  return {
    packed: Buffer.from(packMessages(columns)).toString('base64'),
    lanes,
    kinds: ['prepare', 'commit'],
    digests: [],
    reasons: [],
    count: given.length,
    total: given.length,
    first: null,
    last: null,
    gaps: [],
  }
}
const indexOf = (given: readonly Given[]): MessageIndex => {
  const index = MessageIndex.of(pageOf(given))
  if (index === null) throw new Error('the page is malformed')
  return index
}

describe('rows', () => {
  test('are replicas by id, then clients by name; what the lanes index leads there', () => {
    const { rows, rowOfLane } = rowsOf([client, { kind: 'replica', id: 2 }, { kind: 'replica', id: 0 }])
    expect(rows.map(({ label }) => label)).toEqual(['r0', 'r2', 'operator/panel-0'])
    expect([...rowOfLane]).toEqual([2, 1, 0])
  })

  test('clients beyond the limit share one', () => {
    const clients = Array.from({ length: 40 }, (_, i): MessageLane => ({ kind: 'client', name: `c${String(i).padStart(2, '0')}` }))
    const { rows, rowOfLane } = rowsOf([...replicas, ...clients])
    expect(rows).toHaveLength(4 + clientRowsMax)
    expect(rows.at(-1)).toMatchObject({ kind: 'clients', clients: 40 - (clientRowsMax - 1) })
    expect(rowOfLane[4 + 39]).toBe(4 + clientRowsMax - 1)
  })
})

describe('what is in sight', () => {
  const few = indexOf([
    { sentAt: 10, receivedAt: 30, from: 0, to: 1 },
    { sentAt: 12, receivedAt: 14, from: 1, to: 2, kind: 1 },
    { sentAt: 50, from: 2, to: 3, fate: 'lost' },
  ])

  test('has what began before the window and ends in it, and not what begins after', () => {
    expect([...few.visible(20, 40, 100).id]).toEqual([1, 2])
    expect([...few.visible(11, 13, 100).id]).toContain(2)
    expect([...few.visible(60, 61, 100).id]).not.toContain(1)
  })

  test('a message that never arrived is as long as others are, and counts as lost', () => {
    const drawn = few.visible(40, 60, 100)
    const at = drawn.id.indexOf(3)
    expect((drawn.end[at] ?? 0) - (drawn.start[at] ?? 0)).toBeGreaterThan(0)
    expect(drawn.lost[at]).toBe(1)
  })

  test('many are bundled, and none is forgotten', () => {
    const many = indexOf(
      Array.from({ length: 100_000 }, (_, i): Given => {
        const from = i % 4
        return {
          sentAt: i / 10,
          receivedAt: i / 10 + 1,
          from,
          to: (from + 1 + (i % 3)) % 4,
          kind: i % 2,
          ...(i % 1_000 === 0 ? { fate: 'lost' } : {}),
        }
      }),
    )
    for (const [from, to] of [
      [0, 10_000],
      [2_000, 2_500],
      [5_000, 5_010],
    ] as const) {
      const drawn = many.visible(from, to, 1_200)
      expect(drawn.count).toBeLessThanOrEqual(2_500)
      expect(drawn.weight.reduce((sum, weight) => sum + weight, 0)).toBe(drawn.total)
      expect(drawn.total).toBeGreaterThanOrEqual((to - from) * 10)
    }
    const whole = many.visible(0, 10_000, 1_200)
    expect(whole.single).toBe(false)
    expect(whole.lost.reduce((sum, lost) => sum + lost, 0)).toBe(100)
    expect(many.visible(5_000, 5_010, 1_200).single).toBe(true)
  })
})

describe('moving the selection', () => {
  const index = indexOf([
    { sentAt: 1, receivedAt: 2, from: 0, to: 1 },
    { sentAt: 3, receivedAt: 4, from: 2, to: 3 },
    { sentAt: 5, receivedAt: 6, from: 1, to: 0 },
    { sentAt: 7, receivedAt: 8, from: 3, to: 4 },
  ])
  const idOf = (...[id, at, row, by]: Parameters<MessageIndex['step']>): number | null => index.step(id, at, row, by)?.id ?? null

  test('goes along one lane in time, and stops at its ends', () => {
    expect(idOf(1, 0, 0, 1)).toBe(3)
    expect(idOf(3, 0, 0, -1)).toBe(1)
    expect(idOf(3, 0, 0, 1)).toBeNull()
  })

  test('begins at a time', () => {
    expect(idOf(null, 4, 0, 1)).toBe(3)
    expect(idOf(null, 4, 3, -1)).toBe(2)
  })

  test('goes to the nearest on another lane, and nowhere where nothing is', () => {
    expect(idOf(3, 0, 3, 0)).toBe(2)
    expect(idOf(4, 0, 4, 0)).toBe(4)
    expect(idOf(1, 0, 9, 0)).toBeNull()
  })
})

test('lists a window by pages, and finds one by its id', () => {
  const index = indexOf(Array.from({ length: 10 }, (_, i) => ({ sentAt: i, receivedAt: i + 1, from: 0, to: 4 })))
  const { total, messages } = index.list(2, 8, 4, 100)
  expect(total).toBe(6)
  expect(messages.map(({ sentAt }) => sentAt)).toEqual([6, 7])
  expect(index.find(3)).toMatchObject({ id: 3, kind: 'prepare', from: { kind: 'replica', id: 0 }, to: client, toRow: 4, seq: 7, sentAt: 2 })
  expect(index.find(99)).toBeNull()
})

test('a page that is not what it says is none', () => {
  expect(MessageIndex.of({ ...pageOf([{ sentAt: 1, from: 0, to: 1 }]), count: 2 })).toBeNull()
  expect(MessageIndex.of({ ...pageOf([]), packed: '!' })).toBeNull()
})
