/** Bugs in checkpoints, the replicated state and its transfer. */
import type { Plant } from './plant.ts'

export const checkpointPlants: readonly Plant[] = [
  {
    name: 'inactive-after-transfer',
    pitfall: 22,
    breaks: 'after a state transfer a replica is in no view',
    file: 'protocol/state-transfer.ts',
    find: 'r.transfer = null\n  r.repair = null',
    replace: 'r.transfer = null\n  r.active = false\n  r.repair = null',
  },
  {
    name: 'piece-unverified',
    pitfall: 23,
    breaks: 'a partition is taken from whoever sends it',
    file: 'protocol/state-transfer.ts',
    find: 'message.index, message.bytes) !== piece.digest) return refuse',
    replace: 'message.index, message.bytes) === null) return refuse',
  },
  {
    name: 'no-repair',
    pitfall: 27,
    breaks: 'a replica whose state differs from what a quorum signed goes on with it',
    file: 'protocol/checkpoints.ts',
    find: 'if (own !== null && own !== proven.digest) {',
    replace: 'if (own === null && own !== proven.digest) {',
  },
  {
    name: 'mixed-checkpoints',
    pitfall: null,
    breaks: 'checkpoints with different digests prove each other',
    file: 'protocol/checkpoints.ts',
    find: 'all.filter((other) => other.digest === message.digest)',
    replace: 'all.filter((other) => other.seq === message.seq)',
  },
  {
    name: 'log-dropped-too-far',
    pitfall: null,
    breaks: 'garbage collection takes one sequence number too many',
    file: 'protocol/checkpoints.ts',
    find: 'r.log.dropThrough(stable.seq)',
    replace: 'r.log.dropThrough((stable.seq + 1) as SeqNo)',
  },
  {
    name: 'time-goes-back',
    pitfall: null,
    breaks: 'agreed time follows a clock that is set back',
    file: 'protocol/replicated-state.ts',
    find: 'if (batch.timeMs > this.#timeMs) this.#timeMs = batch.timeMs',
    replace: 'this.#timeMs = batch.timeMs',
  },
  {
    name: 'replies-not-transferred',
    pitfall: null,
    breaks: 'the reply cache is no part of the state that is transferred',
    file: 'protocol/replicated-state.ts',
    find: 'return this.replies.load(replies, bytes)',
    replace: 'return bytes.length >= 0',
  },
]
