/** A local cluster whose ports other programs have taken moves to free ones before any of its replicas starts. */
import { saveManifest, type OpenedFolder } from './folder.ts'
import { findFreePorts, isLoopback, isPortFree } from './ports.ts'

/** Replicas of a host that was killed need a moment to go and free their ports. */
const portWaitMs = 3_000
const portPollMs = 50

/** New ports for a local cluster when some of its own are taken; null when it can keep them. The manifest is written again. */
export const reassignPorts = async (
  opened: OpenedFolder,
): Promise<{ readonly opened: OpenedFolder; readonly ports: readonly number[] } | null> => {
  const { manifest, localReplicas, file } = opened
  if (localReplicas.size < manifest.replicas.length || !manifest.replicas.every(({ host }) => isLoopback(host))) return null
  const deadline = Date.now() + portWaitMs
  const taken = async (): Promise<number[]> => {
    const free = await Promise.all(manifest.replicas.map(({ host, port }) => isPortFree(host, port)))
    return manifest.replicas.filter((_, i) => free[i] === false).map(({ id }) => id)
  }
  let ids = await taken()
  while (ids.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, portPollMs))
    ids = await taken()
  }
  if (ids.length === 0) return null
  const ports = await findFreePorts('127.0.0.1', ids.length)
  const replicas = manifest.replicas.map((member) => {
    const at = ids.indexOf(member.id)
    return at === -1 ? member : { ...member, port: ports[at] ?? member.port }
  })
  saveManifest(file, { ...manifest, replicas })
  return { opened: { ...opened, manifest: { ...manifest, replicas } }, ports }
}
