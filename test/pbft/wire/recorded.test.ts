import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { asClientId, asDigest, asReplicaId, asSeqNo } from '../../../src/pbft/protocol/ids.ts'
import type { Message, ReplicaMessage } from '../../../src/pbft/protocol/messages.ts'
import type { Input } from '../../../src/pbft/protocol/steps.ts'
import {
  BlockWriter,
  decodeEntries,
  encodeMessage,
  encodeReplies,
  headOf,
  readBlock,
  readBlockHead,
  type ShortEntry,
} from '../../../src/pbft/wire/index.ts'
import { Random } from '../../support/random.ts'
import { examples } from '../../support/wire-examples.ts'

const crc = (bytes: Uint8Array): number => crc32(bytes)
const joined = (...pieces: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(pieces))
const at = 1_800_000_000_000.125
const from = asReplicaId(2)

const messages = Object.values(examples) as Message[]
const inputs: Input[] = [
  { type: 'start', disk: 'lost' },
  { type: 'stop' },
  { type: 'drained' },
  { type: 'timer', timer: 'view-change' },
  { type: 'timer', timer: 'status' },
  { type: 'timer', timer: 'fetch' },
  { type: 'connected', peer: from },
  { type: 'operator', command: { kind: 'change-view' } },
  ...messages.filter((m) => m.type !== 'reply').map((message): Input => ({ type: 'message', from, message: message as ReplicaMessage })),
  ...messages.flatMap((request): Input[] => (request.type === 'request' ? [{ type: 'request', request }] : [])),
]
const prePrepare = examples['pre-prepare']
inputs.push(
  { type: 'message', from, message: prePrepare, unverified: [0, 1] },
  { type: 'request', request: examples.request, isUnverified: true },
)
const shorts: ShortEntry[] = [
  { kind: 'segment', clusterId: 'ab'.repeat(16), replica: from },
  { kind: 'start', config: '{"n":4}', whole: true },
  { kind: 'record', bytes: Uint8Array.of(1, 2, 3) },
  { kind: 'partition', index: 7, bytes: Uint8Array.of(9) },
  { kind: 'signed', signature: new Uint8Array(64).fill(5) },
  { kind: 'rejected', reason: 'late' },
  { kind: 'refused', from: 'operator', reason: 'bad-signature', type: 1, size: 300, sum: 0xffffffff },
  { kind: 'faults', faults: '{}' },
  { kind: 'checkpoint', seq: asSeqNo(128), digest: asDigest('ab'.repeat(32)) },
  { kind: 'end' },
  ...messages.map((message): ShortEntry => ({
    kind: 'sent',
    head: headOf(message),
    size: 10,
    sum: 4_000_000_000,
    to: [
      { replica: from, fate: 'sent' },
      { replica: asReplicaId(3), fate: 'cut' },
    ],
    fate: 'no-link',
  })),
]
const nowMs = 1_800_000_000_000
/** Those of an input's message. */
const bytesOf = (input: Input): Uint8Array =>
  input.type === 'message' ? encodeMessage(input.message) : input.type === 'request' ? encodeMessage(input.request) : new Uint8Array(0)
const writes = [
  ...inputs.map((input) => (block: BlockWriter) => block.input(input, nowMs, null, at)),
  ...shorts.map((entry) => (block: BlockWriter) => block.entry(entry, at)),
]

const wholeBlock = (...added: ((block: BlockWriter) => void)[]): Uint8Array => {
  // Too small: it has to grow.
  const block = new BlockWriter(new Uint8Array(64))
  for (const add of added) add(block)
  return block.seal({ firstIndex: 12, lost: 3 }, crc)
}
/** What lies in the block that `add` alone makes. */
const entryOf = (add: (block: BlockWriter) => void): Uint8Array => {
  const read = readBlock(wholeBlock(add), crc)
  const entry = read.ok ? read.entries[0] : undefined
  if (entry === undefined) throw new Error('no entry in the block')
  return entry
}
const encoded = writes.map(entryOf)

