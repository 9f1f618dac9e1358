/** A broken core is found: small bugs, planted between core and driver, each with the checker that has to see it. */
import { describe, expect, it } from 'vitest'
import type { Effect, ReplicaCore } from '../../src/pbft/protocol/steps.ts'
import { asDigest, asReplicaId } from '../../src/pbft/protocol/ids.ts'
import { runSwarm, type Plant } from '../../src/pbft/sim/index.ts'

/** Passes every effect of every replica through `change`, which returns what takes its place. */
const plantOf = (name: string, change: (effect: Effect, replica: number) => Effect[]): Plant => ({
  name,
  wrap: (core: ReplicaCore, replica) => ({
    step: (input, nowMs) => core.step(input, nowMs).flatMap((effect) => change(effect, replica)),
    snapshot: () => core.snapshot(),
    stateDigest: () => core.stateDigest(),
  }),
})

const plants: [Plant, string][] = [
  [plantOf('no commit leaves', (effect) => (effect.type === 'send' && effect.message.type === 'commit' ? [] : [effect])), 'liveness'],
  [plantOf('nothing waits for the disk', (effect) => (effect.type === 'send' ? [{ ...effect, gated: false }] : [effect])), 'votes'],
  [
    plantOf('one replica executes something else', (effect, replica) => {
      if (replica !== 1 || effect.type !== 'persist' || effect.record.kind !== 'executed') return [effect]
      return [{ ...effect, record: { ...effect.record, digest: asDigest('00'.repeat(32)) } }]
    }),
    'agreement',
  ],
  [
    plantOf('one replica gives other results', (effect, replica) => {
      if (replica !== 2 || effect.type !== 'persist' || effect.record.kind !== 'executed') return [effect]
      return [{ ...effect, record: { ...effect.record, results: effect.record.results.map(() => Uint8Array.of(7)) } }]
    }),
    'exactly-once',
  ],
  [
    plantOf('checkpoints are lost', (effect) => (effect.type === 'persist' && effect.record.kind === 'checkpoint' ? [] : [effect])),
    'order',
  ],
  [
    plantOf('votes in the name of another', (effect, replica) => {
      if (effect.type !== 'send' || effect.message.type !== 'checkpoint') return [effect]
      return [{ ...effect, message: { ...effect.message, replica: asReplicaId((replica + 1) % 4) } }]
    }),
    'authenticity',
  ],
]

describe('a planted bug is found', () => {
  it.each(plants.map(([plant, checker]) => ({ name: plant.name, plant, checker })))(
    '$name: $checker',
    ({ plant, checker }) => {
      const found = new Set<string>()
      const ends = ({ violations }: { violations: readonly { checker: string }[] }): boolean => {
        for (const violation of violations) found.add(violation.checker)
        return !found.has(checker)
      }
      const swarm = { seeds: 200, first: 1, replicas: 4, steps: 2_000, plant }
      const { seeds } = runSwarm({ ...swarm, onProgress: ends })
      expect([...found], `after ${seeds} seeds`).toContain(checker)
    },
    60_000,
  )
})
