/** Operations as typed on a command line: `put k v`, `transfer alice bob 5`. */
import * as v from 'valibot'
import { operationSchema, type Operation } from '../contract/operations.ts'
import { UsageError } from './output.ts'

type Parts = readonly string[]

const whole = (text: string | undefined): number => {
  if (/^-?\d{1,16}$/.test(text ?? '')) return Number(text)
  throw new UsageError(`"${text}" is not a whole number.`)
}

interface Form {
  /** How it is written, without the name. */
  readonly usage: string
  /** How many words may follow the name. */
  readonly words: readonly number[]
  read(parts: Parts): unknown
}

const forms: Readonly<Record<Operation['type'], Form>> = {
  put: { usage: 'KEY VALUE', words: [2], read: ([key, value]) => ({ type: 'put', key, value }) },
  get: { usage: 'KEY', words: [1], read: ([key]) => ({ type: 'get', key }) },
  delete: { usage: 'KEY', words: [1], read: ([key]) => ({ type: 'delete', key }) },
  cas: {
    usage: 'KEY [OLD] NEW (without OLD: when there is no value)',
    words: [2, 3],
    read: (parts) => ({ type: 'cas', key: parts[0], old: parts.length === 3 ? parts[1] : null, new: parts.at(-1) }),
  },
  incr: { usage: 'KEY [N]', words: [1, 2], read: ([key, n]) => ({ type: 'incr', key, n: n === undefined ? 1 : whole(n) }) },
  open: { usage: 'ACCOUNT BALANCE', words: [2], read: ([account, balance]) => ({ type: 'open', account, balance: whole(balance) }) },
  transfer: { usage: 'FROM TO AMOUNT', words: [3], read: ([from, to, amount]) => ({ type: 'transfer', from, to, amount: whole(amount) }) },
  balance: { usage: 'ACCOUNT', words: [1], read: ([account]) => ({ type: 'balance', account }) },
  total: { usage: '', words: [0], read: () => ({ type: 'total' }) },
}

/** One line per operation, for help. */
export const operationUsage = Object.entries(forms)
  .map(([name, { usage }]) => `  ${name} ${usage}`.trimEnd())
  .join('\n')

const isKnown = (name: string): name is Operation['type'] => Object.hasOwn(forms, name)

/** Throws a `UsageError` that says what is wrong. */
export const parseOperation = ([name = '', ...rest]: Parts): Operation => {
  if (!isKnown(name)) throw new UsageError(`"${name}" is no operation; there are ${Object.keys(forms).join(', ')}.`)
  const form = forms[name]
  if (!form.words.includes(rest.length)) throw new UsageError(`It is written: ${name} ${form.usage}`.trimEnd())
  const parsed = v.safeParse(operationSchema, form.read(rest))
  if (parsed.success) return parsed.output
  throw new UsageError(`${name}: ${parsed.issues.map((issue) => issue.message).join('; ')}`)
}
