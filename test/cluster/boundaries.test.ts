/** kill -9 between what a replica writes and what it sends, at every kind of place, under load; the disk survives. */
import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { boundaryRounds } from '../torture/nemesis.ts'
import { runTorture } from '../torture/run.ts'

it('kill -9 before and after a commit and before and after a frame: nothing acknowledged is lost', async () => {
  const rounds = boundaryRounds(4, [1, 2, 5])
  const { result } = await runTorture({
    seed: 28,
    seconds: 0,
    replicas: 4,
    clients: 6,
    thinkMs: 10,
    durability: 'process',
    calm: false,
    rounds,
    onRound: () => undefined,
  })
  expect(result.verdicts.flatMap(({ violations }) => violations)).toEqual([])
  expect(Object.keys(result.rounds)).toHaveLength(rounds.length)
  rmSync(result.folder, { recursive: true, force: true })
}, 900_000)
