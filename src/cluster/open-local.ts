/** The cluster that a shell opens when nobody asked for another: `local`, made on first use. */
import type { ClusterStatus } from '../contract/model.ts'
import { fail, type Result } from '../contract/result.ts'
import type { Host } from './host-interface.ts'

const localName = 'local'
const localReplicas = 4

/**
 * Opens the local cluster and starts its replicas; makes it when there is none yet.
 * @param replicas its size; null: as it is, 4 when it is made. Error `cluster-exists` when it has another size.
 */
export const openLocalCluster = async (host: Host, replicas: number | null): Promise<Result<ClusterStatus>> => {
  const clusters = await host.call('clusters', {})
  if (!clusters.ok) return clusters
  const existing = clusters.value.find(({ name }) => name === localName)
  if (existing === undefined) {
    const created = await host.call('createCluster', { name: localName, replicas: replicas ?? localReplicas })
    if (!created.ok) return created
  } else if (replicas !== null && existing.replicas !== replicas) {
    return fail(
      'cluster-exists',
      `The local cluster in ${existing.folder} has ${existing.replicas} replicas, not ${replicas}: remove that folder or choose another data folder.`,
    )
  }
  return host.call('openCluster', { name: localName })
}
