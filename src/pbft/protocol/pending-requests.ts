/**
 * Requests known and not executed: at most one per client session, as a session has one outstanding. At the primary those not
 * yet proposed form a queue. Bounded by the caller.
 */
import type { Copied } from './copy.ts'
import type { ClientId, ClientTimestamp } from './ids.ts'
import type { Request } from './messages.ts'

interface Pending {
  request: Request
  state: 'waiting' | 'proposed' | 'gone'
}

export class PendingRequests {
  /** Oldest first. */
  readonly #pending = new Map<ClientId, Pending>()
  #queue: Pending[] = []
  #head = 0
  #waiting = 0

  /** A copy that goes its own way. */
  copy(copied: Copied): PendingRequests {
    const copy = new PendingRequests()
    for (const [client, pending] of this.#pending) copy.#pending.set(client, copied(pending))
    copy.#queue = this.#queue.map(copied)
    copy.#head = this.#head
    copy.#waiting = this.#waiting
    return copy
  }

  get size(): number {
    return this.#pending.size
  }

  /** Requests in the queue that can still be proposed. */
  get waiting(): number {
    return this.#waiting
  }

  get(client: ClientId): Request | undefined {
    return this.#pending.get(client)?.request
  }

  oldest(): Request | null {
    for (const pending of this.#pending.values()) return pending.request
    return null
  }

  /** Oldest first, at most `limit`. */
  first(limit: number): Request[] {
    const requests: Request[] = []
    for (const pending of this.#pending.values()) {
      if (requests.length >= limit) break
      requests.push(pending.request)
    }
    return requests
  }

  /** Adds a request, in the place of an older one of its client. `queued`: this replica is the one to propose it. */
  add(request: Request, queued: boolean): void {
    this.#discard(request.client)
    const pending: Pending = { request, state: 'proposed' }
    this.#pending.set(request.client, pending)
    if (queued) this.#enqueue(pending)
  }

  /** The same request with another proof: it takes the place of the one that is kept, in its turn. */
  replace(request: Request): void {
    const pending = this.#pending.get(request.client)
    if (pending !== undefined) pending.request = request
  }

  #enqueue(pending: Pending): void {
    pending.state = 'waiting'
    this.#queue.push(pending)
    this.#waiting++
  }

  #discard(client: ClientId): void {
    const pending = this.#pending.get(client)
    if (pending === undefined) return
    if (pending.state === 'waiting') this.#waiting--
    pending.state = 'gone'
    this.#pending.delete(client)
  }

  /** Forgets a client's request once one with this timestamp, or a later one, was executed. */
  executed(client: ClientId, timestamp: ClientTimestamp): void {
    // As at a backup, all the time.
    if (this.#pending.size === 0) return
    const pending = this.#pending.get(client)
    if (pending !== undefined && pending.request.timestamp <= timestamp) this.#discard(client)
  }

  /** Drops what the predicate finds settled. */
  dropWhere(settled: (request: Request) => boolean): void {
    for (const [client, pending] of this.#pending) if (settled(pending.request)) this.#discard(client)
  }

  /** Takes the next batch off the queue: at least one request, then up to the bounds. Empty when nothing waits. */
  takeBatch(requestsMax: number, bytesMax: number): Request[] {
    const batch: Request[] = []
    let bytes = 0
    while (this.#head < this.#queue.length && batch.length < requestsMax) {
      const pending = this.#queue[this.#head]
      if (pending === undefined) break
      if (pending.state === 'waiting') {
        bytes += pending.request.operation.length
        if (batch.length > 0 && bytes > bytesMax) break
        pending.state = 'proposed'
        this.#waiting--
        batch.push(pending.request)
      }
      this.#head++
    }
    this.#trim()
    return batch
  }

  #trim(): void {
    if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    } else if (this.#head > 4_096 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
  }

  /** Builds the queue anew on entering a view: empty at a backup; at the primary whatever the view does not carry already. */
  requeue(isPrimary: boolean, isCarried: (request: Request) => boolean): void {
    this.#queue = []
    this.#head = 0
    this.#waiting = 0
    for (const pending of this.#pending.values()) {
      pending.state = 'proposed'
      if (isPrimary && !isCarried(pending.request)) this.#enqueue(pending)
    }
  }
}
