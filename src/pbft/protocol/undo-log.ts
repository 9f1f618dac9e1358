/** What a tentative execution has to take back: the inverse of each change, in the order in which the changes were made. */
import { assertThat } from './assert.ts'

export class UndoLog {
  #inverses: (() => void)[] | null = null

  /** Whether changes are to be noted: spares making an inverse that nobody needs. */
  get isOpen(): boolean {
    return this.#inverses !== null
  }

  /** To be called with every change while open. The inverse runs on the very state that the change left behind. */
  note(inverse: () => void): void {
    this.#inverses?.push(inverse)
  }

  /** Runs `body` and takes back all that was noted meanwhile, the last change first, also when it throws. */
  takingBack<T>(body: () => T): T {
    assertThat(this.#inverses === null, 'one execution is tentative at a time')
    const inverses: (() => void)[] = []
    this.#inverses = inverses
    try {
      return body()
    } finally {
      this.#inverses = null
      for (let i = inverses.length - 1; i >= 0; i--) inverses[i]?.()
    }
  }
}
