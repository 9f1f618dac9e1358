/**
 * How commands end and what they print. stdout is for the answer (with `--json` one machine-readable value), stderr for words
 * about it. Exit codes: 0 success, 1 it ran and the answer is no, 2 wrong use or bad input.
 */
import type { ErrorCode, PanelError } from '../contract/result.ts'

export const exitCodes = { success: 0, no: 1, usage: 2 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Wrong use or bad input: one clear line on stderr, exit code 2. */
export class UsageError extends Error {}

/** A command ran and failed; ends with the exit code that fits the error's code. */
export class CommandError extends Error {
  readonly error: PanelError
  constructor(error: PanelError) {
    super(error.message)
    this.error = error
  }
}

const badInput = new Set<ErrorCode>([
  ...(['bad-request', 'bad-manifest', 'bad-run', 'bad-operation', 'not-found', 'cluster-exists', 'unauthorized'] as const),
])

export const exitCodeOf = (error: unknown): ExitCode => {
  if (error instanceof UsageError) return exitCodes.usage
  return error instanceof CommandError && badInput.has(error.error.code) ? exitCodes.usage : exitCodes.no
}

export const print = (line: string): void => void process.stdout.write(`${line}\n`)
export const printJson = (value: unknown): void => print(JSON.stringify(value))
export const note = (line: string): void => void process.stderr.write(`${line}\n`)
