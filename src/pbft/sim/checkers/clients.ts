import type { ClientCall, ExecutedRequest, LogEvent, Violation } from './history.ts'
import { isEqualBytes, requestKey } from './history.ts'
import { agreedOrder } from './replay.ts'

type Call = ClientCall<unknown, unknown>

/** Validity: only what a client sent is executed, and exactly as it sent it. `sent` has every request that a client ever sent; a faulty one sends several under one timestamp. */
export function checkValidity(log: readonly LogEvent[], sent: readonly ExecutedRequest[]): Violation[] {
  const known = new Map<string, Uint8Array[]>()
  for (const { client, timestamp, operation } of sent) {
    const operations = known.get(requestKey(client, timestamp))
    if (operations === undefined) known.set(requestKey(client, timestamp), [operation])
    else if (!operations.some((other) => isEqualBytes(other, operation))) operations.push(operation)
  }
  const violations: Violation[] = []
  for (const execution of agreedOrder(log)) {
    for (const { client, timestamp, operation } of execution.requests) {
      const key = requestKey(client, timestamp)
      const original = known.get(key)
      if (original?.some((other) => isEqualBytes(other, operation)) === true) continue
      violations.push({
        checker: 'validity',
        detail: `seq ${execution.seq}: ${key} was ${original === undefined ? 'never sent' : 'altered'}`,
      })
    }
  }
  return violations
}

/**
 * Durability: every ordered request that a client saw answered stands in the agreed order, at the place and with the result that the
 * client was told. Holds for as much of the order as `log` covers, so give it all of it.
 */
export function checkDurability(log: readonly LogEvent[], calls: readonly Call[]): Violation[] {
  const results = new Map<string, { seq: number; result: Uint8Array }>()
  for (const execution of agreedOrder(log)) {
    execution.requests.forEach((request, index) => {
      const key = requestKey(request.client, request.timestamp)
      const result = execution.results[index]
      if (!results.has(key) && result !== undefined) results.set(key, { seq: execution.seq, result })
    })
  }
  const violations: Violation[] = []
  for (const { client, timestamp, answer } of calls) {
    // Seq 0: answered by a read that was not ordered; linearizability is what holds for those.
    if (answer === null || answer.seq === 0) continue
    const key = requestKey(client, timestamp)
    const found = results.get(key)
    if (found === undefined) violations.push({ checker: 'durability', detail: `${key} was answered and is not in the order` })
    else if (!isEqualBytes(found.result, answer.bytes)) {
      violations.push({ checker: 'durability', detail: `${key} was answered otherwise than seq ${found.seq} came out` })
    }
  }
  return violations
}
