/** Names for the parts of a run that can be left out without changing what the seed draws for the rest. */
import { noLinkFault } from '../faults/index.ts'
import { calmMix, type FaultMix } from './fault-mix.ts'

/** Parts of the mixture. */
const ofTheMix: Readonly<Record<string, (mix: FaultMix) => FaultMix>> = {
  loss: (mix) => ({ ...mix, link: { ...mix.link, loss: noLinkFault.loss } }),
  duplicate: (mix) => ({ ...mix, link: { ...mix.link, duplicate: noLinkFault.duplicate } }),
  reorder: (mix) => ({ ...mix, link: { ...mix.link, reorder: noLinkFault.reorder } }),
  corrupt: (mix) => ({ ...mix, link: { ...mix.link, corrupt: noLinkFault.corrupt } }),
  jitter: (mix) => ({ ...mix, link: { ...mix.link, jitterMs: 0 } }),
  'slow-disk': (mix) => ({ ...mix, flushMaxMs: calmMix.flushMaxMs }),
  clocks: (mix) => ({ ...mix, clockOffsetMs: 0, clockDrift: 0 }),
  'give-up': (mix) => ({ ...mix, giveUp: 0 }),
  traitors: (mix) => ({ ...mix, traitors: [] }),
  'hostile-client': (mix) => ({ ...mix, hostile: null }),
  unlinked: (mix) => ({ ...mix, unlinked: 0 }),
  'late-commits': (mix) => ({ ...mix, lateCommitsGapMs: 0 }),
  nemesis: (mix) => ({ ...mix, actions: [] }),
}

/** Names of parts that every run has; `client:K` and `action:K` come on top. */
export const partNames: readonly string[] = Object.keys(ofTheMix)

/** Whether it names a part: one of the mixture, the K-th client, or what the nemesis does as its K-th. */
export const isPartName = (name: string): boolean => partNames.includes(name) || /^(client|action):\d{1,9}$/.test(name)

export class Without {
  readonly #names: ReadonlySet<string>

  constructor(names: readonly string[]) {
    this.#names = new Set(names)
  }

  mix(mix: FaultMix): FaultMix {
    return Object.entries(ofTheMix).reduce((rest, [name, leaveOut]) => (this.#names.has(name) ? leaveOut(rest) : rest), mix)
  }

  hasClient(index: number): boolean {
    return !this.#names.has(`client:${index}`)
  }

  leavesOutAction(number: number): boolean {
    return this.#names.has(`action:${number}`)
  }
}
