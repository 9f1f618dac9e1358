import { expect, it } from 'vitest'
import { createService, encodeOperation, decodeResult, type Operation } from '../../src/pbft/service/index.ts'
import { asClientId } from '../../src/pbft/protocol/ids.ts'
import { readNarrowText } from '../../src/replica/narrow-text.ts'

it('reads every byte as the unit of its value, wherever in its memory the view lies', () => {
  const memory = Uint8Array.from({ length: 600 }, (_, i) => i % 256)
  for (const offset of [0, 1, 255, 300]) {
    const view = new Uint8Array(memory.buffer, offset, 300)
    const text = readNarrowText(view, 10, 290)
    expect(Array.from(text, (unit) => unit.charCodeAt(0))).toEqual([...view.subarray(10, 290)])
  }
  const other = Uint8Array.of(0xe4, 0)
  expect(readNarrowText(other, 0, 2)).toBe('\u00e4\u0000')
  expect(readNarrowText(other, 1, 1)).toBe('')
})

it('makes the same state as the reading of the service itself', () => {
  const services = [createService(), createService(readNarrowText)]
  const operations: Operation[] = [
    { type: 'put', key: 'k', value: 'plain' },
    { type: 'put', key: '\u00ff\u0000', value: '\u0080'.repeat(5_000) },
    { type: 'put', key: 'wide \u4e2d', value: '\ud800 alone' },
    { type: 'open', account: 'a', balance: 5 },
    { type: 'get', key: '\u00ff\u0000' },
  ]
  const context = { client: asClientId('a/1'), timeMs: 1, resultBytesMax: 1_000_000 }
  const [own, platform] = services.map((service) => operations.map((operation) => service.execute(encodeOperation(operation), context)))
  expect(platform).toEqual(own)
  expect(decodeResult(own!.at(-1)!)).toEqual({ ok: true, value: '\u0080'.repeat(5_000) })
  const dirty = services.map((service) => service.takeDirtyPartitions())
  expect(dirty[1]).toEqual(dirty[0])
  for (const index of dirty[0]!) expect(services[1]!.savePartition(index)).toEqual(services[0]!.savePartition(index))
})
