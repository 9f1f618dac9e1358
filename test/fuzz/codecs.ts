/** Hostile bytes at the decoders themselves: messages, records, frames, handshakes. */
import fc from 'fast-check'
import { createSecretKey } from 'node:crypto'
import { openFrame, sealFrame, tagOffset } from '../../src/link/frames.ts'
import { accepterHandshake, dialerHandshake } from '../../src/link/handshake.ts'
import { writeTag } from '../../src/link/frame-tag.ts'
import { directoryOf } from '../../src/link/index.ts'
import type { Random } from '../../src/pbft/sim/index.ts'
import {
  decodeBatch,
  decodeMessage,
  decodeReasons,
  decodeRecord,
  decodeReplies,
  decodeRequest,
  encodeBatch,
  encodeMessage,
  encodeRecord,
  encodeReplies,
  encodeRequest,
  signedParts,
} from '../../src/pbft/wire/index.ts'
import { makeCluster } from '../support/manifests.ts'
import { anyMessage, anyRecord, batches, requests } from '../support/wire-arbitraries.ts'
import { mutateBytes, mutateJson } from './mutate.ts'
import { ownHeapMb, Tally, type Outcome } from './outcome.ts'

const heapGrowthMaxMb = 32
const poolSize = 1_000
const clusterId = 'ab'.repeat(16)

/** Valid encodings of every kind. */
export const messagePool = (seed: number): Uint8Array[] => fc.sample(anyMessage, { seed, numRuns: poolSize }).map(encodeMessage)

const wirePool = (seed: number): Uint8Array[] => [
  ...messagePool(seed),
  ...fc.sample(anyRecord, { seed, numRuns: poolSize / 2 }).map(encodeRecord),
  ...fc.sample(batches, { seed, numRuns: poolSize / 10 }).map((batch) => batch.bytes),
  ...fc.sample(requests, { seed, numRuns: poolSize / 10 }).map(encodeRequest),
]

interface Codec {
  readonly name: string
  /** The bytes that a decoded value is encoded as, or why it was refused. */
  decode(bytes: Uint8Array): { readonly ok: true; readonly again: Uint8Array } | { readonly ok: false; readonly reason: string }
}

const codecs: readonly Codec[] = [
  {
    name: 'message',
    decode(bytes) {
      const decoded = decodeMessage(bytes)
      if (!decoded.ok) return decoded
      signedParts(decoded.value, 4, clusterId)
      return { ok: true, again: encodeMessage(decoded.value) }
    },
  },
  {
    name: 'record',
    decode(bytes) {
      const decoded = decodeRecord(bytes)
      return decoded.ok ? { ok: true, again: encodeRecord(decoded.value) } : decoded
    },
  },
  {
    name: 'replies',
    decode(bytes) {
      const decoded = decodeReplies(bytes)
      return decoded.ok ? { ok: true, again: encodeReplies(decoded.value) } : decoded
    },
  },
  {
    name: 'batch',
    decode(bytes) {
      const decoded = decodeBatch(bytes)
      return decoded.ok ? { ok: true, again: encodeBatch(decoded.value.timeMs, decoded.value.requests).bytes } : decoded
    },
  },
  {
    name: 'request',
    decode(bytes) {
      const decoded = decodeRequest(bytes)
      return decoded.ok ? { ok: true, again: encodeRequest(decoded.value) } : decoded
    },
  },
]

/** Every input goes to all five decoders, and counts once. */
export const fuzzWire = (random: Random, seed: number, inputs: number): Outcome => {
  const pool = wirePool(seed)
  const tally = new Tally()
  const warmUp = Math.floor(inputs / 10)
  let before = 0
  for (let i = 0; i < inputs; i += 1) {
    if (i === warmUp) before = ownHeapMb()
    const bytes = mutateBytes(random, random.pick(pool), random.pick(pool))
    let taken = 0
    for (const codec of codecs) {
      try {
        const result = codec.decode(bytes)
        if (!result.ok) {
          if (!decodeReasons.some((reason) => reason === result.reason)) tally.problem(`${codec.name}: refused as ${result.reason}`)
          tally.reasons[`${codec.name} ${result.reason}`] = (tally.reasons[`${codec.name} ${result.reason}`] ?? 0) + 1
        } else if (Buffer.compare(result.again, bytes) === 0) taken += 1
        else tally.problem(`${codec.name}: decoded what it would not encode: ${Buffer.from(bytes).toString('hex')}`)
      } catch (error) {
        tally.problem(`${codec.name} threw ${String(error)} on ${Buffer.from(bytes).toString('hex')}`)
      }
    }
    if (taken > 0) tally.accept()
    else tally.refused += 1
  }
  return tally.outcome('wire codec', inputs, [before, ownHeapMb()], heapGrowthMaxMb)
}

