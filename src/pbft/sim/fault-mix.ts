/** Which faults a run has, and how strong. Drawn from the seed, so that every seed is another mixture. */
import { noLinkFault, type LinkRule } from '../faults/index.ts'
import type { Random } from './random.ts'
import { traitorNames, type TraitorName } from './traitors.ts'

export const nemesisActions = [
  'crash', // one replica, restarted later
  'crash-primary',
  'crash-all', // all at once, as in a power failure
  'isolate', // one replica, from everyone
  'isolate-primary',
  'cut', // one direction of one link
  'partition', // two halves
  'slow-link', // a second of delay in one direction
  'clock-jump', // one replica's clock
  'change-view', // an operator's command
] as const

/** What is done to disks; counted among the f faults until the replica has got over it. */
export const diskActions = [
  'wipe', // a crash, and nothing is left
  'old-disk', // a crash, and what comes back is a copy of a while ago
] as const
/** What an operator does to a replica that is well. */
export const careActions = [
  'stop', // an orderly end, and a start later
] as const
/** What an operator does to all of them. */
export const viewActions = [
  'change-views', // all leave their view
] as const
/** What one replica is made to know alone, so that a view without it may go on otherwise. */
export const hearingActions = [
  'one-prepares', // prepares get to one replica only; then that one is cut off, and the others leave the view
] as const
export type NemesisAction =
  | (typeof hearingActions)[number]
  | (typeof viewActions)[number]
  | (typeof careActions)[number]
  | (typeof nemesisActions)[number]
  | (typeof diskActions)[number]

export interface FaultMix {
  /** Of every link, all the time until healing. */
  readonly link: LinkRule
  readonly actions: readonly NemesisAction[]
  /** Mean time between actions, and mean time until one is undone, ms. */
  readonly actionGapMs: number
  readonly actionLengthMs: number
  /** Mean time between whiles in which commits get to one replica and to traitors only, ms; so that clients know before the others. 0: never. */
  readonly lateCommitsGapMs: number
  /** A flush takes between these, ms. */
  readonly flushMinMs: number
  readonly flushMaxMs: number
  /** Clocks start up to this far apart, ms, and drift up to this fraction. */
  readonly clockOffsetMs: number
  readonly clockDrift: number
  /** Probability that a client gives a request up after a while. */
  readonly giveUp: number
  /** What the first replicas in the seed's order do all the time, also after healing; those beyond the f-th do nothing of it. */
  readonly traitors: readonly TraitorName[]
  /** Where clients MAC: how many of the others may not have a key for one replica each, so that its MAC does not hold; at most f. */
  readonly unlinked: number
  /** A client that keeps to no rule. */
  readonly hostile: HostileClient | null
}

/**
 * Until healing. Where clients MAC it makes requests that only some replicas can verify, and never signs; where they sign, it sends two
 * requests under one timestamp. In either case it goes on without an answer.
 */
export interface HostileClient {
  /** Whose MACs it makes right; primary: of whoever leads then, and of nobody else; null: other ones each time. */
  readonly goodFor: readonly number[] | 'primary' | null
  /** Whom it sends to; null: another choice each time. */
  readonly to: 'primary' | 'all' | null
  /** Mean time between its requests, ms. */
  readonly gapMs: number
}

/** No faults but the time that things take. */
export const calmMix: FaultMix = {
  link: { ...noLinkFault, delayMs: 1, jitterMs: 1 },
  actions: [],
  actionGapMs: 1_000,
  actionLengthMs: 500,
  lateCommitsGapMs: 0,
  flushMinMs: 0.1,
  flushMaxMs: 1,
  clockOffsetMs: 0,
  clockDrift: 0,
  giveUp: 0,
  traitors: [],
  unlinked: 0,
  hostile: null,
}

/** Whether nothing in it explains a view change but the hostile client. */
export const isCalmBut = (mix: FaultMix): boolean => mix.hostile !== null && isSame({ ...mix, hostile: null }, calmMix)

const isSame = (a: FaultMix, b: FaultMix): boolean => JSON.stringify(a) === JSON.stringify(b)

/** The inventive ones more often. */
const drawTraitor = (random: Random): TraitorName =>
  random.pick([...traitorNames, 'lie', 'lie', 'twins', 'usurp', 'usurp', 'perjure', 'perjure', 'outdated'])

const viewTraitors: readonly TraitorName[] = ['usurp', 'lie', 'perjure']

const manners = [
  { goodFor: null, to: null },
  { goodFor: 'primary', to: 'primary' },
] as const

/** Each kind of fault is in about half of the mixtures: all of them always would hide what any of them does. */
export function drawFaultMix(random: Random): FaultMix {
  const disks = random.fork('disks')
  const hearing = random.fork('hearing')
  const hostility = random.fork('hostility')
  const some = (probability: number, strength: () => number): number => (random.chance(probability) ? strength() : 0)
  const mix: FaultMix = {
    link: {
      ...noLinkFault,
      delayMs: random.pick([0.1, 1, 5]),
      jitterMs: random.pick([0, 1, 10]),
      loss: some(0.5, () => random.pick([0.01, 0.05, 0.2])),
      duplicate: some(0.5, () => random.pick([0.02, 0.2])),
      reorder: some(0.5, () => random.pick([0.02, 0.3])),
      corrupt: some(0.3, () => random.pick([0.01, 0.05])),
    },
    actions: [
      ...nemesisActions.filter(() => random.chance(0.5)),
      ...diskActions.filter(() => disks.chance(0.3)),
      ...careActions.filter(() => disks.chance(0.5)),
      ...(hearing.chance(0.4) ? [...hearingActions, ...hearingActions] : []),
    ],
    actionGapMs: random.pick([100, 400, 1_500]),
    actionLengthMs: random.pick([50, 300, 1_000]),
    lateCommitsGapMs: hearing.chance(0.3) ? hearing.pick([20, 100]) : 0,
    flushMinMs: 0.1,
    flushMaxMs: random.pick([0.2, 2, 20]),
    clockOffsetMs: some(0.5, () => 2_000),
    clockDrift: some(0.5, () => 0.01),
    giveUp: some(0.3, () => 0.1),
    traitors: random.chance(0.6) ? Array.from({ length: random.whole(1, 3) }, () => drawTraitor(random)) : [],
    unlinked: some(0.4, () => 1),
    hostile: random.chance(0.4) ? { ...hostility.pick(manners), gapMs: random.pick([20, 100, 500]) } : null,
  }
  // By itself, so that whatever happens is its doing.
  if (mix.hostile?.goodFor === 'primary' && hostility.chance(0.6)) return { ...calmMix, hostile: { ...mix.hostile, gapMs: 20 } }
  // Who does harm in a new view needs new views.
  const isOfViews = mix.traitors.some((name) => viewTraitors.includes(name))
  if (!isOfViews) return mix
  const actions = [...new Set([...mix.actions, 'change-view' as const]), ...viewActions, ...viewActions]
  return { ...mix, actions, actionGapMs: Math.min(mix.actionGapMs, 100) }
}
