/** Turns for others within long work. */

/** Longest stretch without giving others a turn, ms. */
const sliceMs = 30

/** Gives others a turn when it has run for long. */
export const makePauses = (): (() => Promise<void>) => {
  let since = Date.now()
  return async () => {
    if (Date.now() - since < sliceMs) return
    await new Promise((resolve) => setImmediate(resolve))
    since = Date.now()
  }
}
