/** What the service answers, and its bytes. */
import { FieldReader, FieldWriter, integerBytes, textBytes, textUnitsMax } from './fields.ts'

/** In the order of their bytes: 1 for the first. */
const errorCodes = [
  'not-an-operation',
  'not-a-number',
  'overflow',
  'mismatch',
  'account-exists',
  'no-such-account',
  'insufficient-funds',
  'full',
  'too-large',
  'expired',
  'clock-ahead',
] as const
export type OperationErrorCode = (typeof errorCodes)[number]

/**
 * `value` by operation: get and delete: what is or was stored, null for nothing; put: null; cas: the new value, or with `mismatch`
 * the stored one; incr: the new number; open, transfer (of the sender), balance: the balance; total: the sum of all balances.
 */
export type OperationResult =
  | { readonly ok: true; readonly value: string | number | null }
  | { readonly ok: false; readonly error: OperationErrorCode; readonly value?: string | number | null }

const okStatus = 0
const valueTags = { absent: 0, null: 1, text: 2, integer: 3 } as const

/** What every put is answered. */
const done = Uint8Array.of(okStatus, valueTags.null)

/** The canonical bytes, which must not change any more. Throws a RangeError for a number that is no safe integer. */
export function encodeResult(result: OperationResult): Uint8Array {
  const value = result.value
  if (result.ok && value === null) return done
  const length = typeof value === 'string' ? textBytes(value) : typeof value === 'number' ? integerBytes : 0
  const writer = new FieldWriter(2 + length)
  writer.byte(result.ok ? okStatus : 1 + errorCodes.indexOf(result.error))
  if (value === undefined) writer.byte(valueTags.absent)
  else if (value === null) writer.byte(valueTags.null)
  else if (typeof value === 'string') {
    writer.byte(valueTags.text)
    writer.text(value)
  } else {
    writer.byte(valueTags.integer)
    writer.integer(value)
  }
  return writer.bytes
}

/** Null for bytes that are no result of this service. */
export function decodeResult(bytes: Uint8Array): OperationResult | null {
  const reader = new FieldReader(bytes)
  const status = reader.byte()
  const value = readValue(reader)
  if (!reader.complete) return null
  if (status === okStatus) return value === undefined ? null : { ok: true, value }
  const error = errorCodes[status - 1]
  if (error === undefined) return null
  return value === undefined ? { ok: false, error } : { ok: false, error, value }
}

function readValue(reader: FieldReader): string | number | null | undefined {
  switch (reader.byte()) {
    case valueTags.absent:
      return undefined
    case valueTags.null:
      return null
    case valueTags.text:
      return reader.text(0, textUnitsMax)
    case valueTags.integer:
      return reader.integer()
    default:
      reader.fail()
      return undefined
  }
}
