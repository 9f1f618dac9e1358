import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asClientId } from '../../../src/pbft/protocol/ids.ts'
import type { Service } from '../../../src/pbft/protocol/service.ts'
import {
  createService,
  decodeResult,
  encodeOperation,
  isReadOperation,
  partitionBytesMax,
  type Operation,
  type OperationResult,
} from '../../../src/pbft/service/index.ts'
import { operations } from '../../support/operation-arbitraries.ts'

const partitionsOf = (service: Service): string[] =>
  Array.from({ length: service.partitionCount }, (_, index) => Buffer.from(service.savePartition(index)).toString('hex'))

const context = { client: asClientId('test/1'), timeMs: 0, resultBytesMax: 8_388_608 }
const run = (service: Service, operation: Operation): OperationResult | null =>
  decodeResult(service.execute(encodeOperation(operation), context))

/** What the operations mean, said as simply as possible. */
function createModel(): (operation: Operation) => OperationResult {
  const store = new Map<string, string>()
  const accounts = new Map<string, number>()
  const total = (): bigint => [...accounts.values()].reduce((sum, balance) => sum + BigInt(balance), 0n)
  const error = (code: (OperationResult & { ok: false })['error']): OperationResult => ({ ok: false, error: code })
  return (operation) => {
    switch (operation.type) {
      case 'put':
        store.set(operation.key, operation.value)
        return { ok: true, value: null }
      case 'get':
        return { ok: true, value: store.get(operation.key) ?? null }
      case 'delete': {
        const value = store.get(operation.key) ?? null
        store.delete(operation.key)
        return { ok: true, value }
      }
      case 'cas': {
        const value = store.get(operation.key) ?? null
        if (value !== operation.old) return { ok: false, error: 'mismatch', value }
        store.set(operation.key, operation.new)
        return { ok: true, value: operation.new }
      }
      case 'incr': {
        const text = store.get(operation.key) ?? '0'
        if (!/^(0|-?[1-9][0-9]*)$/.test(text) || !Number.isSafeInteger(Number(text))) return error('not-a-number')
        const sum = BigInt(text) + BigInt(operation.n)
        if (!Number.isSafeInteger(Number(sum))) return error('overflow')
        store.set(operation.key, String(sum))
        return { ok: true, value: Number(sum) }
      }
      case 'open':
        if (accounts.has(operation.account)) return error('account-exists')
        if (total() + BigInt(operation.balance) > BigInt(Number.MAX_SAFE_INTEGER)) return error('overflow')
        accounts.set(operation.account, operation.balance)
        return { ok: true, value: operation.balance }
      case 'transfer': {
        const from = accounts.get(operation.from)
        if (from === undefined || !accounts.has(operation.to)) return error('no-such-account')
        if (from < operation.amount) return { ok: false, error: 'insufficient-funds', value: from }
        accounts.set(operation.from, from - operation.amount)
        accounts.set(operation.to, accounts.get(operation.to)! + operation.amount)
        return { ok: true, value: accounts.get(operation.from)! }
      }
      case 'balance': {
        const value = accounts.get(operation.account)
        return value === undefined ? error('no-such-account') : { ok: true, value }
      }
      case 'total':
        return { ok: true, value: Number(total()) }
    }
  }
}

const save = (service: Service): string[] =>
  Array.from({ length: service.partitionCount }, (_, index) => Buffer.from(service.savePartition(index)).toString('hex'))

function load(saved: readonly string[]): Service {
  const service = createService()
  saved.forEach((hex, index) => expect(service.loadPartition(index, Uint8Array.from(Buffer.from(hex, 'hex')))).toBe(true))
  return service
}

const histories = fc.array(operations, { maxLength: 40 })

