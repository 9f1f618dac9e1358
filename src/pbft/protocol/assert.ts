/** Invariants of the protocol's own making. Bad input never comes here: it is rejected with a typed event. */

/** Throws when an invariant is broken; the driver then stops this replica rather than let it lie. */
export function assertThat(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${invariant}`)
}

/** The value, which an invariant says exists. */
export const present = <T>(value: T | null | undefined, invariant: string): T => {
  assertThat(value !== null && value !== undefined, invariant)
  return value
}
