/** The guided tour: what it points at, step by step, and when what a step asks for has been done. Plain functions, for tests. */
import type { Screen } from '../../contract/screens.ts'
import { byTestId, navTestId, replicaActionTestId, replicaCardTestId, testIds } from '../testids.ts'

/** What the tour has to know of the cluster. */
export interface TourFacts {
  readonly open: boolean
  readonly primary: number
  /** Requests of this panel that were answered. */
  readonly completed: number
  readonly isolations: number
  readonly faults: number
  /** Cards of views, newest first, are named by this. */
  readonly view: number
}

export const tourStepNames = ['cluster', 'ring', 'verdict', 'submit', 'log', 'isolate', 'again', 'why', 'heal', 'end'] as const
export type TourStepName = (typeof tourStepNames)[number]

export interface TourStep {
  /** Where it is shown; null: anywhere. */
  readonly screen: Screen | null
  /** Selectors of what it points at, the first that is there. `before`: the facts when the step began. */
  readonly anchors: (before: TourFacts, now: TourFacts) => readonly string[]
  /** What it asks for; absent: nothing. */
  readonly isDone?: (before: TourFacts, now: TourFacts) => boolean
}

export const tourSteps: Readonly<Record<TourStepName, TourStep>> = {
  cluster: { screen: 'overview', anchors: () => [byTestId('create-quick'), byTestId(testIds.hostStage)], isDone: (_, now) => now.open },
  ring: { screen: 'overview', anchors: () => [byTestId('replica-ring')] },
  verdict: { screen: null, anchors: () => [byTestId(testIds.verdict)] },
  submit: {
    screen: 'requests',
    anchors: () => [byTestId(testIds.requestSubmit)],
    isDone: (before, now) => now.completed > before.completed,
  },
  log: { screen: 'log', anchors: () => [byTestId(testIds.logRow), byTestId(navTestId('log'))] },
  isolate: {
    screen: 'overview',
    anchors: ({ primary }) => [byTestId(replicaActionTestId('isolate', primary)), byTestId(replicaCardTestId(primary))],
    isDone: (_, now) => now.isolations > 0,
  },
  again: {
    screen: 'requests',
    anchors: () => [byTestId(testIds.requestSubmit)],
    isDone: (before, now) => now.completed > before.completed,
  },
  why: { screen: 'views', anchors: (_, { view }) => [`#view-${view}`, byTestId(testIds.view)] },
  heal: { screen: null, anchors: () => [byTestId(testIds.healAll), byTestId(testIds.verdict)], isDone: (_, now) => now.faults === 0 },
  end: { screen: null, anchors: () => [] },
}

export interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

const gap = 14
const margin = 12

/** Where a card of this size lies beside what it points at without covering it, in a view of this size; in its corner where it cannot. */
export function cardPlace(
  anchor: Box | null,
  card: { readonly width: number; readonly height: number },
  view: Box,
): { left: number; top: number } {
  const rightmost = Math.max(margin, view.width - card.width - margin)
  const lowest = Math.max(margin, view.height - card.height - margin)
  const corner = { left: rightmost, top: lowest }
  if (anchor === null) return corner
  const beside = Math.min(Math.max(margin, anchor.top), lowest)
  const along = Math.min(Math.max(margin, anchor.left), rightmost)
  const places = [
    { fits: anchor.left + anchor.width + gap <= rightmost, left: anchor.left + anchor.width + gap, top: beside },
    { fits: anchor.top + anchor.height + gap <= lowest, left: along, top: anchor.top + anchor.height + gap },
    { fits: anchor.top - gap - card.height >= margin, left: along, top: anchor.top - gap - card.height },
    { fits: anchor.left - gap - card.width >= margin, left: anchor.left - gap - card.width, top: beside },
  ]
  const { left, top } = places.find(({ fits }) => fits) ?? corner
  return { left, top }
}
