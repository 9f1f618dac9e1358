/** What is done to a real cluster, drawn from a seed: rounds of harm, each undone before the next. */
import type { BehaviourName, FaultRequest } from '../../src/contract/faults.ts'
import { behaviourNames } from '../../src/contract/faults.ts'
import type { Random } from '../../src/pbft/sim/index.ts'
import { killPoints, type Trouble } from './trouble-file.ts'

/** One thing done, and what undoes it. */
export type Harm =
  | { readonly kind: 'fault'; readonly fault: FaultRequest }
  | { readonly kind: 'kill'; readonly replica: number }
  /** Everything that it has on disk is lost, and it begins anew. */
  | { readonly kind: 'wipe'; readonly replica: number }
  | { readonly kind: 'trouble'; readonly replica: number; readonly trouble: Partial<Trouble> }

export interface Round {
  readonly name: string
  readonly harms: readonly Harm[]
  /** How long it lasts, ms. */
  readonly lengthMs: number
  /** Whether at most f replicas are concerned, so that requests have to go on. */
  readonly withinF: boolean
  /** It lasts until those that it kills at a boundary have ended. */
  readonly untilEnded?: boolean
}

/** A kill at each of some places, counted from the round's begin: at one replica after another, and at all of them at once. */
export const boundaryRounds = (n: number, counts: readonly number[]): Round[] => {
  const harm = (replica: number, kill: NonNullable<Trouble['kill']>): Harm => ({ kind: 'trouble', replica, trouble: { kill } })
  const common = { lengthMs: 0, untilEnded: true }
  const single = killPoints.flatMap((point, p) =>
    counts.map((count, c): Round => {
      const replica = (p + c) % n
      return { ...common, name: `${point} ${count} of r${replica}`, harms: [harm(replica, { point, count })], withinF: true }
    }),
  )
  const all = killPoints.map((point): Round => {
    const harms = replicasOf(n).map((replica) => harm(replica, { point, count: 4 + replica }))
    return { ...common, name: `${point} of all`, harms, withinF: false }
  })
  return [...single, ...all]
}

/** What a storm may have anywhere, as often as it comes: everything is on disk when it is over. */
const passingKinds = [
  'kill',
  'kill-at-boundary',
  'pause',
  'isolate',
  'delay',
  'loss',
  'shuffle',
  'corrupt',
  'cut',
  'clock',
  'slow-disk',
] as const
/** A replica whose disk is wiped is a faulty one until it takes part again, which the round waits for. */
const harmKinds = [...passingKinds, 'wipe'] as const
type HarmKind = (typeof harmKinds)[number]

export interface NemesisOptions {
  readonly random: Random
  readonly n: number
  readonly f: number
  /** Those that may be made to lie; at most f. */
  readonly traitors: readonly number[]
}

const bothWays = { bothWays: true, durationMs: null }

export class Nemesis {
  readonly #options: NemesisOptions
  /** What was not done yet comes first, so that a short run has everything. */
  #behaviours: (BehaviourName | 'wipe')[] = []
  #kinds: HarmKind[] = []

  constructor(options: NemesisOptions) {
    this.#options = options
  }

  next(): Round {
    const { random } = this.#options
    const dice = random.next()
    if (dice < 0.25) return this.#lie()
    if (dice < 0.65) return this.#harmFew()
    return dice < 0.85 ? this.#harmMany() : this.#storm()
  }

  /** A traitor misbehaves, or forgets everything, which is as good as lying. */
  #lie(): Round {
    const { random, traitors } = this.#options
    if (this.#behaviours.length === 0) this.#behaviours = shuffled(random, [...behaviourNames, 'wipe'])
    const behaviour = this.#behaviours.pop() ?? 'wipe'
    const replica = random.pick(traitors)
    if (behaviour === 'wipe') return { name: behaviour, harms: [{ kind: behaviour, replica }], lengthMs: 2_000, withinF: true }
    return {
      name: behaviour,
      harms: [{ kind: 'fault', fault: { type: 'byzantine', replica, behaviour, victim: null, durationMs: null } }],
      lengthMs: random.whole(3_000, 8_000),
      withinF: true,
    }
  }

