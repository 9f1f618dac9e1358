/** What happened, line by line, and a digest of it: two runs with one digest took the same steps. */

export class Trace {
  readonly #listener: ((line: string) => void) | null
  #low = 0x9e3779b9
  #high = 0x85ebca6b

  constructor(listener: ((line: string) => void) | null) {
    this.#listener = listener
  }

  line(nowMs: number, text: string): void {
    const line = `${nowMs.toFixed(3)} ${text}`
    for (let i = 0; i < line.length; i++) {
      const unit = line.charCodeAt(i)
      this.#low = Math.imul(this.#low ^ unit, 0x01000193)
      this.#high = Math.imul(this.#high ^ unit ^ (this.#low >>> 13), 0x5bd1e995)
    }
    this.#listener?.(line)
  }

  /** 16 hex digits; no cryptographic strength, chance collisions only. */
  get digest(): string {
    return hex(this.#high) + hex(this.#low)
  }
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
