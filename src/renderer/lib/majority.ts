/** The value that occurs most often; the first of several that do. Undefined when there is none. */
export function majorityOf<T>(values: readonly T[]): T | undefined {
  const counts = new Map<T, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  let best: T | undefined
  let most = 0
  for (const [value, count] of counts) {
    if (count <= most) continue
    best = value
    most = count
  }
  return best
}
