/** Messages that wait for the socket: first in, first out, bounded by dropping the oldest. */
import { frameBytesTarget, framedBytes } from './frames.ts'

const nothing = new Uint8Array(0)

export class SendQueue {
  readonly #bytesMax: number
  #messages: Uint8Array[] = []
  #head = 0
  #bytes = 0
  #dropped = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get isEmpty(): boolean {
    return this.#head === this.#messages.length
  }

  /** Of the messages, each with its length field. */
  get bytes(): number {
    return this.#bytes
  }

  /** Messages that were dropped since the beginning. */
  get dropped(): number {
    return this.#dropped
  }

  /** Appends, and drops the oldest while there is too much; the newest stays, however large. */
  push(message: Uint8Array): void {
    this.#messages.push(message)
    this.#bytes += framedBytes(message)
    while (this.#bytes > this.#bytesMax && this.#head < this.#messages.length - 1) {
      this.#bytes -= framedBytes(this.#messages[this.#head] as Uint8Array)
      // Frees its bytes now; its place goes with the next compaction.
      this.#messages[this.#head] = nothing
      this.#head += 1
      this.#dropped += 1
    }
    this.#compact()
  }

  /** Takes the oldest messages, as many as make one frame; at least one when there is one. */
  takeFrame(): readonly Uint8Array[] {
    const first = this.#head
    let bytes = 0
    while (this.#head < this.#messages.length) {
      const size = framedBytes(this.#messages[this.#head] as Uint8Array)
      if (this.#head > first && bytes + size > frameBytesTarget) break
      bytes += size
      this.#head += 1
    }
    const taken = first === 0 && this.isEmpty ? this.#messages : this.#messages.slice(first, this.#head)
    this.#bytes -= bytes
    this.#compact()
    return taken
  }

  clear(): void {
    this.#messages = []
    this.#head = 0
    this.#bytes = 0
  }

  /** Lets go of what was taken or dropped, at a cost that is constant for each message. */
  #compact(): void {
    if (this.isEmpty) this.#messages = []
    else if (this.#head > 1_024 && this.#head * 2 > this.#messages.length) this.#messages = this.#messages.slice(this.#head)
    else return
    this.#head = 0
  }
}
