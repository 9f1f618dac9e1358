import { afterEach, expect, it } from 'vitest'
import { noLinkFault, type LinkRule } from '../../src/pbft/faults/index.ts'
import { createFaultLine, type FaultLine } from '../../src/replica/fault-line.ts'
import { until } from '../support/until.ts'

const lines: FaultLine[] = []
afterEach(() => {
  for (const line of lines.splice(0)) line.close()
})

const makeLine = (rule: LinkRule) => {
  const got: string[] = []
  const line = createFaultLine((bytes, how) => got.push(`${bytes[0]}${how === 'corrupt' ? ' corrupt' : ''}`) > 0)
  line.setRule(rule)
  lines.push(line)
  return { got, line, send: (count: number) => Array.from({ length: count }, (_, i) => line.send(Uint8Array.of(i))) }
}
const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))

it('passes everything on at once without a fault', () => {
  const { got, send } = makeLine(noLinkFault)
  send(100)
  expect(got).toEqual(upTo(100))
})

it('holds messages back and keeps their order', async () => {
  const { got, send } = makeLine({ ...noLinkFault, delayMs: 10, jitterMs: 20 })
  send(100)
  expect(got).toEqual([])
  await until(() => got.length === 100)
  expect(got).toEqual(upTo(100))
})

it('delivers what is under way when it is healed, in order, and loses it when it is cut', async () => {
  const { got, line, send } = makeLine({ ...noLinkFault, delayMs: 60_000 })
  send(3)
  line.setRule({ ...noLinkFault, delayMs: 60_000 })
  expect(got).toEqual([])
  line.setRule(noLinkFault)
  line.send(Uint8Array.of(3))
  expect(got).toEqual(upTo(4))
  line.setRule({ ...noLinkFault, delayMs: 60_000 })
  line.send(Uint8Array.of(4))
  line.setRule({ ...noLinkFault, cut: true })
  line.setRule(noLinkFault)
  line.send(Uint8Array.of(5))
  expect(got).toEqual([...upTo(4), '5'])
})

it('cuts, duplicates and corrupts', async () => {
  const cut = makeLine({ ...noLinkFault, cut: true })
  cut.send(5)
  const twice = makeLine({ ...noLinkFault, duplicate: 1 })
  twice.send(1)
  const corrupt = makeLine({ ...noLinkFault, corrupt: 1 })
  corrupt.send(1)
  await until(() => twice.got.length === 2 && corrupt.got.length === 1)
  expect(cut.got).toEqual([])
  expect(twice.got).toEqual(['0', '0'])
  expect(corrupt.got).toEqual(['0 corrupt'])
})
