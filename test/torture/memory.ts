/** Resident memory of processes over a run. */
import { residentMbOf } from '../../src/cluster/bench/machine.ts'

export interface MemoryFigures {
  readonly name: string
  /** Medians of the first and the last fifth of the samples, and the highest, MiB. */
  readonly firstMb: number
  readonly lastMb: number
  readonly highestMb: number
}

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0
const rounded = (value: number): number => Math.round(value * 10) / 10

export class MemoryWatch {
  readonly #samples = new Map<string, number[]>()

  look(name: string, pid: number | null): void {
    const mb = pid === null ? null : residentMbOf(pid)
    if (mb === null) return
    const own = this.#samples.get(name)
    if (own === undefined) this.#samples.set(name, [mb])
    else own.push(mb)
  }

  figures(): MemoryFigures[] {
    return [...this.#samples].map(([name, samples]) => {
      const fifth = Math.max(1, Math.floor(samples.length / 5))
      return {
        name,
        firstMb: rounded(median(samples.slice(0, fifth))),
        lastMb: rounded(median(samples.slice(-fifth))),
        highestMb: rounded(Math.max(...samples)),
      }
    })
  }
}
