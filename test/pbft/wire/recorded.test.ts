import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { asClientId, asDigest, asReplicaId, asSeqNo } from '../../../src/pbft/protocol/ids.ts'
import type { Message, ReplicaMessage } from '../../../src/pbft/protocol/messages.ts'
import type { Input } from '../../../src/pbft/protocol/steps.ts'
import {
  decodeEntries,
  encodeEntry,
  encodeInputHead,
  encodeMessage,
  encodeReplies,
  encodeRepliesHead,
  headOf,
  inputMessageBytes,
  readBlock,
  readBlockHead,
  sealBlock,
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
const encoded = [
  ...inputs.map((input) => joined(encodeInputHead(input, 1_800_000_000_000, at), inputMessageBytes(input))),
  ...shorts.map((entry) => encodeEntry(entry, at)),
]

describe('recorded entries', () => {
  it('come back as they were', () => {
    for (const input of inputs) {
      const decoded = decodeEntries(joined(encodeInputHead(input, 1_800_000_000_000, at), inputMessageBytes(input)))
      expect(decoded).toEqual({
        ok: true,
        value: [{ kind: 'input', nowMs: 1_800_000_000_000, input, bytes: inputMessageBytes(input), at }],
      })
    }
    for (const entry of shorts) expect(decodeEntries(encodeEntry(entry, at))).toEqual({ ok: true, value: [{ ...entry, at }] })
  })

  it('of a bundle of replies are one sending for each reply, as if it had left alone', () => {
    const replies = [examples.reply, { ...examples.reply, client: asClientId('zoë/2') }]
    const alone = replies.map((reply) => {
      const bytes = encodeMessage(reply)
      return { kind: 'sent', head: headOf(reply), size: bytes.length, sum: crc(bytes), to: [], fate: 'sent', at }
    })
    const bytes = joined(encodeRepliesHead(at), encodeReplies(replies))
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
  const head = { firstIndex: 12, count: encoded.length, lost: 3, firstAt: at, lastAt: at + 1 }
  const block = sealBlock(
    encoded.map((entry) => [entry.subarray(0, 5), entry.subarray(5)]),
    head,
    crc,
  )

  it('come back as they were, with what follows left alone', () => {
    const read = readBlock(joined(block, Uint8Array.of(1, 2, 3)), crc)
    expect(read).toEqual({ ok: true, head: head, entries: encoded, bytes: block.length })
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
    fewView.setUint32(12, encoded.length - 1)
    fewView.setUint32(4, crc(few.subarray(8)))
    expect(readBlock(few, crc)).toEqual({ ok: false, problem: 'damaged' })
    view.setUint32(12, 0xffffffff)
    expect(readBlockHead(lying)).toEqual({ ok: false, problem: 'damaged' })
  })

  it('hold as many bytes as are encoded', () => {
    expect(block.length).toBe(encoded.reduce((sum, { length }) => sum + 4 + length, 40))
    expect(encodeMessage(messages[0] as Message).length).toBeGreaterThan(0)
  })
})
