/** What is done to replicas before the warm-up: one is stopped, or told to misbehave. */
import { ControlLink } from '../control-link.ts'
import { openFolder } from '../folder.ts'
import type { Disturbance } from './cases.ts'
import type { SystemUnderTest } from './system-under-test.ts'

/** The replica that is the primary of the first view. */
const firstPrimary = 0
const connectWithinMs = 5_000

/** Tells a replica over its control link. Rejects with an Error when it cannot be told. */
const misbehave = async (manifestFile: string, disturbance: Extract<Disturbance, { kind: 'byzantine' }>): Promise<void> => {
  const opened = openFolder(manifestFile)
  if (!opened.ok) throw new Error(opened.error.message)
  const { directory, manifest, operator } = opened.value
  const member = manifest.replicas[firstPrimary]
  if (member === undefined) throw new Error('the manifest has no replicas')
  let link: ControlLink | null = null
  try {
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error('no control link')), connectWithinMs)
      link = new ControlLink({
        directory,
        operator,
        member,
        onUp: () => (clearTimeout(limit), resolve()),
        onDown: () => undefined,
        onFailed: () => undefined,
        onReport: () => undefined,
        onMalformed: () => undefined,
      })
    })
    const byzantine = { behaviour: disturbance.behaviour, victim: null }
    const told = await (link as ControlLink | null)?.call({
      call: 'faults',
      faults: { outgoing: [], incomingCut: [], clientsCut: false, byzantine },
    })
    if (told?.ok !== true) throw new Error(told?.error.message ?? 'no control link')
  } finally {
    ;(link as ControlLink | null)?.close()
  }
}

/** Resolves when it is done; killing the primary is the measured window's own affair. */
export const disturb = async (system: SystemUnderTest, disturbance: Disturbance | null): Promise<void> => {
  if (disturbance?.kind === 'stop-backup') system.nodes.at(-1)?.stop()
  if (disturbance?.kind === 'byzantine' && system.target.kind === 'pbft') await misbehave(system.target.manifestFile, disturbance)
}
