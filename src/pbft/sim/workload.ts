/** What clients ask for: few keys and accounts, so that they meet, and values that never occur twice. */
import type { Operation } from '../service/index.ts'
import type { Random } from './random.ts'

const keys = ['a', 'b', 'c', '__proto__']
const counters = ['n', 'm']
const accounts = ['alice', 'bob', 'carol']

/** The `index`-th operation of a client, and whether it is asked as a read that need not be ordered. */
export function drawOperation(random: Random, client: string, index: number): { operation: Operation; readOnly: boolean } {
  const operation = draw(random, `${client}:${index}`)
  const isRead = operation.type === 'get' || operation.type === 'balance' || operation.type === 'total'
  return { operation, readOnly: isRead && random.chance(0.6) }
}

function draw(random: Random, unique: string): Operation {
  switch (random.whole(0, 11)) {
    case 0:
    case 1:
    case 2:
      return { type: 'put', key: random.pick(keys), value: unique.padEnd(random.pick([0, 0, 100]), '.') }
    case 3:
    case 4:
      return { type: 'get', key: random.pick([...keys, ...counters]) }
    case 5:
      return { type: 'delete', key: random.pick(keys) }
    case 6:
      return { type: 'cas', key: random.pick(keys), old: random.chance(0.5) ? null : unique, new: unique }
    case 7:
    case 8:
      return { type: 'incr', key: random.pick(counters), n: random.whole(-2, 5) }
    case 9:
      return { type: 'open', account: random.pick(accounts), balance: random.whole(0, 100) }
    case 10:
      return { type: 'transfer', from: random.pick(accounts), to: random.pick(accounts), amount: random.whole(1, 30) }
    default:
      return random.chance(0.5) ? { type: 'balance', account: random.pick(accounts) } : { type: 'total' }
  }
}
