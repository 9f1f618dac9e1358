import { expect, it } from 'vitest'
import { flipStateByte } from '../../../src/pbft/faults/index.ts'
import { asClientId } from '../../../src/pbft/protocol/ids.ts'
import { createService, encodeOperation } from '../../../src/pbft/service/index.ts'

const context = { client: asClientId('c/1'), timeMs: 0, resultBytesMax: 1_000_000 }

const filled = () => {
  const service = createService()
  const operation = encodeOperation({ type: 'put', key: 'colour', value: 'blue' })
  if (operation === null) throw new Error('no operation')
  service.execute(operation, context)
  service.takeDirtyPartitions()
  return service
}

it('changes one byte of one partition, which a checkpoint then sees', () => {
  const service = filled()
  const before = Array.from({ length: service.partitionCount }, (_, index) => service.savePartition(index))
  const partition = flipStateByte(service)
  expect(partition).not.toBeNull()
  const changed = before.flatMap((bytes, index) => {
    const after = service.savePartition(index)
    const differing = bytes.length === after.length ? bytes.filter((byte, at) => byte !== after[at]).length : Infinity
    return differing === 0 ? [] : [[index, differing]]
  })
  expect(changed).toEqual([[partition, 1]])
  expect(service.takeDirtyPartitions()).toContain(partition)
})

it('has nothing to change where there is no state', () => {
  expect(flipStateByte(createService())).toBeNull()
})