describe('the service', () => {
  it('answers as the model does, and queries without changing anything', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const service = createService()
        const model = createModel()
        for (const operation of history) {
          const bytes = encodeOperation(operation)
          const queried = service.query(bytes, context)
          const result = run(service, operation)
          expect(result).toEqual(model(operation))
          expect(queried === null ? null : decodeResult(queried)).toEqual(isReadOperation(operation) ? result : null)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('answers bytes that are no operation, and does nothing', () => {
    const service = createService()
    for (const bytes of [new Uint8Array(0), Uint8Array.of(99), Uint8Array.of(19, 0)]) {
      expect(decodeResult(service.execute(bytes, context))).toEqual({ ok: false, error: 'not-an-operation' })
      expect(service.query(bytes, context)).toBeNull()
    }
    expect(service.takeDirtyPartitions()).toEqual([])
  })

  it('starts with empty partitions', () => {
    expect(new Set(save(createService()))).toEqual(new Set(['']))
  })
})

describe('partitions', () => {
  it('carry the whole state over', () => {
    fc.assert(
      fc.property(histories, histories, (before, after) => {
        const service = createService()
        for (const operation of before) run(service, operation)
        const copy = load(save(service))
        for (const operation of after) expect(run(copy, operation)).toEqual(run(service, operation))
        expect(save(copy)).toEqual(save(service))
      }),
      { numRuns: 50 },
    )
  })

  it('have equal bytes for equal states, whatever the history', () => {
    const keys = Array.from({ length: 3_000 }, (_, i) => `key ${i}`)
    const ascending = createService()
    for (const key of keys) run(ascending, { type: 'put', key, value: `value of ${key}` })
    const descending = createService()
    for (const key of keys.toReversed()) {
      run(descending, { type: 'put', key, value: 'something else, 长' })
      run(descending, { type: 'put', key: `${key} for a moment`, value: '' })
    }
    for (const key of keys) {
      run(descending, { type: 'put', key, value: `value of ${key}` })
      run(descending, { type: 'delete', key: `${key} for a moment` })
    }
    expect(save(descending)).toEqual(save(ascending))
    expect(save(ascending).filter((hex) => hex !== '').length).toBeGreaterThan(900)
  })

  it('are dirty when they changed', () => {
    fc.assert(
      fc.property(histories, fc.nat(40), (history, at) => {
        const service = createService()
        for (const operation of history.slice(0, at)) run(service, operation)
        const before = save(service)
        service.takeDirtyPartitions()
        for (const operation of history.slice(at)) run(service, operation)
        const after = save(service)
        const dirty = service.takeDirtyPartitions()
        expect(dirty).toEqual(dirty.toSorted((a, b) => a - b))
        const changed = after.flatMap((hex, index) => (hex === before[index] ? [] : [index]))
        expect(dirty).toEqual(expect.arrayContaining(changed))
        expect(service.takeDirtyPartitions()).toEqual([])
      }),
      { numRuns: 50 },
    )
  })

  it('of broken bytes are refused and nothing changes', () => {
    const service = createService()
    for (let i = 0; i < 300; i++) run(service, { type: 'put', key: `k${i % 100}`, value: `v${i}` })
    for (let i = 0; i < 20; i++) run(service, { type: 'open', account: `a${i}`, balance: i })
    const saved = save(service)
    const filled = saved.flatMap((hex, index) => (hex === '' ? [] : [index]))
    fc.assert(
      fc.property(fc.constantFrom(...filled), fc.nat(), fc.nat(255), fc.boolean(), (index, at, byte, cut) => {
        const bytes = Uint8Array.from(Buffer.from(saved[index]!, 'hex'))
        bytes[at % bytes.length] = byte
        const hostile = cut ? bytes.subarray(0, at % bytes.length) : bytes
        const target = load(saved)
        if (target.loadPartition(index, hostile)) expect(target.savePartition(index)).toEqual(Uint8Array.from(hostile))
        else expect(save(target)).toEqual(saved)
      }),
      { numRuns: 100 },
    )
  })

  it('of another index are refused', () => {
    const service = createService()
    run(service, { type: 'put', key: 'k', value: 'v' })
    const [index] = service.takeDirtyPartitions()
    const bytes = service.savePartition(index!)
    expect(createService().loadPartition(index!, bytes)).toBe(true)
    expect(createService().loadPartition((index! + 1) % 1_024, bytes)).toBe(false)
    expect(createService().loadPartition(service.partitionCount, new Uint8Array(0))).toBe(false)
    expect(createService().loadPartition(-1, new Uint8Array(0))).toBe(false)
  })

  it('are answered within the room that is left for the batch, and what does not fit changes nothing', () => {
    const service = createService()
    const value = 'x'.repeat(1_000)
    const narrow = (operation: Operation) => decodeResult(service.execute(encodeOperation(operation), { ...context, resultBytesMax: 256 }))
    run(service, { type: 'put', key: 'k', value })
    const refused = { ok: false, error: 'too-large' }
    expect(narrow({ type: 'get', key: 'k' })).toEqual(refused)
    expect(narrow({ type: 'delete', key: 'k' })).toEqual(refused)
    expect(narrow({ type: 'cas', key: 'k', old: 'y', new: 'z' })).toEqual(refused)
    expect(run(service, { type: 'get', key: 'k' })).toEqual({ ok: true, value })
    expect(narrow({ type: 'put', key: 'k', value: 'v' })).toEqual({ ok: true, value: null })
  })

  it('do not grow past what a state transfer can carry', () => {
    const service = createService()
    const value = 'x'.repeat(1_048_576)
    const taken = new Map<number, number>()
    let refused = 0
    for (let i = 0; refused === 0 && i < 40_000; i++) {
      // Only keys of one partition: that of the first.
      const probe = createKeyOf(0, i)
      if (probe === null) continue
      const result = run(service, { type: 'put', key: probe, value })
      if (result?.ok === false) {
        expect(result).toEqual({ ok: false, error: 'full' })
        refused++
      } else for (const index of service.takeDirtyPartitions()) taken.set(index, (taken.get(index) ?? 0) + 1)
    }
    expect(refused).toBe(1)
    expect([...taken.values()]).toEqual([15])
    for (const index of taken.keys()) expect(service.savePartition(index).length).toBeLessThanOrEqual(partitionBytesMax)
  })
})

/** The i-th key when it lies in `partition`, found by trying it on a service of its own. */
const prober = createService()
function createKeyOf(partition: number, i: number): string | null {
  const key = `probe ${i}`
  run(prober, { type: 'put', key, value: '' })
  return prober.takeDirtyPartitions()[0] === partition ? key : null
}

describe('taking back', () => {
  it('pitfall 24: leaves every partition as it was, and the same operations then come out the same', () => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 30 }), fc.array(operations, { minLength: 1, maxLength: 30 }), (before, tried) => {
        const service = createService()
        for (const operation of before) run(service, operation)
        const partitions = partitionsOf(service)
        const results = service.takingBack(() => tried.map((operation) => run(service, operation)))
        expect(partitionsOf(service)).toEqual(partitions)
        expect(tried.map((operation) => run(service, operation))).toEqual(results)
      }),
      { numRuns: 60 },
    )
  })

  it('refuses what does not fit by the same measure afterwards', () => {
    const service = createService()
    const value = 'x'.repeat(1_000)
    const fill = (): (OperationResult | null)[] => [0, 1, 2].map((i) => run(service, { type: 'put', key: `k${i}`, value }))
    const first = service.takingBack(fill)
    expect(service.takingBack(fill)).toEqual(first)
    expect(partitionsOf(service).every((bytes) => bytes === '')).toBe(true)
  })
})
