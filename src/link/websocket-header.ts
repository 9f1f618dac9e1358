/**
 * The header of a binary WebSocket message that is sent whole (RFC 6455, section 5.2). Written by hand so that header and payload are
 * one buffer and one write: the library sends them as two, which costs more than everything else about a short frame.
 */

const finalBinary = 0x82
const maskBit = 0x80
const maskBytes = 4
const shortMax = 125
const mediumMax = 65_535

/** Length of the header before a payload of `length` bytes. A dialer `masks`, as the standard demands of it. */
export const webSocketHeaderBytes = (length: number, masks: boolean): number =>
  (length <= shortMax ? 2 : length <= mediumMax ? 4 : 10) + (masks ? maskBytes : 0)

/**
 * Writes that header at the beginning of `frame`. The mask is zero: masking protects proxies from scripts in browsers; here it would
 * only cost a pass over every byte.
 */
export const writeWebSocketHeader = (frame: Buffer, length: number, masks: boolean): void => {
  const flag = masks ? maskBit : 0
  let at = 2
  frame[0] = finalBinary
  if (length <= shortMax) frame[1] = flag | length
  else if (length <= mediumMax) {
    frame[1] = flag | 126
    at = frame.writeUInt16BE(length, at)
  } else {
    frame[1] = flag | 127
    // Frames are far below 4 GiB.
    at = frame.writeUInt32BE(length, frame.writeUInt32BE(0, at))
  }
  if (masks) frame.fill(0, at, at + maskBytes)
}
