/**
 * What the clients of a torture run ask for. Keys and accounts come in groups; each group is used for a while and then never
 * again, so that the histories of single keys stay short enough to be decided by a search, however long the run is.
 */
import type { Operation, OperationResult } from '../../src/pbft/service/index.ts'
import { serviceObject, type Random, type SequentialObject } from '../../src/pbft/sim/index.ts'

const operationsPerGroup = 800
const keysPerGroup = 3
const countersPerGroup = 2
const accountsPerGroup = 4
export const openingBalance = 100

export interface Drawn {
  readonly operation: Operation
  readonly readOnly: boolean
}

export interface Workload {
  /** These come first, before anything is disturbed: all money there will ever be. */
  readonly openings: readonly Operation[]
  readonly totalBalance: number
  next(client: string): Drawn
  /** What clients saw at keys, so that some comparisons match. */
  saw(operation: Operation, result: OperationResult): void
}

const accountOf = (group: number, index: number): string => `${group}/${'abcdefgh'.charAt(index)}`

/** `groups`: how many there are; afterwards it begins again with the first. */
export const createWorkload = (random: Random, groups: number): Workload => {
  let issued = 0
  const seen = new Map<string, string | null>()
  const key = (group: number): string => `${group}/k${random.whole(1, keysPerGroup)}`
  const counter = (group: number): string => `${group}/n${random.whole(1, countersPerGroup)}`
  const account = (group: number): string => accountOf(group, random.whole(0, accountsPerGroup - 1))

  const write = (group: number, unique: string): Operation => {
    const place = key(group)
    switch (random.whole(0, 6)) {
      case 0:
      case 1:
        return { type: 'put', key: place, value: unique.padEnd(random.pick([0, 100]), '.') }
      case 2:
        return { type: 'delete', key: place }
      case 3:
        return { type: 'cas', key: place, old: seen.get(place) ?? null, new: unique }
      case 4:
      case 5:
        return { type: 'incr', key: counter(group), n: random.whole(-2, 5) }
      default:
        return { type: 'transfer', from: account(group), to: account(group), amount: random.whole(1, 60) }
    }
  }
  const read = (group: number): Operation => {
    switch (random.whole(0, 5)) {
      case 0:
        return { type: 'balance', account: account(group) }
      case 1:
        return { type: 'total' }
      case 2:
        return { type: 'get', key: counter(group) }
      default:
        return { type: 'get', key: key(group) }
    }
  }

  return {
    openings: Array.from({ length: groups * accountsPerGroup }, (_, i) => ({
      type: 'open' as const,
      account: accountOf(Math.floor(i / accountsPerGroup), i % accountsPerGroup),
      balance: openingBalance,
    })),
    totalBalance: groups * accountsPerGroup * openingBalance,
    next(client) {
      const group = Math.floor(issued / operationsPerGroup) % groups
      issued += 1
      if (random.chance(0.6)) return { operation: write(group, `${client}:${issued}`), readOnly: false }
      return { operation: read(group), readOnly: random.chance(0.6) }
    },
    saw(operation, result) {
      if (operation.type === 'get' && result.ok) seen.set(operation.key, typeof result.value === 'string' ? result.value : null)
    },
  }
}

/** The service as a sequential object of which every group of accounts is a part of its own (`total` is judged by itself). */
export const groupedObject: SequentialObject<Operation, OperationResult> = {
  ...serviceObject,
  partOf(operation) {
    if ('key' in operation || operation.type === 'total') return serviceObject.partOf(operation)
    const name = operation.type === 'transfer' ? operation.from : operation.account
    return `ledger ${name.slice(0, name.indexOf('/'))}`
  },
}
