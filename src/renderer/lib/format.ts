/** Figures, times and ids as people read them. Pure but for the machine's time zone. */

const oneDigit = (value: number): string => (value < 10 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value).toString())

/** Milliseconds with a unit that keeps the figure short: "0.42 ms", "12 ms", "1.3 s", "2 min". Null: a dash. */
export function formatDuration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return '–'
  if (ms < 0) return `−${formatDuration(-ms)}`
  if (ms === 0) return '0 ms'
  if (ms < 1) return `${ms.toFixed(2)} ms`
  if (ms < 999.5) return `${oneDigit(ms)} ms`
  if (ms < 60_000) return `${oneDigit(ms / 1_000)} s`
  if (ms < 3_600_000) return `${oneDigit(ms / 60_000)} min`
  return `${oneDigit(ms / 3_600_000)} h`
}

/** Time since a start, in hundredths of a second where that is long enough to matter: "3.04 s". */
export const formatElapsed = (ms: number): string => (ms >= 999.5 && ms < 60_000 ? `${(ms / 1_000).toFixed(2)} s` : formatDuration(ms))

/** Bytes in binary units: "512 B", "38 MiB". */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return '–'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024
    unit += 1
  }
  return `${unit === 0 ? value : oneDigit(value)} ${units[unit] ?? ''}`
}

/** 0..1 -> "37 %". */
export const formatShare = (share: number): string => `${Math.round(share * 100)} %`

/** A count-down or elapsed time: "0:42", "1:02:03". Negative counts as 0. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  const pad = (value: number): string => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3_600)
  const minutes = Math.floor((seconds % 3_600) / 60)
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`
}

/** Time of day with thousandths: "14:02:11.083"; in UTC with a trailing Z. Invalid times give a dash. */
export function formatTime(ms: number, utc = false): string {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return '–'
  if (utc) return `${date.toISOString().slice(11, 23)}Z`
  const pad = (value: number, size = 2): string => String(value).padStart(size, '0')
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`
}

/** Time of day to the second: local, or UTC with its Z. */
export const formatTimeOfDay = (ms: number, utc = false): string => formatTime(ms, utc).replace(/\.\d+/, '')

/** Date and time with zone, for titles and details. */
export function formatMoment(ms: number, locale: string, utc = false): string {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return '–'
  if (utc) return date.toISOString().replace('T', ' ').replace('Z', ' UTC')
  return new Intl.DateTimeFormat(locale, {
    year: 'numeric',
    month: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
    timeZoneName: 'short',
  }).format(date)
}

/** How long ago, coarse: "now", "12 s", "3 min", "2 h". The words around it are the caller's. */
export function formatAge(ms: number): string {
  if (ms < 60_000) return `${Math.max(0, Math.round(ms / 1_000))} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`
  return `${Math.floor(ms / 86_400_000)} d`
}

/** First digits of a digest or key; an ellipsis says that there are more. */
export const shortDigest = (digest: string, digits = 8): string => (digest.length > digits ? `${digest.slice(0, digits)}…` : digest)

/** Text on one line and of bounded length, control characters made visible; says when it was cut by ending in an ellipsis. */
export function oneLine(text: string, charsMax = 120): string {
  const head = text.slice(0, charsMax + 1).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => (/\s/.test(char) ? '␣' : '�'))
  return head.length > charsMax ? `${head.slice(0, charsMax)}…` : head
}

/**
 * Text as it is, but for what could make it look like another: control characters as their pictures, characters that turn the direction of
 * writing or have no width by their number. Line ends stay.
 */
export const visible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0
    if (char === '\n') return char
    return code < 0x20 ? String.fromCodePoint(0x2400 + code) : `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`
  })

/** Replica ids for reading: "r0, r2". */
export const replicaNames = (ids: readonly number[]): string => ids.map((id) => `r${id}`).join(', ')
