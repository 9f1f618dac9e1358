/** Whatever a replica says or writes down can be read back as it was: in runs that take every kind of message and of record. */
import { describe, expect, it } from 'vitest'
import type { Message, ReplicaMessage, Reply } from '../../../src/pbft/protocol/messages.ts'
import type { LogRecord } from '../../../src/pbft/protocol/records.ts'
import { decodeMessage, decodeRecord, encodeMessage, encodeRecord } from '../../../src/pbft/wire/index.ts'
import { add } from '../../support/counter-service.ts'
import { Cluster, TestDisk } from '../../support/protocol-cluster.ts'

interface Heard {
  readonly cluster: Cluster
  readonly said: Message[]
}

const listen = (options: ConstructorParameters<typeof Cluster>[0] = {}): Heard => {
  const said: Message[] = []
  const note = (message: ReplicaMessage): boolean => {
    said.push(message)
    return true
  }
  const cluster = new Cluster({ ...options, filter: ({ message }) => note(message) })
  cluster.replyFilter = (reply: Reply) => {
    said.push(reply)
    return true
  }
  return { cluster, said }
}

const check = ({ cluster, said }: Heard, records: readonly LogRecord[] = []): void => {
  said.push(...cluster.wanted.map(({ message }) => message))
  for (const message of said) expect(decodeMessage(encodeMessage(message))).toEqual({ ok: true, value: message })
  for (const record of [...records, ...cluster.nodes.flatMap((node) => node.disk.records)]) {
    // The partitions of a checkpoint are stored beside its record.
    const stored = record.kind === 'checkpoint' ? { ...record, partitions: [] } : record
    expect(decodeRecord(encodeRecord(record))).toEqual({ ok: true, value: stored })
  }
}

const changeView = (cluster: Cluster, ...ids: number[]): void => {
  for (const id of ids) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
  cluster.run(500)
}

describe('what replicas say and write', () => {
  it('in the normal case, over a view change, and with a replica that has to fetch the state', () => {
    const heard = listen()
    const { cluster } = heard
    const client = cluster.addClient()
    for (let i = 0; i < 6; i++) cluster.call(client, add(i))
    cluster.read(client, add(1, 0))
    changeView(cluster, 1, 2)
    cluster.crash(3)
    for (let i = 0; i < 20; i++) cluster.call(client, add(i))
    cluster.restart(3)
    cluster.run(2_000)
    cluster.stop(2)
    cluster.restart(2)
    cluster.run(1_000)
    cluster.call(client, add(1))
    const kinds = new Set(cluster.nodes.flatMap((node) => node.disk.records.map((record) => record.kind)))
    for (const kind of ['pre-prepared', 'prepared', 'executed', 'checkpoint', 'stable', 'view-change', 'new-view', 'stopped', 'started']) {
      expect(kinds).toContain(kind)
    }
    check(heard)
  })

  it('when a disk is lost', () => {
    const heard = listen()
    const { cluster } = heard
    const client = cluster.addClient()
    for (let i = 0; i < 5; i++) cluster.call(client, add(i))
    const lost = cluster.node(1).disk.records
    cluster.crash(1)
    cluster.restart(1, new TestDisk('lost'))
    cluster.run(6_000)
    expect(cluster.eventsOf(1, 'probation').map(({ state }) => state)).toEqual(['began', 'waiting', 'ended'])
    check(heard, lost)
  })

  it('with MACs that do not hold everywhere', () => {
    const heard = listen()
    const { cluster } = heard
    const client = cluster.addClient('a/1', { goodFor: [0, 1, 2] })
    const deaf = new Set(['prepare'])
    heard.cluster.filter = ({ to, message }) => {
      heard.said.push(message)
      return to !== 3 || !deaf.has(message.type)
    }
    // Replica 3 gets the batch, and nobody's vote for it but commits: it executes what it cannot prove.
    cluster.submit(client, add(1))
    cluster.deliver()
    cluster.run(300)
    expect(cluster.executed(3).get(1)).toBe(cluster.executed(0).get(1))
    // And without these too it asks for a signature.
    deaf.add('commit')
    cluster.submit(client, add(1))
    cluster.deliver()
    cluster.run(300)
    expect(cluster.wanted.map(({ from }) => from)).toContain(3)
    check(heard)
  })

  it('when batches are answered tentatively', () => {
    const heard = listen({ config: { tentativeExecution: true } })
    const client = heard.cluster.addClient()
    for (let i = 0; i < 6; i++) heard.cluster.call(client, add(i))
    expect(heard.cluster.replies.some(({ reply }) => reply.tentative)).toBe(true)
    check(heard)
  })
})