  #harmFew(): Round {
    const { random, n, f } = this.#options
    if (this.#kinds.length === 0) this.#kinds = shuffled(random, harmKinds)
    const kind = this.#kinds.pop() as HarmKind
    const victims = shuffled(random, replicasOf(n)).slice(0, random.whole(1, f))
    return { name: kind, harms: victims.flatMap((victim) => this.#harm(kind, victim)), lengthMs: random.whole(1_000, 8_000), withinF: true }
  }

  /** More than f at once: nothing may be lost, and nothing need go on. */
  #harmMany(): Round {
    const { random, n, f, traitors } = this.#options
    const all = shuffled(random, replicasOf(n))
    const lengthMs = random.whole(1_000, 5_000)
    const kind = random.pick(['kill', 'kill-at-boundary', 'pause', 'isolate', 'partition', 'lie-and-kill', 'wipe-and-kill'] as const)
    if (kind === 'partition') {
      const fault: FaultRequest = { type: 'partition', groups: [all.slice(0, Math.floor(n / 2))], durationMs: null }
      return { name: kind, harms: [{ kind: 'fault', fault }], lengthMs, withinF: false }
    }
    if (kind === 'lie-and-kill') {
      const replica = random.pick(traitors)
      const behaviour = random.pick(behaviourNames)
      const lie: Harm = { kind: 'fault', fault: { type: 'byzantine', replica, behaviour, victim: null, durationMs: null } }
      const victim = all.find((id) => id !== replica) as number
      return { name: `${behaviour}-and-kill`, harms: [lie, { kind: 'kill', replica: victim }], lengthMs, withinF: false }
    }
    if (kind === 'wipe-and-kill') {
      const [wiped, killed] = all as [number, number, ...number[]]
      return { name: kind, harms: [...this.#harm('wipe', wiped), ...this.#harm('kill', killed)], lengthMs, withinF: false }
    }
    const victims = all.slice(0, random.pick([f + 1, n]))
    return { name: `${kind} ${victims.length}`, harms: victims.flatMap((victim) => this.#harm(kind, victim)), lengthMs, withinF: false }
  }

  /** Some of everything, everywhere. */
  #storm(): Round {
    const { random, n } = this.#options
    const harms = Array.from({ length: random.whole(3, 6) }, () => this.#harm(random.pick(passingKinds), random.whole(0, n - 1))).flat()
    return { name: 'storm', harms, lengthMs: random.whole(3_000, 8_000), withinF: false }
  }

  #harm(kind: HarmKind, replica: number): Harm[] {
    const { random, n } = this.#options
    const others = replicasOf(n).filter((id) => id !== replica)
    const faults = (make: (to: number) => FaultRequest): Harm[] => others.map((to) => ({ kind: 'fault', fault: make(to) }))
    switch (kind) {
      case 'kill':
      case 'wipe':
        return [{ kind, replica }]
      case 'kill-at-boundary': {
        const kill = { point: random.pick(killPoints), count: random.whole(1, 60) }
        return [{ kind: 'trouble', replica, trouble: { kill } }]
      }
      case 'pause':
      case 'isolate':
        return [{ kind: 'fault', fault: { type: kind, replica, durationMs: null } }]
      case 'cut': {
        const to = random.pick(others)
        return [{ kind: 'fault', fault: { type: 'cut', from: replica, to, bothWays: random.chance(0.5), durationMs: null } }]
      }
      case 'delay': {
        const delayMs = random.pick([20, 150, 700])
        return faults((to) => ({ type: 'delay', from: replica, to, delayMs, jitterMs: delayMs / 2, ...bothWays }))
      }
      case 'loss': {
        const probability = random.pick([0.05, 0.3])
        return faults((to) => ({ type: 'loss', from: replica, to, probability, ...bothWays }))
      }
      case 'shuffle':
        return [
          ...faults((to) => ({ type: 'reorder', from: replica, to, probability: 0.3, ...bothWays })),
          ...faults((to) => ({ type: 'duplicate', from: replica, to, probability: 0.3, ...bothWays })),
        ]
      case 'corrupt':
        return faults((to) => ({ type: 'corrupt', from: replica, to, probability: 0.02, ...bothWays }))
      case 'clock':
        return [{ kind: 'trouble', replica, trouble: { clockOffsetMs: random.pick([-3_600_000, -5_000, 3_000, 60_000, 86_400_000]) } }]
      case 'slow-disk':
        return [{ kind: 'trouble', replica, trouble: { commitDelayMs: random.pick([10, 80, 300]) } }]
    }
  }
}

const replicasOf = (n: number): number[] => Array.from({ length: n }, (_, id) => id)

export const shuffled = <T>(random: Random, list: readonly T[]): T[] => {
  const left = [...list]
  const taken: T[] = []
  while (left.length > 0) taken.push(...left.splice(random.whole(0, left.length - 1), 1))
  return taken
}