const frameKey = createSecretKey(Buffer.alloc(32, 7))
const headerBytes = tagOffset + 16

/** Puts the right counter and MAC on a frame: its inside is hostile, its sender is known. */
const authentic = (frame: Buffer, counter: number): void => {
  frame.writeBigUInt64BE(BigInt(counter), 0)
  writeTag(frameKey, counter, frame.subarray(headerBytes), frame, tagOffset)
}

/** Frames by strangers (none may open) and by a known sender (what opens is what was sealed). */
export const fuzzFrames = (random: Random, seed: number, inputs: number): Outcome => {
  const pool = messagePool(seed)
  const tally = new Tally()
  const before = ownHeapMb()
  for (let i = 0; i < inputs; i += 1) {
    const counter = random.pick([0, 1, 77, Number.MAX_SAFE_INTEGER])
    const sealed = sealFrame(
      frameKey,
      counter,
      Array.from({ length: random.whole(0, 3) }, () => random.pick(pool)),
    )
    const frame = Buffer.from(mutateBytes(random, sealed, random.pick(pool)))
    const isKnown = frame.length >= headerBytes && random.chance(0.5)
    if (isKnown) authentic(frame, counter)
    const opened = openFrame(frameKey, counter, frame)
    if (!opened.ok) tally.refuse(opened.reason)
    else if (!isKnown) tally.problem(`a changed frame was opened: ${frame.toString('hex')}`)
    else if (Buffer.compare(sealFrame(frameKey, counter, opened.messages), frame) === 0) tally.accept()
    else tally.problem(`a frame was opened that would not be sealed: ${frame.toString('hex')}`)
  }
  return tally.outcome('frames', inputs, [before, ownHeapMb()], heapGrowthMaxMb)
}

/** Both sides of a handshake, each given something else than what was said. Nobody gets a session. */
export const fuzzHandshakes = (random: Random, inputs: number): Outcome => {
  const { manifest, replicaKeys, operator } = makeCluster([7_000, 7_001, 7_002, 7_003])
  const directory = directoryOf(manifest)
  const key = replicaKeys[0]
  if (key === undefined) throw new Error('no key')
  const tally = new Tally()
  const before = ownHeapMb()
  const spoil = (bytes: Uint8Array): Uint8Array => mutateBytes(random, bytes, bytes)
  const spoilHello = (bytes: Uint8Array): Uint8Array =>
    random.chance(0.5) ? spoil(bytes) : Buffer.from(JSON.stringify(mutateJson(random, JSON.parse(Buffer.from(bytes).toString()))))
  for (let i = 0; i < inputs; i += 1) {
    const dialer = dialerHandshake(directory, { role: 'control', name: 'operator', key: operator }, 0)
    const accepter = accepterHandshake(directory, 0, key)
    const at = random.whole(0, 2)
    const hello = at === 0 ? spoilHello(dialer.hello) : dialer.hello
    let step = accepter.onMessage(hello)
    // A changed hello may still be one (another nonce): then nobody holds the key to go on with.
    if (step.kind === 'continue') {
      const answered = dialer.onMessage(at === 1 ? spoil(step.send) : step.send)
      if (answered.kind !== 'continue') step = answered
      else step = accepter.onMessage(at === 2 ? spoil(answered.send) : answered.send)
    }
    if (step.kind === 'failed') tally.refuse(step.reason)
    else if (Buffer.compare(hello, dialer.hello) === 0 && at === 0) tally.accept()
    else tally.problem(`a spoilt handshake came to '${step.kind}' (message ${at})`)
  }
  return tally.outcome('handshakes', inputs, [before, ownHeapMb()], heapGrowthMaxMb)
}
