/** The bank ledger: accounts with balances that are never negative, and the sum of them all. */
import type { UndoLog } from '../protocol/undo-log.ts'
import { FieldReader, FieldWriter, integerBytes } from './fields.ts'
import type { Operation } from './operations.ts'
import { PartitionedMap, type ValueFormat } from './partitioned-map.ts'
import type { OperationResult } from './results.ts'

export type LedgerOperation = Exclude<Operation, { key: string }>

const balanceFormat: ValueFormat<number> = {
  bytes: () => integerBytes,
  write: (writer: FieldWriter, value: number) => writer.integer(value),
  read: (reader: FieldReader) => {
    const balance = reader.integer()
    if (balance < 0) reader.fail()
    return balance
  },
}

const noSuchAccount: OperationResult = { ok: false, error: 'no-such-account' }
const overflow: OperationResult = { ok: false, error: 'overflow' }

/** The last of its partitions holds the total, the others the accounts. */
export class Ledger {
  #accounts: PartitionedMap<number>
  readonly #totalPartition: number
  readonly #undo: UndoLog
  #total = 0
  #totalDirty = false

  constructor(partitionCount: number, undo: UndoLog) {
    this.#totalPartition = partitionCount - 1
    this.#undo = undo
    this.#accounts = new PartitionedMap(partitionCount - 1, balanceFormat, undo)
  }

  /** A copy that goes its own way. */
  copy(undo: UndoLog): Ledger {
    const ledger = new Ledger(this.#totalPartition + 1, undo)
    ledger.#accounts = this.#accounts.copy(undo)
    ledger.#total = this.#total
    ledger.#totalDirty = this.#totalDirty
    return ledger
  }

  execute(operation: LedgerOperation): OperationResult {
    switch (operation.type) {
      case 'open':
        return this.#open(operation.account, operation.balance)
      case 'transfer':
        return this.#transfer(operation.from, operation.to, operation.amount)
      case 'balance': {
        const value = this.#accounts.get(operation.account)
        return value === undefined ? noSuchAccount : { ok: true, value }
      }
      case 'total':
        return { ok: true, value: this.#total }
    }
  }

  takeDirty(): number[] {
    const list = this.#accounts.takeDirty()
    if (this.#totalDirty) list.push(this.#totalPartition)
    this.#totalDirty = false
    return list
  }

  save(index: number): Uint8Array {
    if (index !== this.#totalPartition) return this.#accounts.save(index)
    if (this.#total === 0) return new Uint8Array(0)
    const writer = new FieldWriter(integerBytes)
    writer.integer(this.#total)
    return writer.bytes
  }

  /** Accounts of a partition that are not in both ledgers with the same balance, ascending; null: it is the one of the total. */
  differingAccounts(index: number, other: Ledger): string[] | null {
    return index === this.#totalPartition ? null : this.#accounts.differingKeys(index, other.#accounts)
  }

  load(index: number, bytes: Uint8Array): boolean {
    if (index !== this.#totalPartition) return this.#accounts.load(index, bytes)
    const reader = new FieldReader(bytes)
    const total = reader.more ? reader.integer() : 0
    // Nothing is zero's one form.
    if (!reader.complete || total < 0 || (total === 0 && bytes.length > 0)) return false
    this.#total = total
    this.#totalDirty = true
    return true
  }

  #open(account: string, balance: number): OperationResult {
    if (this.#accounts.get(account) !== undefined) return { ok: false, error: 'account-exists' }
    // All balances add up to the total, so no transfer can overflow either.
    if (!Number.isSafeInteger(this.#total + balance)) return overflow
    if (!this.#accounts.set(account, balance)) return { ok: false, error: 'full' }
    const before = this.#total
    if (this.#undo.isOpen) this.#undo.note(() => void (this.#total = before))
    this.#total += balance
    this.#totalDirty ||= balance > 0
    return { ok: true, value: balance }
  }

  #transfer(from: string, to: string, amount: number): OperationResult {
    const source = this.#accounts.get(from)
    const target = this.#accounts.get(to)
    if (source === undefined || target === undefined) return noSuchAccount
    if (source < amount) return { ok: false, error: 'insufficient-funds', value: source }
    if (from === to) return { ok: true, value: source }
    this.#accounts.set(from, source - amount)
    this.#accounts.set(to, target + amount)
    return { ok: true, value: source - amount }
  }
}
