/** Quorum arithmetic for what a dialog says before a cluster exists; the host's figures rule once it does. */
export const faultsTolerated = (n: number): number => Math.floor((n - 1) / 3)
export const quorumSize = (n: number): number => Math.ceil((n + faultsTolerated(n) + 1) / 2)

/** The first of `base`, `base-2`, `base-3`... that is not taken. */
export function freeName(base: string, taken: readonly string[]): string {
  if (!taken.includes(base)) return base
  let number = 2
  while (taken.includes(`${base}-${number}`)) number += 1
  return `${base}-${number}`
}
