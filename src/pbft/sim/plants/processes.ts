/**
 * Bugs for clusters of real processes: each makes one kind of a scenario's expectation fail. They are no bugs for the simulator, whose
 * checkers look at other things; `pbft-panel demo NAME --plant BUG` runs a cluster with one of them, or with any other plant.
 */
import type { Plant } from './plant.ts'

export const processPlants: readonly Plant[] = [
  {
    name: 'no-replies',
    pitfall: null,
    breaks: 'clients are never answered',
    file: 'protocol/replies.ts',
    find: 'if (r.silence !== null) return\n  const isFull',
    replace: 'if (r.silence !== null || r.view >= 0) return\n  const isFull',
  },
  {
    name: 'replies-name-another-place',
    pitfall: null,
    breaks: 'a reply names the sequence number after its own',
    file: 'protocol/replies.ts',
    find: '      seq,\n      client: request.client',
    replace: '      seq: (seq + 1) as SeqNo,\n      client: request.client',
  },
  {
    name: 'stores-something-else',
    pitfall: null,
    breaks: 'what is stored is not what was given',
    file: 'service/kv.ts',
    find: 'return map.set(key, value) ?',
    replace: "return map.set(key, value === '' ? value : String(Number(value) + 1)) ?",
  },
  {
    name: 'state-of-chance',
    pitfall: null,
    breaks: 'executing an operation leaves a random value behind',
    file: 'service/kv.ts',
    find: 'return map.set(key, value) ?',
    replace: "return map.set('chance', String(Math.random())) && map.set(key, value) ?",
  },
  {
    name: 'restless',
    pitfall: null,
    breaks: 'replicas leave their view again and again for no reason',
    file: '../replica/replica.ts',
    find: "driver.post({ type: 'start', disk })",
    replace:
      "driver.post({ type: 'start', disk })\n" +
      "  setInterval(() => driver.post({ type: 'operator', command: { kind: 'change-view' } }), 2_500).unref()",
  },
]
