/** The count of the design (100,000) takes minutes: `npm run pitfall28`. Here PBFT_PITFALL_28_REQUESTS, or a part of it. */
import { expect, it } from 'vitest'
import { runStoppedReplica, stoppedPeerCapMb } from '../torture/stopped-replica.ts'

const requests = Number(process.env['PBFT_PITFALL_28_REQUESTS'] ?? 4_000)
/** Beside what a replica takes by itself, what is kept for a peer grows with what is sent to it. */
const ownMb = 220
const capMb = Math.min(stoppedPeerCapMb, ownMb + requests / 100)

it('pitfall 28: memory for a peer that is stopped stays under a cap, and the peer catches up', async () => {
  const figures = await runStoppedReplica(requests)
  expect(figures.failed).toBe(0)
  expect(figures.behind).toBeGreaterThan(0)
  expect(figures.highestMb, JSON.stringify(figures.memory)).toBeLessThan(capMb)
  expect(figures.backMs).not.toBeNull()
}, 600_000)
