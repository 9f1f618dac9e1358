/** Who is faulty for the whole run, at most f replicas, and in which way. */
import { behaviourNames, createOutbox, type BehaviourName, type Outbox } from '../faults/index.ts'
import type { Capabilities } from '../protocol/capabilities.ts'
import { asReplicaId } from '../protocol/ids.ts'
import type { ProtocolConfig } from '../protocol/config.ts'
import { faultsTolerated } from '../protocol/quorum.ts'
import { createLiar } from './liar.ts'
import { createOutdated } from './outdated.ts'
import type { Random } from './random.ts'
import { createPerjurer } from './perjurer.ts'
import { createUsurper } from './usurper.ts'

/** The behaviours that real replicas can be told to have, and what only the simulator can do. */
export const traitorNames = [
  ...behaviourNames,
  'lie', // says something else to everyone, about anything
  'perjure', // tells in its view-changes of batches that nobody prepared
  'usurp', // leads new views that unmake what was ordered, with or without the view-changes of others
  'outdated', // answers reads from a past state, and lets others commit late
  'twins', // two instances with one replica's keys, each seen by others
  'flip', // honest, but once its state changes by itself
] as const
export type TraitorName = (typeof traitorNames)[number]

/** By replica id. */
export type Traitors = ReadonlyMap<number, TraitorName>

/** At most f replicas; there is one pair of twins at most. */
export function drawTraitors(random: Random, names: readonly TraitorName[], n: number): Traitors {
  const traitors = new Map<number, TraitorName>()
  for (const name of names.slice(0, faultsTolerated(n))) {
    const drawn = random.whole(0, n - 1)
    // Views are few: it is the one that leads the first new one.
    let id = name === 'usurp' ? 1 : drawn
    while (traitors.has(id)) id = (id + 1) % n
    const isSecondPair = name === 'twins' && [...traitors.values()].includes('twins')
    traitors.set(id, isSecondPair ? 'lie' : name)
  }
  return traitors
}

const isBehaviour = (name: TraitorName): name is BehaviourName => behaviourNames.some((known) => known === name)

/** What leaves a traitor instead of what its core sends; null: just that. */
export function createTraitorOutbox(name: TraitorName, config: ProtocolConfig, capabilities: Capabilities, random: Random): Outbox | null {
  const { id, n, viewTimeoutMs } = config
  if (name === 'lie') return createLiar({ id, n, capabilities, random })
  if (name === 'perjure') return createPerjurer(id, capabilities, random)
  if (name === 'outdated') return createOutdated(asReplicaId((id + random.whole(1, n - 1)) % n))
  if (name === 'usurp') return createUsurper({ id, n, capabilities, random })
  if (!isBehaviour(name)) return null
  const victim = asReplicaId(random.whole(0, n - 1))
  return createOutbox(name, { id, n, viewTimeoutMs, victim, capabilities, random: random.next })
}
