/** Whole numbers out of command line arguments. */
import { UsageError } from './output.ts'

/** Reads a whole number within bounds. Throws a `UsageError` that names the option. */
export const wholeNumber =
  (name: string, min: number, max: number) =>
  (text: string): number => {
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new UsageError(`${name} must be a whole number from ${min} to ${max}, not "${text}".`)
  }

/** How many replicas a cluster may have: 1 for development, or at least 4. Throws a `UsageError`. */
export const replicaCount = (text: string): number => {
  const value = wholeNumber('--replicas', 1, 100)(text)
  if (value === 1 || value >= 4) return value
  throw new UsageError(`--replicas must be 1 (development) or at least 4, not ${value}: fewer tolerate no fault.`)
}
