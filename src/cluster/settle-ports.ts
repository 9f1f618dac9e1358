/**
 * Before the local replicas of a cluster start: what holds their ports. Replicas that answer there were started by somebody else
 * and are only connected to. A cluster of the panel's own data folder moves to free ports when strangers have taken its own; a
 * folder that the user gave is never written to.
 */
import { dial } from '../link/index.ts'
import { saveManifest, type OpenedFolder } from './folder.ts'
import { findFreePorts, isLoopback, isPortFree } from './ports.ts'

/** Replicas of a host that was killed need a moment to go and free their ports, ms: of an own cluster, and of a given one. */
const ownWaitMs = 3_000
const givenWaitMs = 1_000
const portPollMs = 50
/** How long a replica may take to shake hands, ms. */
const answerMs = 2_000

export interface SettledPorts {
  /** Without the replicas that run already among the local ones. */
  readonly opened: OpenedFolder
  /** The new ports of an own cluster; null when it keeps them. */
  readonly moved: readonly number[] | null
}

/**
 * Looks at the ports of the local replicas. `own`: the cluster lies in the panel's data folder, so that its manifest may be written
 * again. A port that a stranger keeps shows when the replica does not start.
 */
export const settlePorts = async (opened: OpenedFolder, own: boolean): Promise<SettledPorts> => {
  const taken = await takenPorts(opened, own ? ownWaitMs : givenWaitMs)
  if (taken.length === 0) return { opened, moved: null }
  const answers = await Promise.all(taken.map((member) => answersAs(opened, member)))
  if (answers.includes(true)) {
    const running = taken.filter((_, i) => answers[i] === true).map(({ id }) => id)
    const localReplicas = new Set([...opened.localReplicas].filter((id) => !running.includes(id)))
    return { opened: { ...opened, localReplicas }, moved: null }
  }
  const { manifest, localReplicas } = opened
  const movable = own && localReplicas.size === manifest.replicas.length && manifest.replicas.every(({ host }) => isLoopback(host))
  return movable ? moveTo(opened, taken) : { opened, moved: null }
}

type ManifestMember = OpenedFolder['manifest']['replicas'][number]

/** The local replicas whose ports cannot be listened on, still after `waitMs`. */
const takenPorts = async ({ manifest, localReplicas }: OpenedFolder, waitMs: number): Promise<ManifestMember[]> => {
  const deadline = Date.now() + waitMs
  const local = manifest.replicas.filter(({ id }) => localReplicas.has(id))
  for (;;) {
    const free = await Promise.all(local.map(({ host, port }) => isPortFree(host, port)))
    const taken = local.filter((_, i) => free[i] === false)
    if (taken.length === 0 || Date.now() >= deadline) return taken
    await new Promise((resolve) => setTimeout(resolve, portPollMs))
  }
}

/** Whether a replica with the member's key shakes hands at its port. */
const answersAs = ({ directory, operator }: OpenedFolder, to: ManifestMember): Promise<boolean> =>
  new Promise((resolve) => {
    const settle = (answers: boolean): void => {
      clearTimeout(timer)
      // The dialer calls back before it is at rest.
      queueMicrotask(() => dialer.close())
      resolve(answers)
    }
    const timer = setTimeout(() => settle(false), answerMs)
    const dialer = dial({
      directory,
      identity: { role: 'control', name: operator.name, key: operator.key },
      to,
      onLink: () => {
        settle(true)
        return { onMessages: () => undefined, onClose: () => undefined }
      },
      onFailed: (reason) => {
        if (reason !== null) settle(false)
      },
    })
  })

const moveTo = async (opened: OpenedFolder, taken: readonly ManifestMember[]): Promise<SettledPorts> => {
  const { manifest, file } = opened
  const ports = await findFreePorts('127.0.0.1', taken.length)
  const replicas = manifest.replicas.map((member) => ({ ...member, port: ports[taken.indexOf(member)] ?? member.port }))
  saveManifest(file, { ...manifest, replicas })
  return { opened: { ...opened, manifest: { ...manifest, replicas } }, moved: ports }
}
