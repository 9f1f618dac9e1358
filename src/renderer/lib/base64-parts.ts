/** Bytes as base64, as parts of files travel. */

/** So many arguments a call may have everywhere. */
const argumentsMax = 8_192

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += argumentsMax) text += String.fromCharCode(...bytes.subarray(at, at + argumentsMax))
  return btoa(text)
}
