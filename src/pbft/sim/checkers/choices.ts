import type { Violation } from './history.ts'

/** A batch that a correct replica took from the primary of its view; or a new-view by which one entered a view. In the order of both. */
export type OrderEvent =
  | { readonly kind: 'pre-prepared'; readonly seq: number; readonly digest: string }
  | {
      readonly kind: 'entered'
      readonly replica: number
      readonly view: number
      readonly chosen: readonly { readonly seq: number; readonly digest: string }[]
    }

/** Nobody makes up what a view begins with: everything in it was proposed to a correct replica at that place before, or is the null request. */
export function checkChoices(order: readonly OrderEvent[], nullDigest: string): Violation[] {
  const proposed = new Set<string>()
  const violations: Violation[] = []
  for (const event of order) {
    if (event.kind === 'pre-prepared') {
      proposed.add(`${event.seq} ${event.digest}`)
      continue
    }
    for (const { seq, digest } of event.chosen) {
      if (digest === nullDigest || proposed.has(`${seq} ${digest}`)) continue
      const detail = `replica ${event.replica} enters view ${event.view} with a batch at seq ${seq} that was proposed to no correct replica`
      violations.push({ checker: 'choices', detail })
    }
  }
  return violations
}
