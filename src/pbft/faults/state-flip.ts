/** Silent divergence: one byte of a replica's state changes, as by a broken memory, and nothing notices until the next checkpoint. */
import type { Service } from '../protocol/service.ts'

/**
 * Flips the lowest bit of one byte in the first partition that has any state and takes it (its bytes must stay canonical); the last byte
 * that can, so that a value changes rather than a length. Returns the partition, or null when there is no state to spoil.
 */
export const flipStateByte = (service: Service): number | null => {
  for (let index = 0; index < service.partitionCount; index++) {
    const bytes = service.savePartition(index)
    for (let at = bytes.length - 1; at >= 0; at--) {
      const flipped = bytes.slice()
      flipped[at] = (flipped[at] as number) ^ 1
      if (service.loadPartition(index, flipped)) return index
    }
  }
  return null
}
