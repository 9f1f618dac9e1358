/** Bugs in how votes are counted, and in what is voted for. */
import type { Plant } from './plant.ts'

export const votePlants: readonly Plant[] = [
  {
    name: 'mixed-digests',
    pitfall: 8,
    breaks: 'votes for different digests add up',
    file: 'protocol/votes.ts',
    find: 'this.#views[i] === view && this.#digests[i] === digest',
    replace: 'this.#views[i] === view && digest !== null',
  },
  {
    name: 'prepare-as-commit',
    pitfall: 9,
    breaks: 'a prepare counts as a commit too',
    file: 'protocol/ordering.ts',
    find: 'if (slot === null || !slot.prepares.add(from, vote.view, vote.digest)',
    replace: 'if (slot === null || !slot.prepares.add(from, vote.view, vote.digest) || !slot.commits.add(from, vote.view, vote.digest)',
  },
  {
    name: 'quorum-of-2f+1',
    pitfall: 11,
    breaks: 'a quorum is 2f+1 also where n is not 3f+1',
    file: 'protocol/quorum.ts',
    find: 'Math.ceil((n + faultsTolerated(n) + 1) / 2)',
    replace: '2 * faultsTolerated(n) + 1',
    replicas: 6,
  },
  {
    name: 'repetition-counts',
    pitfall: 12,
    breaks: 'a vote that comes twice counts twice',
    file: 'protocol/votes.ts',
    find: 'if ((this.#views[replica] ?? view) >= view) return false\n    this.#views[replica] = view\n    this.#digests[replica] = digest',
    replace:
      'const place = this.#views[replica] === view ? this.#views.findIndex((other) => other < view) : replica\n' +
      '    if ((this.#views[place] ?? view) >= view) return false\n    this.#views[place] = view\n    this.#digests[place] = digest',
  },
  {
    name: 'primary-counts-twice',
    pitfall: 12,
    breaks: 'the pre-prepare counts as a vote of the primary beside its prepare',
    file: 'protocol/ordering.ts',
    find: 'slot.prepares.count(r.view, digest) < r.quorum',
    replace: 'slot.prepares.count(r.view, digest) + 1 < r.quorum',
  },
  {
    name: 'sender-unchecked',
    pitfall: 9,
    breaks: 'a commit counts for whom it names, not for who sent it',
    file: 'protocol/replica.ts',
    find: 'return onCommit(r, from, message)',
    replace: 'return onCommit(r, message.replica, message)',
  },
  {
    name: 'second-proposal-taken',
    pitfall: 26,
    breaks: 'a second pre-prepare for a place takes the place of the first',
    file: 'protocol/ordering.ts',
    find: '(accepted !== null && accepted !== message.digest) || message.seq <= chosenThrough(r)',
    replace: 'message.seq <= chosenThrough(r)',
  },
  {
    name: 'above-high-watermark',
    pitfall: 25,
    breaks: 'a backup accepts what lies above the high watermark',
    file: 'protocol/ordering.ts',
    find: 'if (message.seq > highWatermark(r)) return reject(',
    replace: 'if (message.seq > highWatermark(r) + 1_000) return reject(',
  },
]
