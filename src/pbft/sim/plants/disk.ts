/** Bugs in what a replica remembers over a crash. */
import type { Plant } from './plant.ts'

export const diskPlants: readonly Plant[] = [
  {
    name: 'prepare-before-disk',
    pitfall: 21,
    breaks: 'votes leave before the record that backs them is durable',
    file: 'protocol/state.ts',
    find: "r.out.push({ type: 'send', to: r.peers, message, gated: true })",
    replace: "r.out.push({ type: 'send', to: r.peers, message, gated: false })",
  },
  {
    name: 'prepared-not-replayed',
    pitfall: 21,
    breaks: 'after a restart a replica does not know what it had prepared',
    file: 'protocol/restore.ts',
    find: 'recordPrepared(r, r.log.open(seq), digest, view)\n}',
    replace: 'if (view < 0) recordPrepared(r, r.log.open(seq), digest, view)\n}',
  },
  {
    name: 'primary-goes-on',
    pitfall: 21,
    breaks: 'a restarted primary proposes again in its view, and may have forgotten what it proposed there',
    file: 'protocol/view-change.ts',
    find: 'if (r.restarted && r.active',
    replace: 'if (r.restarted && r.view < 0 && r.active',
  },
]
