/** Operations and results as one line of text. */
import type { DecodedOperation, OperationResult } from '../../contract/operations.ts'
import { oneLine } from './format.ts'

const quoted = (text: string | null): string => (text === null ? '∅' : `"${oneLine(text, 80)}"`)

/** The operation without its type: what it acts on and with. */
export function operationArguments(operation: DecodedOperation): string {
  switch (operation.type) {
    case 'put':
      return `${oneLine(operation.key, 80)} = ${quoted(operation.value)}`
    case 'get':
    case 'delete':
      return oneLine(operation.key, 80)
    case 'cas':
      return `${oneLine(operation.key, 80)}: ${quoted(operation.old)} → ${quoted(operation.new)}`
    case 'incr':
      return `${oneLine(operation.key, 80)} ${operation.n < 0 ? '−' : '+'} ${Math.abs(operation.n)}`
    case 'open':
      return `${oneLine(operation.account, 80)} (${operation.balance})`
    case 'transfer':
      return `${oneLine(operation.from, 60)} → ${oneLine(operation.to, 60)}: ${operation.amount}`
    case 'balance':
      return oneLine(operation.account, 80)
    case 'total':
      return ''
    case 'unknown':
      return `0x${oneLine(operation.hex, 64)}`
  }
}

/** "put k = "v"". */
export const operationLine = (operation: DecodedOperation): string => `${operation.type} ${operationArguments(operation)}`.trim()

/** The result as text; `error` turns an error code into words. */
export function resultLine(result: OperationResult | null, error: (code: string) => string): string {
  if (result === null) return '–'
  if (!result.ok) return error(result.error)
  if (result.value === null) return '∅'
  return typeof result.value === 'number' ? String(result.value) : `"${oneLine(result.value, 80)}"`
}
