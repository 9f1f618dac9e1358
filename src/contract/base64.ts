/** Base64 in plain TypeScript: this room runs in pages, in Node and in tests alike. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const values = new Uint8Array(128).fill(255)
for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i

/** The bytes of padded base64; null when it is none. */
export const bytesOfBase64 = (text: string): Uint8Array | null => {
  if (text.length % 4 !== 0) return null
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  const end = text.length - padding
  let bits = 0
  let held = 0
  let at = 0
  for (let i = 0; i < end; i++) {
    const value = values[text.charCodeAt(i)] ?? 255
    if (value === 255) return null
    held = ((held << 6) | value) & 0xffffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (held >> bits) & 0xff
  }
  return bytes
}
