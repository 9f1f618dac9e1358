/** All parts of the fuzzing, with their shares of the inputs. */
import { createRandom } from '../../src/pbft/sim/index.ts'
import { fuzzFrames, fuzzHandshakes, fuzzWire } from './codecs.ts'
import { fuzzLive } from './live.ts'
import type { Outcome } from './outcome.ts'
import { fuzzContract, fuzzShell } from './panel.ts'

/** Of one million; what costs more gets less. */
const shares = {
  wire: 0.5,
  frames: 0.1,
  handshakes: 0.005,
  control: 0.15,
  client: 0.12,
  replica: 0.1,
  stranger: 0.002,
  contract: 0.018,
  contractOpen: 0.002,
  shell: 0.003,
} as const

export interface FuzzOptions {
  readonly seed: number
  readonly inputs: number
  onPart(outcome: Outcome): void
}

/** Runs every part; a problem in one does not stop the others. */
export const runFuzz = async ({ seed, inputs, onPart }: FuzzOptions): Promise<Outcome[]> => {
  const random = createRandom(seed, 'fuzz')
  const outcomes: Outcome[] = []
  const add = (...made: readonly Outcome[]): void => {
    for (const outcome of made) {
      outcomes.push(outcome)
      onPart(outcome)
    }
  }
  const share = (part: keyof typeof shares): number => Math.ceil(inputs * shares[part])
  add(fuzzWire(random.fork('wire'), seed, share('wire')))
  add(fuzzFrames(random.fork('frames'), seed, share('frames')))
  add(fuzzHandshakes(random.fork('handshakes'), share('handshakes')))
  add(
    ...(await fuzzLive(random.fork('live'), seed, {
      control: share('control'),
      client: share('client'),
      replica: share('replica'),
      stranger: share('stranger'),
    })),
  )
  add(await fuzzContract(random.fork('contract'), share('contract'), false))
  add(await fuzzContract(random.fork('contract-open'), share('contractOpen'), true))
  add(await fuzzShell(random.fork('shell'), share('shell')))
  return outcomes
}
