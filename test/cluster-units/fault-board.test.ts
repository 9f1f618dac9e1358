/** What replicas are told of their faults when links come and go. The members are stand-ins: real ones lose their links only in minutes. */
import { expect, it } from 'vitest'
import { FaultBoard } from '../../src/cluster/fault-board.ts'
import type { Member } from '../../src/cluster/member.ts'
import type { TransportFaults } from '../../src/contract/faults.ts'
import { ok } from '../../src/contract/result.ts'

const makeBoard = () => {
  const told: TransportFaults[][] = [[], [], [], []]
  const members = told.map((list, id) => ({
    id,
    up: true,
    paused: false,
    report: null,
    isolated: false,
    faulty: false,
    setFaults: async (faults: TransportFaults) => {
      list.push(faults)
      return ok({ history: [], evidence: [], recorded: null })
    },
  }))
  const board = new FaultBoard({ members: members as unknown as Member[], onChange: () => undefined, onPaused: () => undefined })
  return { board, members, told }
}

const cut = { type: 'cut', from: 1, to: 2, bothWays: true, durationMs: null } as const

it('a replica that was out of reach when its faults were healed is told so when it is back', async () => {
  const { board, members, told } = makeBoard()
  await board.inject(cut)
  members[1]!.up = false
  await board.healAll()
  expect(told[1]!.at(-1)!.outgoing).toHaveLength(1)
  members[1]!.up = true
  await board.memberUp(1)
  expect(told[1]!.at(-1)!.outgoing).toEqual([])
})

it('one that knows, or never had any, is told nothing', async () => {
  const { board, told } = makeBoard()
  await board.inject(cut)
  await board.healAll()
  const before = told.map((list) => list.length)
  for (const id of [0, 1, 2, 3]) await board.memberUp(id)
  expect(told.map((list) => list.length)).toEqual(before)
})
