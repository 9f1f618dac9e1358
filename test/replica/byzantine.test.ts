import { expect, it } from 'vitest'
import { asDigest, asReplicaId, asView, type ReplicaId } from '../../src/pbft/protocol/ids.ts'
import type { AuthenticationWanted, ReplicaMessage, Reply } from '../../src/pbft/protocol/messages.ts'
import { encodeBatch } from '../../src/pbft/wire/index.ts'
import { createByzantine } from '../../src/replica/byzantine.ts'
import { examples } from '../support/wire-examples.ts'
import { until } from '../support/until.ts'

/** Replica 0 of four, and what leaves it. `own` is a proposal that it makes as primary. */
const create = (viewTimeoutMs: number) => {
  const left: { readonly to: readonly ReplicaId[]; readonly message: ReplicaMessage }[] = []
  const replies: Reply[] = []
  const wanted: AuthenticationWanted[] = []
  let flushes = 0
  const byzantine = createByzantine({
    id: 0,
    n: 4,
    viewTimeoutMs,
    capabilities: { digest: () => asDigest('00'.repeat(32)), encodeBatch, sign: () => new Uint8Array(64) },
    send: (to, message) => void left.push({ to, message }),
    reply: (reply) => void replies.push(reply),
    wantSignature: (message) => void wanted.push(message),
    flush: () => void (flushes += 1),
  })
  return { byzantine, left, replies, wanted, flushes: () => flushes }
}
const own = { ...examples['pre-prepare'], view: asView(4) }
const others = [1, 2, 3].map(asReplicaId)

it('without a behaviour everything leaves as it is', () => {
  const { byzantine, left, replies, wanted } = create(1_000)
  byzantine.send(others, own)
  byzantine.reply(examples.reply)
  byzantine.wantSignature(examples['authentication-wanted'])
  expect(left).toEqual([{ to: others, message: own }])
  expect(replies).toEqual([examples.reply])
  expect(wanted).toEqual([examples['authentication-wanted']])
})

it('misbehaves until it is healed', () => {
  const { byzantine, left, replies } = create(1_000)
  byzantine.set({ behaviour: 'silent', victim: null })
  byzantine.send(others, own)
  byzantine.reply(examples.reply)
  expect([...left, ...replies]).toEqual([])
  byzantine.set({ behaviour: 'starve', victim: 3 })
  byzantine.send(others, own)
  byzantine.set(null)
  byzantine.send(others, own)
  expect(left.map(({ to }) => to)).toEqual([[1, 2], others])
})

it('what is held back leaves in time, or when it is healed, and not when it is told the same again', async () => {
  const late = create(20)
  late.byzantine.set({ behaviour: 'slow-primary', victim: null })
  late.byzantine.send(others, own)
  expect(late.left).toEqual([])
  await until(() => late.left.length === 1)
  expect(late.flushes()).toBeGreaterThan(0)

  const { byzantine, left } = create(600_000)
  byzantine.set({ behaviour: 'slow-primary', victim: null })
  byzantine.send(others, own)
  byzantine.send(others, { ...own, view: asView(8) })
  byzantine.send(others, examples.commit)
  byzantine.set({ behaviour: 'slow-primary', victim: null })
  expect(left.map(({ message }) => message)).toEqual([examples.commit])
  byzantine.set(null)
  expect(left.map(({ message }) => ('view' in message ? message.view : null)).slice(1)).toEqual([4, 8])

  const closed = create(600_000)
  closed.byzantine.set({ behaviour: 'slow-primary', victim: null })
  closed.byzantine.send(others, own)
  closed.byzantine.close()
  expect(closed.left).toEqual([])
})
