/** Operations of the replicated services as people write them; `pbft/service` turns them into bytes. */
import * as v from 'valibot'

/** Keys, values and account names: any text up to these many UTF-16 units. */
export const keyCharsMax = 1_024
export const valueCharsMax = 1_048_576

const key = v.pipe(v.string(), v.minLength(1), v.maxLength(keyCharsMax))
const value = v.pipe(v.string(), v.maxLength(valueCharsMax))
const amount = v.pipe(v.number(), v.safeInteger())
const positive = v.pipe(amount, v.minValue(1))

export const operationSchema = v.variant('type', [
  v.strictObject({ type: v.literal('put'), key, value }),
  v.strictObject({ type: v.literal('get'), key }),
  v.strictObject({ type: v.literal('delete'), key }),
  /** Puts `new` when the value is `old` (null: when there is none). */
  v.strictObject({ type: v.literal('cas'), key, old: v.nullable(value), new: value }),
  /** Adds n (may be negative) to the integer at key, 0 when there is none. */
  v.strictObject({ type: v.literal('incr'), key, n: amount }),
  v.strictObject({ type: v.literal('open'), account: key, balance: v.pipe(amount, v.minValue(0)) }),
  v.strictObject({ type: v.literal('transfer'), from: key, to: key, amount: positive }),
  v.strictObject({ type: v.literal('balance'), account: key }),
  v.strictObject({ type: v.literal('total') }),
])
export type Operation = v.InferOutput<typeof operationSchema>
export type OperationType = Operation['type']

/** Bytes that decode to no operation (they were ordered all the same) show as `unknown`. */
export type DecodedOperation = Operation | { readonly type: 'unknown'; readonly hex: string }

/** full: the part of the store that the key falls into takes no more bytes. too-large: the answers of its batch took all the room. expired: it may have been executed
 * long ago and forgotten, so it was not executed now. clock-ahead: the client's clock is a day or more ahead, so it was not executed. */
export type OperationErrorCode =
  | 'not-an-operation'
  | 'not-a-number'
  | 'overflow'
  | 'mismatch'
  | 'account-exists'
  | 'no-such-account'
  | 'insufficient-funds'
  | 'full'
  | 'too-large'
  | 'expired'
  | 'clock-ahead'

/** What the service answered. `value` is null where nothing is stored. */
export type OperationResult =
  | { readonly ok: true; readonly value: string | number | null }
  | { readonly ok: false; readonly error: OperationErrorCode; readonly value?: string | number | null }

/** These are answered without being ordered when the client asks for a read. */
export const readOperations: readonly OperationType[] = ['get', 'balance', 'total']
