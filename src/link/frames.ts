/**
 * The frames of an established link: one WebSocket message carries a counter, a MAC and many messages.
 *
 *   counter 8 bytes BE | tag 16 bytes | (length 4 bytes BE | message)*
 *
 * The tag is over the counter and everything after the tag (frame-tag.ts). Counters start at 0 and step by one, so a frame that is
 * replayed, dropped or moved is noticed.
 */
import type { KeyObject } from 'node:crypto'
import { holdsTag, tagBytes, writeTag } from './frame-tag.ts'
import type { FrameFailure } from './rejections.ts'

const counterBytes = 8
/** Where a frame's tag begins. */
export const tagOffset = counterBytes
const headerBytes = counterBytes + tagBytes
const lengthBytes = 4

/** Largest single message; beyond it lies no batch, state partition or page of history that we make. */
export const messageBytesMax = 32 * 1_048_576
/** A frame is closed when it holds this much, so that one frame never delays others for long; one larger message goes alone. */
export const frameBytesTarget = 262_144
/** Largest frame that is taken. */
export const frameBytesMax = headerBytes + lengthBytes + messageBytesMax + frameBytesTarget

const twoTo32 = 4_294_967_296

/** Bytes that a message takes in a frame. */
export const framedBytes = (message: Uint8Array): number => lengthBytes + message.length

/** Bytes of a frame with these messages. */
export const frameBytesOf = (messages: readonly Uint8Array[]): number => {
  let length = headerBytes
  for (const message of messages) length += framedBytes(message)
  return length
}

/** Seals messages into one frame, behind `ahead` bytes that are left to the caller. `counter` is below 2^53. */
export const sealFrame = (key: KeyObject, counter: number, messages: readonly Uint8Array[], ahead = 0): Buffer => {
  const frame = Buffer.allocUnsafe(ahead + frameBytesOf(messages))
  frame.writeUInt32BE(Math.floor(counter / twoTo32), ahead)
  frame.writeUInt32BE(counter % twoTo32, ahead + 4)
  let at = ahead + headerBytes
  for (const message of messages) {
    frame.writeUInt32BE(message.length, at)
    frame.set(message, at + lengthBytes)
    at += lengthBytes + message.length
  }
  writeTag(key, counter, frame.subarray(ahead + headerBytes), frame, ahead + tagOffset)
  return frame
}

export type OpenedFrame =
  | { readonly ok: true; readonly messages: readonly Uint8Array[] }
  | { readonly ok: false; readonly reason: FrameFailure; readonly detail: string }

const refused = (reason: FrameFailure, detail: string): OpenedFrame => ({ ok: false, reason, detail })

const splitMessages = (frame: Buffer): OpenedFrame => {
  const messages: Uint8Array[] = []
  let at = headerBytes
  while (at < frame.length) {
    if (frame.length - at < lengthBytes) return refused('bad-frame', 'ends inside a length')
    const length = frame.readUInt32BE(at)
    at += lengthBytes
    if (length > messageBytesMax) return refused('too-large', `announces a message of ${length} bytes`)
    if (length > frame.length - at) return refused('bad-frame', 'ends inside a message')
    messages.push(frame.subarray(at, at + length))
    at += length
  }
  return { ok: true, messages }
}

/** Checks a received frame and splits it; the messages are views into it. `counter` is the one that has to come. */
export const openFrame = (key: KeyObject, counter: number, frame: Buffer): OpenedFrame => {
  if (frame.length > frameBytesMax) return refused('too-large', `a frame of ${frame.length} bytes`)
  if (frame.length < headerBytes) return refused('bad-frame', `a frame of ${frame.length} bytes`)
  // The MAC goes first: who has no key learns nothing from the other checks, and nothing unauthentic is looked at.
  const got = frame.readUInt32BE(0) * twoTo32 + frame.readUInt32BE(4)
  if (got > Number.MAX_SAFE_INTEGER || !holdsTag(key, got, frame.subarray(headerBytes), frame, tagOffset))
    return refused('bad-mac', 'the MAC does not match')
  if (got !== counter) return refused('bad-counter', `frame ${got} came where ${counter} was due`)
  return splitMessages(frame)
}
