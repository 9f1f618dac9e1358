/** The operation form: which fields each operation has, and the operation that they make. */
import * as v from 'valibot'
import { operationSchema, readOperations, type Operation, type OperationType } from '../../contract/operations.ts'

export const keyValueTypes = ['put', 'get', 'delete', 'cas', 'incr'] as const satisfies readonly OperationType[]
export const ledgerTypes = ['open', 'transfer', 'balance', 'total'] as const satisfies readonly OperationType[]

export interface OperationFields {
  key: string
  value: string
  old: string
  oldNone: boolean
  new: string
  n: number
  account: string
  balance: number
  from: string
  to: string
  amount: number
}

export const emptyFields = (): OperationFields => ({
  key: 'greeting',
  value: 'hello',
  old: '',
  oldNone: true,
  new: '',
  n: 1,
  account: 'alice',
  balance: 100,
  from: 'alice',
  to: 'bob',
  amount: 10,
})

export const isRead = (type: OperationType): boolean => readOperations.includes(type)

function draft(type: OperationType, fields: OperationFields): unknown {
  switch (type) {
    case 'put':
      return { type, key: fields.key, value: fields.value }
    case 'get':
    case 'delete':
      return { type, key: fields.key }
    case 'cas':
      return { type, key: fields.key, old: fields.oldNone ? null : fields.old, new: fields.new }
    case 'incr':
      return { type, key: fields.key, n: fields.n }
    case 'open':
      return { type, account: fields.account, balance: fields.balance }
    case 'transfer':
      return { type, from: fields.from, to: fields.to, amount: fields.amount }
    case 'balance':
      return { type, account: fields.account }
    case 'total':
      return { type }
  }
}

export type Checked = { readonly operation: Operation } | { readonly problem: string }

function check(value: unknown): Checked {
  const result = v.safeParse(operationSchema, value)
  if (result.success) return { operation: result.output }
  const issue = result.issues[0]
  const path = v.getDotPath(issue)
  return { problem: path === null ? issue.message : `${path}: ${issue.message}` }
}

/** The operation that the form's fields make, or what is wrong with them. */
export const operationFromFields = (type: OperationType, fields: OperationFields): Checked => check(draft(type, fields))

/** The operation that a text in JSON is, or what is wrong with it. */
export function operationFromJson(text: string): Checked {
  try {
    return check(JSON.parse(text))
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

/** The form's fields as an operation has them; others keep what they had. */
export function fieldsFromOperation(operation: Operation, fields: OperationFields): OperationFields {
  if (operation.type === 'cas') return { ...fields, ...operation, old: operation.old ?? '', oldNone: operation.old === null }
  return { ...fields, ...operation }
}
