/** Errors of the file system, which an operator can do something about, told apart from defects. */
import { fail, type Result } from '../contract/result.ts'

/** A `storage` error that names the file and what the system says; null when `error` is none of the file system's. */
export const storageError = (error: unknown): Result<never> | null => {
  if (!(error instanceof Error)) return null
  const { syscall, path } = error as NodeJS.ErrnoException
  return syscall === undefined || path === undefined ? null : fail('storage', error.message)
}
