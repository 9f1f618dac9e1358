/** Operations and results of the key-value store and the ledger, and their bytes. One encoding each. */
import { FieldReader, FieldWriter, integerBytes, textBytes, textUnitsMax, type NarrowText } from './fields.ts'

/** Keys and account names, in UTF-16 units; at least 1. */
export const keyUnitsMax = 1_024

export type Operation =
  | { type: 'put'; key: string; value: string }
  | { type: 'get'; key: string }
  | { type: 'delete'; key: string }
  /** Puts `new` when the value is `old` (null: when there is none). */
  | { type: 'cas'; key: string; old: string | null; new: string }
  /** Adds n to the integer at key, 0 when there is none. */
  | { type: 'incr'; key: string; n: number }
  | { type: 'open'; account: string; balance: number }
  | { type: 'transfer'; from: string; to: string; amount: number }
  | { type: 'balance'; account: string }
  | { type: 'total' }

/** Bytes that are no operation are ordered and answered (with an error) all the same. */
export type DecodedOperation = Operation | { readonly type: 'unknown'; readonly hex: string }

const tags = { put: 1, get: 2, delete: 3, cas: 4, incr: 5, open: 16, transfer: 17, balance: 18, total: 19 } as const satisfies Record<
  Operation['type'],
  number
>

/** Throws a RangeError for keys, values and amounts outside their bounds: they are checked where people enter them. */
export function encodeOperation(operation: Operation): Uint8Array {
  if (!isWithinBounds(operation)) throw new RangeError(`${operation.type}: a key, value or amount is out of bounds`)
  const writer = new FieldWriter(encodedLength(operation))
  writer.byte(tags[operation.type])
  switch (operation.type) {
    case 'put':
      writer.text(operation.key)
      writer.text(operation.value)
      break
    case 'get':
    case 'delete':
      writer.text(operation.key)
      break
    case 'cas':
      writer.text(operation.key)
      writer.byte(operation.old === null ? 0 : 1)
      if (operation.old !== null) writer.text(operation.old)
      writer.text(operation.new)
      break
    case 'incr':
      writer.text(operation.key)
      writer.integer(operation.n)
      break
    case 'open':
      writer.text(operation.account)
      writer.integer(operation.balance)
      break
    case 'transfer':
      writer.text(operation.from)
      writer.text(operation.to)
      writer.integer(operation.amount)
      break
    case 'balance':
      writer.text(operation.account)
      break
    case 'total':
      break
  }
  return writer.bytes
}

/** Total: what is no canonical operation comes back as `unknown` with its bytes in hex. */
export function decodeOperation(bytes: Uint8Array): DecodedOperation {
  return parseOperation(bytes) ?? { type: 'unknown', hex: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') }
}

/** Null for bytes that are no canonical operation. `narrow`: how the platform reads text that is not wide. */
export function parseOperation(bytes: Uint8Array, narrow?: NarrowText): Operation | null {
  const reader = new FieldReader(bytes, narrow)
  const operation = readOperation(reader)
  return operation !== null && reader.complete && isWithinBounds(operation) ? operation : null
}

/** Whether the operation is answered without being ordered when the client asks for a read. */
export function isReadOperation(operation: DecodedOperation): boolean {
  return operation.type === 'get' || operation.type === 'balance' || operation.type === 'total'
}

function readOperation(reader: FieldReader): Operation | null {
  switch (reader.byte()) {
    case tags.put:
      return { type: 'put', key: readKey(reader), value: readValue(reader) }
    case tags.get:
      return { type: 'get', key: readKey(reader) }
    case tags.delete:
      return { type: 'delete', key: readKey(reader) }
    case tags.cas:
      return { type: 'cas', key: readKey(reader), old: readOld(reader), new: readValue(reader) }
    case tags.incr:
      return { type: 'incr', key: readKey(reader), n: reader.integer() }
    case tags.open:
      return { type: 'open', account: readKey(reader), balance: reader.integer() }
    case tags.transfer:
      return { type: 'transfer', from: readKey(reader), to: readKey(reader), amount: reader.integer() }
    case tags.balance:
      return { type: 'balance', account: readKey(reader) }
    case tags.total:
      return { type: 'total' }
    default:
      return null
  }
}

const readKey = (reader: FieldReader): string => reader.text(1, keyUnitsMax)
const readValue = (reader: FieldReader): string => reader.text(0, textUnitsMax)

function readOld(reader: FieldReader): string | null {
  const present = reader.byte()
  if (present > 1) reader.fail()
  return present === 1 ? readValue(reader) : null
}

const isKey = (key: string): boolean => key.length >= 1 && key.length <= keyUnitsMax
const isValue = (value: string): boolean => value.length <= textUnitsMax

function isWithinBounds(operation: Operation): boolean {
  switch (operation.type) {
    case 'put':
      return isKey(operation.key) && isValue(operation.value)
    case 'get':
    case 'delete':
      return isKey(operation.key)
    case 'cas':
      return isKey(operation.key) && isValue(operation.new) && (operation.old === null || isValue(operation.old))
    case 'incr':
      return isKey(operation.key) && Number.isSafeInteger(operation.n)
    case 'open':
      return isKey(operation.account) && Number.isSafeInteger(operation.balance) && operation.balance >= 0
    case 'transfer':
      return isKey(operation.from) && isKey(operation.to) && Number.isSafeInteger(operation.amount) && operation.amount >= 1
    case 'balance':
      return isKey(operation.account)
    case 'total':
      return true
  }
}

function encodedLength(operation: Operation): number {
  switch (operation.type) {
    case 'put':
      return 1 + textBytes(operation.key) + textBytes(operation.value)
    case 'get':
    case 'delete':
      return 1 + textBytes(operation.key)
    case 'cas':
      return 2 + textBytes(operation.key) + (operation.old === null ? 0 : textBytes(operation.old)) + textBytes(operation.new)
    case 'incr':
      return 1 + textBytes(operation.key) + integerBytes
    case 'open':
      return 1 + textBytes(operation.account) + integerBytes
    case 'transfer':
      return 1 + textBytes(operation.from) + textBytes(operation.to) + integerBytes
    case 'balance':
      return 1 + textBytes(operation.account)
    case 'total':
      return 1
  }
}
