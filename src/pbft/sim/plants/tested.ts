/**
 * Bugs that the simulator does not show within its budget, and the tests named after their pitfalls do: what they need comes together too
 * rarely by chance, or lies outside of what is simulated.
 */
import type { Plant } from './plant.ts'

export const testedPlants: readonly Plant[] = [
  {
    name: 'slow-primary-kept',
    pitfall: 14,
    breaks: 'a primary that is slow, though never late, is not found slow',
    file: 'protocol/pace.ts',
    find: 'r.active && r.pace.debtMs > DEBT_MAX * timeoutMs(r)',
    replace: 'r.active && r.pace.debtMs > Infinity * timeoutMs(r)',
  },
  {
    name: 'certificates-lost',
    pitfall: 21,
    breaks: 'P and Q do not survive the record of an earlier new-view',
    file: 'protocol/restore.ts',
    find: 'replayCertificates(r, record)\n      return',
    replace: 'return',
  },
  {
    name: 'queue-without-end',
    pitfall: 28,
    breaks: 'what waits for a peer that does not read is kept, however much it is',
    file: '../link/send-queue.ts',
    find: 'while (this.#bytes > this.#bytesMax && ',
    replace: 'while (this.#bytes > Infinity && ',
  },
]
