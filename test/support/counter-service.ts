/** A tiny replicated service for protocol tests: one counter per partition. Operation: [partition, amount]; result: the sum as 4 bytes. */
import { UndoLog } from '../../src/pbft/protocol/undo-log.ts'
import type { Service } from '../../src/pbft/protocol/service.ts'

export const COUNTERS = 40

const encode = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

export const readCounter = (result: Uint8Array): number => new DataView(result.buffer, result.byteOffset, 4).getUint32(0)

/** Adds `amount` to a counter; 0 reads it. */
export const add = (partition: number, amount = 1): Uint8Array => new Uint8Array([partition, amount])

export interface CounterService extends Service {
  readonly counters: number[]
}

export const createCounterService = (): CounterService => {
  const counters = new Array<number>(COUNTERS).fill(0)
  const dirty = new Set<number>()
  const undo = new UndoLog()
  const at = (operation: Uint8Array): number => (operation[0] ?? 0) % COUNTERS
  return {
    counters,
    refusal: (reason) => new Uint8Array(reason === 'expired' ? 5 : 6),
    partitionCount: COUNTERS,
    execute(operation) {
      const index = at(operation)
      const before = counters[index] ?? 0
      undo.note(() => void (counters[index] = before))
      const sum = (counters[index] ?? 0) + (operation[1] ?? 0)
      counters[index] = sum
      dirty.add(index)
      return encode(sum)
    },
    takingBack: (body) => undo.takingBack(body),
    query: (operation) => (operation[1] === 0 ? encode(counters[at(operation)] ?? 0) : null),
    takeDirtyPartitions() {
      const taken = [...dirty].sort((a, b) => a - b)
      dirty.clear()
      return taken
    },
    savePartition(index) {
      const value = counters[index] ?? 0
      return value === 0 ? new Uint8Array(0) : encode(value)
    },
    loadPartition(index, bytes) {
      if (bytes.length !== 0 && bytes.length !== 4) return false
      counters[index] = bytes.length === 0 ? 0 : readCounter(bytes)
      return true
    },
  }
}
