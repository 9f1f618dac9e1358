/** Bugs in how requests are taken, executed and answered. */
import type { Plant } from './plant.ts'

export const clientPlants: readonly Plant[] = [
  {
    name: 'signatures-never-asked',
    pitfall: 13,
    breaks: 'a client whose MACs do not hold everywhere is not asked for its signature',
    file: 'protocol/authentication.ts',
    find: 'if (isYounger(r, waiting.sinceMs, r.config.statusIntervalMs / 2)) continue',
    replace: 'if (r.view >= 0) continue',
  },
  {
    name: 'superseded-request-waits',
    pitfall: 15,
    breaks: 'a request stays pending although a later one of its client was executed',
    file: 'protocol/pending-requests.ts',
    find: 'pending.request.timestamp <= timestamp',
    replace: 'pending.request.timestamp === timestamp',
  },
  {
    name: 'executed-twice',
    pitfall: 19,
    breaks: 'a request that is ordered twice is executed twice',
    file: 'protocol/replicated-state.ts',
    find: 'request.timestamp <= known.timestamp) {\n        results',
    replace: 'request.timestamp < known.timestamp) {\n        results',
  },
  {
    name: 'reads-never-fall-back',
    pitfall: 20,
    breaks: 'a read that finds no quorum is asked again as a read, for ever',
    file: 'protocol/client.ts',
    find: 'return outstanding.request.readOnly ? begin(c, outstanding.request.operation, false, nowMs)',
    replace: 'return outstanding.request.readOnly ? begin(c, outstanding.request.operation, true, nowMs)',
  },
  {
    name: 'reads-do-not-wait',
    pitfall: null,
    breaks: 'a replica answers reads from a state that may lack what a client was told',
    file: 'protocol/requests.ts',
    find: 'if (r.lastExecuted >= r.highestPrepared && r.transfer === null) return query(r, request)',
    replace: 'if (r.transfer === null) return query(r, request)',
  },
  {
    name: 'one-reply-is-enough',
    pitfall: null,
    breaks: 'a client believes a single replica',
    file: 'protocol/client.ts',
    find: 'final >= weakSize(c.config.n) ? weakSize(c.config.n) : quorumSize(c.config.n)',
    replace: 'final >= 1 ? 1 : quorumSize(c.config.n)',
  },
  {
    name: 'tentative-not-undone',
    pitfall: 24,
    breaks: 'what a tentative execution changed stays, whatever commits there',
    file: 'protocol/undo-log.ts',
    find: 'inverses[i]?.()',
    replace: 'void inverses[i]',
  },
  {
    name: 'tentative-views-mixed',
    pitfall: 24,
    breaks: 'a client adds up tentative replies from different views',
    file: 'protocol/client.ts',
    find: 'return matching.filter(({ reply }) => !reply.tentative || reply.view === most[0])',
    replace: 'return matching.filter(({ reply }) => !reply.tentative || most[0] !== null)',
  },
]
