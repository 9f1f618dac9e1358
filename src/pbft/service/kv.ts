/** The key-value store: text to text. */
import type { UndoLog } from '../protocol/undo-log.ts'
import { textBytes, textUnitsMax, type FieldReader, type FieldWriter } from './fields.ts'
import type { Operation } from './operations.ts'
import { PartitionedMap, type ValueFormat } from './partitioned-map.ts'
import type { OperationResult } from './results.ts'

export type KvOperation = Extract<Operation, { key: string }>
export type KvMap = PartitionedMap<string>

const textFormat: ValueFormat<string> = {
  bytes: textBytes,
  write: (writer: FieldWriter, value: string) => writer.text(value),
  read: (reader: FieldReader) => reader.text(0, textUnitsMax),
}

export const createKvMap = (partitionCount: number, undo: UndoLog): KvMap => new PartitionedMap(partitionCount, textFormat, undo)

export function executeKv(map: KvMap, operation: KvOperation): OperationResult {
  switch (operation.type) {
    case 'put':
      return put(map, operation.key, operation.value, null)
    case 'get':
      return { ok: true, value: map.get(operation.key) ?? null }
    case 'delete': {
      const value = map.get(operation.key) ?? null
      map.delete(operation.key)
      return { ok: true, value }
    }
    case 'cas': {
      const value = map.get(operation.key) ?? null
      if (value !== operation.old) return { ok: false, error: 'mismatch', value }
      return put(map, operation.key, operation.new, operation.new)
    }
    case 'incr':
      return increment(map, operation.key, operation.n)
  }
}

function put(map: KvMap, key: string, value: string, answer: string | number | null): OperationResult {
  return map.set(key, value) ? { ok: true, value: answer } : { ok: false, error: 'full' }
}

function increment(map: KvMap, key: string, n: number): OperationResult {
  const stored = map.get(key) ?? '0'
  const number = Number(stored)
  // Only the one decimal form of a safe integer counts as a number: no blanks, exponents, leading zeros or minus zero.
  if (!Number.isSafeInteger(number) || String(number) !== stored) return { ok: false, error: 'not-a-number' }
  const sum = number + n
  if (!Number.isSafeInteger(sum)) return { ok: false, error: 'overflow' }
  return put(map, key, String(sum), sum)
}