describe('recorded entries', () => {
  it('come back as they were', () => {
    for (const input of inputs) {
      const bytes = bytesOf(input)
      // Encoded anew, or as it came.
      for (const wire of [null, bytes]) {
        const decoded = decodeEntries(entryOf((block) => block.input(input, nowMs, wire, at)))
        expect(decoded).toEqual({ ok: true, value: [{ kind: 'input', nowMs, input, bytes, at }] })
      }
    }
    for (const entry of shorts) {
      expect(decodeEntries(entryOf((block) => block.entry(entry, at)))).toEqual({ ok: true, value: [{ ...entry, at }] })
    }
  })

  it('of a bundle of replies are one sending for each reply, as if it had left alone', () => {
    const replies = [examples.reply, { ...examples.reply, client: asClientId('zoë/2') }]
    const alone = replies.map((reply) => {
      const bytes = encodeMessage(reply)
      return { kind: 'sent', head: headOf(reply), size: bytes.length, sum: crc(bytes), to: [], fate: 'sent', at }
    })
    const bytes = entryOf((block) => block.replies(encodeReplies(replies), replies.length, at))
    expect(decodeEntries(bytes)).toEqual({ ok: true, value: alone })
    expect(decodeEntries(bytes.subarray(0, bytes.length - 1)).ok).toBe(false)
  })

  it('are refused when they are cut anywhere, or go on', () => {
    for (const bytes of encoded) {
      for (let length = 0; length < bytes.length; length += Math.max(1, Math.floor(bytes.length / 50))) {
        expect(decodeEntries(bytes.subarray(0, length)).ok).toBe(false)
      }
      expect(decodeEntries(joined(bytes, Uint8Array.of(0))).ok).toBe(false)
    }
  })

  const seed = Date.now() % 1_000_000
  it(`never throw, whatever the bytes (seed ${seed})`, () => {
    const random = new Random(seed)
    for (let round = 0; round < 3_000; round++) {
      const bytes = (encoded[random.below(encoded.length)] as Uint8Array).slice()
      for (let flips = 0; flips < 3; flips++) bytes[random.below(bytes.length)] = random.below(256)
      expect(typeof decodeEntries(bytes).ok).toBe('boolean')
    }
  })
})

describe('blocks of entries', () => {
  const head = { firstIndex: 12, count: encoded.length + 1, lost: 3, firstAt: at, lastAt: at + 1 }
  const last = entryOf((block) => block.entry({ kind: 'end' }, at + 1))
  const block = wholeBlock(...writes, (one) => one.entry({ kind: 'end' }, at + 1))

  it('come back as they were, with what follows left alone', () => {
    const read = readBlock(joined(block, Uint8Array.of(1, 2, 3)), crc)
    expect(read).toEqual({ ok: true, head: head, entries: [...encoded, last], bytes: block.length })
    expect(readBlockHead(block.subarray(0, 100))).toEqual({ ok: true, head: head, bytes: block.length })
  })

  it('are not read when they are cut, or when any byte was changed', () => {
    for (let length = 0; length < block.length; length += 97) expect(readBlock(block.subarray(0, length), crc).ok).toBe(false)
    for (let at = 0; at < block.length; at += 31) {
      const spoilt = block.slice()
      spoilt[at] = (spoilt[at] as number) ^ 0x10
      expect(readBlock(spoilt, crc).ok).toBe(false)
    }
  })

  it('of which the lengths inside lie are not read, although their checksum holds', () => {
    const lying = block.slice()
    const view = new DataView(lying.buffer)
    view.setUint32(40, 0xfffffff0)
    view.setUint32(4, crc(lying.subarray(8)))
    expect(readBlock(lying, crc)).toEqual({ ok: false, problem: 'damaged' })
    // More entries than it says there are.
    const few = block.slice()
    const fewView = new DataView(few.buffer)
    fewView.setUint32(12, encoded.length)
    fewView.setUint32(4, crc(few.subarray(8)))
    expect(readBlock(few, crc)).toEqual({ ok: false, problem: 'damaged' })
    view.setUint32(12, 0xffffffff)
    expect(readBlockHead(lying)).toEqual({ ok: false, problem: 'damaged' })
  })

  it('hold as many bytes as are encoded', () => {
    expect(block.length).toBe([...encoded, last].reduce((sum, { length }) => sum + 4 + length, 40))
  })

  it('are as they were after what has no encoding', () => {
    const spoilt = wholeBlock(...writes, (one) => {
      const [count, bytes] = [one.count, one.bytes]
      expect(() => one.entry({ kind: 'rejected', reason: 'x'.repeat(2_000) }, at)).toThrow(RangeError)
      expect(() => one.input({ type: 'timer', timer: 'none' as 'proof' }, nowMs, null, at)).toThrow(RangeError)
      expect([one.count, one.bytes]).toEqual([count, bytes])
      one.entry({ kind: 'end' }, at + 1)
    })
    expect(spoilt).toEqual(block)
  })
})
