import fc from 'fast-check'
import { expect, it } from 'vitest'
import { frameBytesTarget, framedBytes } from '../../src/link/frames.ts'
import { SendQueue } from '../../src/link/send-queue.ts'

it('pitfall 28: is a bounded queue: what comes out is in order, and what is missing are the oldest', () => {
  const step = fc.oneof(fc.record({ push: fc.integer({ min: 0, max: 400 }) }), fc.constant('take' as const))
  fc.assert(
    fc.property(fc.array(step, { minLength: 1_000, maxLength: 3_000 }), fc.integer({ min: 100, max: 5_000 }), (steps, bytesMax) => {
      const queue = new SendQueue(bytesMax)
      let model: Uint8Array[] = []
      let dropped = 0
      const bytesOf = (messages: readonly Uint8Array[]): number => messages.reduce((sum, message) => sum + framedBytes(message), 0)
      for (const it of steps) {
        if (it === 'take') {
          expect(queue.takeFrame()).toEqual(model)
          model = []
        } else {
          const message = new Uint8Array(it.push)
          queue.push(message)
          model.push(message)
          while (bytesOf(model) > bytesMax && model.length > 1) {
            model.shift()
            dropped += 1
          }
        }
        expect([queue.bytes, queue.isEmpty, queue.dropped]).toEqual([bytesOf(model), model.length === 0, dropped])
      }
    }),
    { numRuns: 10 },
  )
})

it('fills frames up to their target, and sends what is larger alone', () => {
  const queue = new SendQueue(100_000_000)
  for (const size of [10, frameBytesTarget * 3, 20, frameBytesTarget - 100, 90, 30]) queue.push(new Uint8Array(size))
  const sizes: number[][] = []
  while (!queue.isEmpty) sizes.push(queue.takeFrame().map((message) => message.length))
  expect(sizes).toEqual([[10], [frameBytesTarget * 3], [20, frameBytesTarget - 100], [90, 30]])
})
