/** The log's filter as a predicate. Pure. */
import type { LogFilter } from '../../contract/api.ts'
import type { LogRequest } from '../../contract/model.ts'

interface Matched {
  readonly seq: number
  readonly timeMs: number
  readonly digest: string
  readonly requests: readonly LogRequest[]
}

/** `/.../` as a regular expression, case-insensitive; null when it is none (or not meant as one). */
const regexOf = (text: string): RegExp | null => {
  if (text.length < 3 || !text.startsWith('/') || !text.endsWith('/')) return null
  try {
    return new RegExp(text.slice(1, -1), 'i')
  } catch {
    return null
  }
}

/** Whether it has an expression, whose matching can take for ever: it belongs into a process that may be interrupted. */
export const hasRegex = ({ text }: LogFilter): boolean => text !== undefined && regexOf(text) !== null

/** What is wrong with a filter, in one sentence; null when nothing is. */
export const filterProblem = (filter: LogFilter): string | null => {
  const text = filter.text ?? ''
  return text.length >= 3 && text.startsWith('/') && text.endsWith('/') && regexOf(text) === null
    ? `${text} is no regular expression`
    : null
}

/** Whether an entry passes: its seq or digest has the text, or one of its requests meets every condition. */
export const matcherOf = (filter: LogFilter): ((entry: Matched) => boolean) => {
  const { text, client, types } = filter
  const regex = text === undefined ? null : regexOf(text)
  const lower = text?.toLowerCase() ?? ''
  const hasText = (value: string): boolean => (regex === null ? value.toLowerCase().includes(lower) : regex.test(value))
  const anyRequest = (text === undefined || text === '') && client === undefined && types === undefined
  const { from = -Infinity, to = Infinity } = filter
  const timed = filter.from !== undefined || filter.to !== undefined
  const inTime = ({ timeMs }: Matched): boolean => !timed || (timeMs > 0 && timeMs >= from && timeMs < to)
  if (anyRequest) return inTime
  return (entry) => {
    if (!inTime(entry)) return false
    const byEntry = hasText(String(entry.seq)) || hasText(entry.digest)
    return entry.requests.some(
      (request) =>
        (client === undefined || request.client === client) &&
        (types === undefined || types.includes(request.operation.type)) &&
        (byEntry || hasText(request.client) || wordsOf(request).some(hasText)),
    )
  }
}

/** Keys, values and accounts of an operation: all of its fields but the type. */
const wordsOf = (request: LogRequest): string[] =>
  Object.entries(request.operation)
    .filter(([name, value]) => name !== 'type' && value !== null)
    .map(([, value]) => String(value))
