/** The key-value store and the ledger as a sequential object, said independently of `pbft/service`. */
import type { Operation, OperationResult } from '../../service/index.ts'
import type { SequentialObject } from './linearizability.ts'

type Outcome = { state: string; result: OperationResult }

/** Each key is a part of its own (its state: the value, or nothing); the whole ledger is one (its state: JSON of the balances). */
export const serviceObject: SequentialObject<Operation, OperationResult> = {
  initial: '',
  partOf: (operation) => ('key' in operation ? `key ${operation.key}` : 'ledger'),
  apply: (state, operation) => ('key' in operation ? applyToKey(state, operation) : applyToLedger(state, operation)),
  isEqual: (a, b) => JSON.stringify(a) === JSON.stringify(b),
}

/** A present value is stored behind a mark, so that the empty text is not nothing. */
const stored = (value: string): string => `=${value}`
const failure = (state: string, error: (OperationResult & { ok: false })['error']): Outcome => ({ state, result: { ok: false, error } })

function applyToKey(state: string, operation: Extract<Operation, { key: string }>): Outcome {
  const value = state === '' ? null : state.slice(1)
  switch (operation.type) {
    case 'put':
      return { state: stored(operation.value), result: { ok: true, value: null } }
    case 'get':
      return { state, result: { ok: true, value } }
    case 'delete':
      return { state: '', result: { ok: true, value } }
    case 'cas':
      if (value !== operation.old) return { state, result: { ok: false, error: 'mismatch', value } }
      return { state: stored(operation.new), result: { ok: true, value: operation.new } }
    case 'incr': {
      if (value !== null && !/^(0|-?[1-9][0-9]{0,14})$/.test(value)) return failure(state, 'not-a-number')
      const sum = Number(value ?? '0') + operation.n
      return { state: stored(String(sum)), result: { ok: true, value: sum } }
    }
  }
}

function applyToLedger(state: string, operation: Exclude<Operation, { key: string }>): Outcome {
  const balances = new Map<string, number>(state === '' ? [] : (JSON.parse(state) as [string, number][]))
  const save = (): string => JSON.stringify([...balances].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  switch (operation.type) {
    case 'open':
      if (balances.has(operation.account)) return failure(state, 'account-exists')
      balances.set(operation.account, operation.balance)
      return { state: save(), result: { ok: true, value: operation.balance } }
    case 'transfer': {
      const from = balances.get(operation.from)
      const to = balances.get(operation.to)
      if (from === undefined || to === undefined) return failure(state, 'no-such-account')
      if (from < operation.amount) return { state, result: { ok: false, error: 'insufficient-funds', value: from } }
      if (operation.from === operation.to) return { state, result: { ok: true, value: from } }
      balances.set(operation.from, from - operation.amount)
      balances.set(operation.to, to + operation.amount)
      return { state: save(), result: { ok: true, value: from - operation.amount } }
    }
    case 'balance': {
      const value = balances.get(operation.account)
      return value === undefined ? failure(state, 'no-such-account') : { state, result: { ok: true, value } }
    }
    case 'total':
      return { state, result: { ok: true, value: [...balances.values()].reduce((sum, balance) => sum + balance, 0) } }
  }
}
