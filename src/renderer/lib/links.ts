/** State of the link between two replicas, as the overview's ring and the fault matrix show it. */
import type { ActiveFault } from '../../contract/faults.ts'
import type { ReplicaStatus } from '../../contract/model.ts'

export type LinkState = 'up' | 'one-way' | 'down' | 'cut' | 'disturbed'

export interface LinkBetween {
  readonly a: number
  readonly b: number
  readonly state: LinkState
}

/** The faults that act on frames from one replica to another. */
export function faultsOnLink(faults: readonly ActiveFault[], from: number, to: number): readonly ActiveFault[] {
  return faults.filter(({ fault }) => {
    switch (fault.type) {
      case 'isolate':
        return fault.replica === from || fault.replica === to
      case 'pause':
      case 'byzantine':
        return false
      case 'partition': {
        const groupOf = (replica: number): number => fault.groups.findIndex((ids) => ids.includes(replica))
        return groupOf(from) !== groupOf(to)
      }
      default:
        return (fault.from === from && fault.to === to) || (fault.bothWays === true && fault.from === to && fault.to === from)
    }
  })
}

const cuts = (active: ActiveFault): boolean => ['isolate', 'cut', 'partition'].includes(active.fault.type)
const running = (replica: ReplicaStatus): boolean =>
  replica.state !== 'stopped' && replica.state !== 'unreachable' && replica.state !== 'paused'

/** Every pair once, a below b. What the operator did explains a silent link, so it is named first. */
export function linksOf(replicas: readonly ReplicaStatus[], faults: readonly ActiveFault[]): LinkBetween[] {
  const links: LinkBetween[] = []
  for (const a of replicas) {
    for (const b of replicas) {
      if (a.id >= b.id) continue
      links.push({ a: a.id, b: b.id, state: stateOf(a, b, faults) })
    }
  }
  return links
}

function stateOf(a: ReplicaStatus, b: ReplicaStatus, faults: readonly ActiveFault[]): LinkState {
  const there = faultsOnLink(faults, a.id, b.id)
  const back = faultsOnLink(faults, b.id, a.id)
  if (there.some(cuts) && back.some(cuts)) return 'cut'
  if (there.some(cuts) || back.some(cuts)) return 'one-way'
  if (!running(a) || !running(b)) return 'down'
  const heardThere = b.peersHeard.includes(a.id)
  const heardBack = a.peersHeard.includes(b.id)
  if (!heardThere && !heardBack) return 'down'
  if (there.length > 0 || back.length > 0) return 'disturbed'
  return heardThere && heardBack ? 'up' : 'one-way'
}
