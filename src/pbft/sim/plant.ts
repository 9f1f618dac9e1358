/**
 * The place where something dishonest or broken goes between a core and its driver: a planted bug, which the checkers have to find,
 * or a Byzantine behaviour, which the others have to survive.
 */
import type { ReplicaCore } from '../protocol/steps.ts'
import type { ReplicaId } from '../protocol/ids.ts'
import type { Random } from './random.ts'

export interface Plant {
  readonly name: string
  /** Called at each start of a replica; returns `core` itself where nothing is planted. */
  wrap(core: ReplicaCore, replica: ReplicaId, random: Random): ReplicaCore
}
