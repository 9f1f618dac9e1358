/** Which replica a scenario means: resolved at the moment of the act or check. */
import type { ClusterStatus } from '../../contract/model.ts'
import type { ReplicaRef } from '../../contract/scenarios.ts'
import { StepFailure } from './stage.ts'

export type Resolve = (ref: ReplicaRef) => number

/** Throws StepFailure for a name that was not remembered, a replica that is not there, or a primary that nobody knows. */
export const resolverOf =
  (status: ClusterStatus, remembered: ReadonlyMap<string, number>): Resolve =>
  (ref) => {
    const id = typeof ref === 'number' ? ref : ref.startsWith('@') ? remembered.get(ref.slice(1)) : byRole(status, ref)
    if (id === undefined || id >= status.n) throw new StepFailure(`there is no replica ${ref}`)
    return id
  }

const byRole = (status: ClusterStatus, ref: string): number => {
  if (status.primary === null) throw new StepFailure('no quorum of replicas tells who is primary')
  const steps = ref === 'primary' ? 0 : Number(ref.slice('backup-'.length))
  if (steps >= status.n) throw new StepFailure(`there is no ${ref} among ${status.n} replicas`)
  return (status.primary + steps) % status.n
}

const replicaFields = new Set(['replica', 'from', 'to', 'victim'])

/** A scenario's fault with its replicas resolved; what is not right in it `injectFault` finds. */
export const faultWith = (fault: Readonly<Record<string, unknown>>, resolve: Resolve): Record<string, unknown> => {
  const isRef = (value: unknown): value is ReplicaRef => typeof value === 'string' || typeof value === 'number'
  const resolved = (value: unknown): unknown => (isRef(value) ? resolve(value) : Array.isArray(value) ? value.map(resolved) : value)
  return Object.fromEntries(
    Object.entries(fault).map(([field, value]) => [field, replicaFields.has(field) || field === 'groups' ? resolved(value) : value]),
  )
}
