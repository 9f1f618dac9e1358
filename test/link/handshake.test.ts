import { describe, expect, it } from 'vitest'
import { accepterHandshake, dialerHandshake, type DialerIdentity, type HandshakeStep } from '../../src/link/handshake.ts'
import { generateKey, type PrivateKey } from '../../src/link/keys.ts'
import { directoryOf } from '../../src/link/manifest.ts'
import { makeCluster } from '../support/manifests.ts'

const cluster = makeCluster([1, 2, 3, 4])
const directory = directoryOf(cluster.manifest)
const keyOf = (id: number): PrivateKey => cluster.replicaKeys[id] as PrivateKey
const asReplica = (id: number, key = keyOf(id)): DialerIdentity => ({ role: 'replica', name: String(id), key })

const sent = (step: HandshakeStep): Uint8Array => {
  if (step.kind === 'failed') throw new Error(`${step.reason}: ${step.detail}`)
  if (step.send === null) throw new Error('nothing sent')
  return step.send
}

/** Runs both sides until one fails or the dialer is done. */
const meet = (identity: DialerIdentity, to: number, accepterKey = keyOf(to), theirs = directory, accepterId = to) => {
  const dialer = dialerHandshake(directory, identity, to)
  const accepter = accepterHandshake(theirs, accepterId, accepterKey)
  const answer = accepter.onMessage(dialer.hello)
  if (answer.kind !== 'continue') return { by: 'accepter', step: answer } as const
  const proof = dialer.onMessage(answer.send)
  if (proof.kind !== 'continue') return { by: 'dialer', step: proof } as const
  const welcome = accepter.onMessage(proof.send)
  if (welcome.kind !== 'done') return { by: 'accepter', step: welcome } as const
  return { by: 'both', step: dialer.onMessage(sent(welcome)), accepted: welcome } as const
}

describe('two who know each other', () => {
  for (const identity of [
    asReplica(3),
    { role: 'client', name: 'guest', key: cluster.guest },
    { role: 'control', name: 'operator', key: cluster.operator },
  ] as const) {
    it(`${identity.role} ${identity.name}: the same keys at both ends`, () => {
      const met = meet(identity, 1)
      if (met.by !== 'both' || met.step.kind !== 'done') throw new Error('no session')
      const [mine, theirs] = [met.step.session, met.accepted.session]
      expect(mine.peer).toEqual({ role: 'replica', name: '1' })
      expect(theirs.peer).toEqual({ role: identity.role, name: identity.name })
      expect(mine.sendKey.equals(theirs.receiveKey)).toBe(true)
      expect(mine.receiveKey.equals(theirs.sendKey)).toBe(true)
      expect(mine.requestKey.equals(theirs.requestKey)).toBe(true)
      expect(mine.sendKey.equals(mine.receiveKey)).toBe(false)
    })
  }

  it('every session has keys of its own', () => {
    const [a, b] = [meet(asReplica(3), 1), meet(asReplica(3), 1)]
    if (a.step.kind !== 'done' || b.step.kind !== 'done') throw new Error('no session')
    expect(a.step.session.sendKey.equals(b.step.session.sendKey)).toBe(false)
  })
})

describe('refusals', () => {
  const other = makeCluster([1, 2, 3, 4], { clusterId: 'ff'.repeat(16) })
  const fails = (met: ReturnType<typeof meet>, by: 'dialer' | 'accepter', reason: string): void => {
    expect(met.by).toBe(by)
    expect(met.step).toMatchObject({ kind: 'failed', reason })
  }

  it('by the accepter', () => {
    fails(meet(asReplica(3, generateKey()), 1), 'accepter', 'wrong-key')
    fails(meet(asReplica(7, keyOf(3)), 1), 'accepter', 'unknown-peer')
    fails(meet({ role: 'replica', name: '03', key: keyOf(3) }, 1), 'accepter', 'unknown-peer')
    fails(meet({ role: 'client', name: 'nobody', key: cluster.guest }, 1), 'accepter', 'unknown-peer')
    fails(meet({ role: 'client', name: 'operator', key: cluster.guest }, 1), 'accepter', 'wrong-key')
    fails(meet({ role: 'control', name: 'guest', key: cluster.guest }, 1), 'accepter', 'not-operator')
    fails(meet(asReplica(1), 1), 'accepter', 'wrong-peer')
    fails(meet(asReplica(3), 1, keyOf(2), directory, 2), 'accepter', 'wrong-peer')
    fails(meet(asReplica(3), 1, keyOf(1), directoryOf(other.manifest)), 'accepter', 'wrong-cluster')
  })

  it('by the dialer, of a replica with another key', () => {
    fails(meet(asReplica(3), 1, generateKey()), 'dialer', 'wrong-key')
  })

  it('of one who presents a key that it does not hold', () => {
    const thief: PrivateKey = { ...generateKey(), publicKey: keyOf(3).publicKey }
    fails(meet(asReplica(3, thief), 1), 'accepter', 'bad-signature')
    const impostor: PrivateKey = { ...generateKey(), publicKey: keyOf(1).publicKey }
    fails(meet(asReplica(3), 1, impostor), 'dialer', 'bad-signature')
  })

  it('of a recorded run, replayed', () => {
    const dialer = dialerHandshake(directory, asReplica(3), 1)
    const proof = sent(dialer.onMessage(sent(accepterHandshake(directory, 1, keyOf(1)).onMessage(dialer.hello))))
    const again = accepterHandshake(directory, 1, keyOf(1))
    again.onMessage(dialer.hello)
    expect(again.onMessage(proof)).toMatchObject({ kind: 'failed', reason: 'bad-signature' })
  })

  it('of an ephemeral key of low order', () => {
    const dialer = dialerHandshake(directory, asReplica(3), 1)
    const hello = JSON.parse(Buffer.from(dialer.hello).toString('utf8')) as object
    const bad = Buffer.from(JSON.stringify({ ...hello, ephemeral: '00'.repeat(32) }))
    expect(accepterHandshake(directory, 1, keyOf(1)).onMessage(bad)).toMatchObject({ kind: 'failed', reason: 'malformed' })
  })

  it('of garbage, at every step', () => {
    const hello = dialerHandshake(directory, asReplica(3), 1).hello
    const garbage = [
      new Uint8Array(0),
      new Uint8Array(64),
      new Uint8Array(5_000),
      Buffer.from('{}'),
      Buffer.from('null'),
      hello.subarray(1),
    ]
    for (const bytes of garbage) {
      expect(accepterHandshake(directory, 1, keyOf(1)).onMessage(bytes)).toMatchObject({ kind: 'failed', reason: 'malformed' })
      const dialer = dialerHandshake(directory, asReplica(3), 1)
      expect(dialer.onMessage(bytes)).toMatchObject({ kind: 'failed', reason: 'malformed' })
      const accepter = accepterHandshake(directory, 1, keyOf(1))
      accepter.onMessage(hello)
      expect(accepter.onMessage(bytes)).toMatchObject({ kind: 'failed', reason: 'bad-signature' })
    }
  })

  it('of any changed byte in the answer or the proof', () => {
    for (const at of [0, 63, 64, 90, 200, 300]) {
      const dialer = dialerHandshake(directory, asReplica(3), 1)
      const accepter = accepterHandshake(directory, 1, keyOf(1))
      const answer = Uint8Array.from(sent(accepter.onMessage(dialer.hello)))
      answer[at] = (answer[at] as number) ^ 1
      expect(dialer.onMessage(answer).kind).toBe('failed')
    }
  })
})
