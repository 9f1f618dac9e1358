/**
 * The leave to begin: a file beside the replica's key, written once by whoever makes the cluster. A replica with an empty disk may
 * begin with nothing only by it, and takes it away before it promises anything: a disk that is empty later was lost.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Persisted } from '../pbft/protocol/records.ts'
import type { DiskOrigin } from '../pbft/protocol/steps.ts'
import { StorageError } from './storage.ts'

export interface Genesis {
  /** What a start with this disk is. */
  originOf(persisted: Persisted): DiskOrigin
  /** The first record is durable: takes the leave away, for good, before it returns. Throws StorageError. */
  used(): void
}

export const createGenesis = (file: string): Genesis => ({
  originOf({ records }) {
    if (records.length > 0) return 'kept'
    return existsSync(file) ? 'genesis' : 'lost'
  },
  used() {
    if (!existsSync(file)) return
    try {
      rmSync(file)
      // Its absence has to survive a power failure, as the record does.
      const folder = openSync(dirname(file), 'r')
      try {
        fsyncSync(folder)
      } finally {
        closeSync(folder)
      }
    } catch (error) {
      throw new StorageError('failed', `${file} cannot be taken away: ${error instanceof Error ? error.message : String(error)}`, error)
    }
  },
})
