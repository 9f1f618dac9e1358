/** Simulated time: what is due next happens next; what is due at the same time happens in the order in which it was scheduled. */

interface Entry {
  readonly at: number
  readonly order: number
  readonly action: () => void
}

export class Schedule {
  /** A binary heap. */
  readonly #heap: Entry[] = []
  #order = 0
  #now = 0

  /** Simulated ms since the start, with fractions. */
  get now(): number {
    return this.#now
  }

  get isEmpty(): boolean {
    return this.#heap.length === 0
  }

  after(delayMs: number, action: () => void): void {
    this.at(this.#now + Math.max(0, delayMs), action)
  }

  at(time: number, action: () => void): void {
    const heap = this.#heap
    const entry: Entry = { at: Math.max(time, this.#now), order: this.#order++, action }
    let index = heap.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(entry, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = entry
  }

  /** Runs what is due next; there must be something. */
  runNext(): void {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) this.#sink(last)
    this.#now = first.at
    first.action()
  }

  #sink(entry: Entry): void {
    const heap = this.#heap
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, entry)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = entry
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
