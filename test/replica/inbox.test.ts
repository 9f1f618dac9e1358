import fc from 'fast-check'
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { expect, it } from 'vitest'
import { generateKey, sha256, sign, type PrivateKey } from '../../src/link/keys.ts'
import { makeRequestMacs } from '../../src/link/request-macs.ts'
import { directoryOf } from '../../src/link/manifest.ts'
import { asClientId, asClientTimestamp, asReplicaId, asSeqNo, asView } from '../../src/pbft/protocol/ids.ts'
import type { Checkpoint, Message, Prepare, PrePrepare, Request } from '../../src/pbft/protocol/messages.ts'
import { encodeBatch, encodeMessage, requestBody, requestContext, requestSignedBytes, signedBytes } from '../../src/pbft/wire/index.ts'
import { noRecording } from '../../src/replica/recording.ts'
import { createInbox } from '../../src/replica/inbox.ts'
import { createRequestMacs, type RequestMacs } from '../../src/replica/request-macs.ts'
import { createVerifier } from '../../src/replica/verification.ts'
import { makeCluster } from '../support/manifests.ts'
import { until } from '../support/until.ts'

const cluster = makeCluster([1, 2, 3, 4])
const directory = directoryOf(cluster.manifest)
const { clusterId } = cluster.manifest
const primary = cluster.replicaKeys[0] as PrivateKey

const makeInbox = (
  role: 'replica' | 'client',
  peer: string,
  verifier = createVerifier(directory),
  macs: RequestMacs | null = null,
  deferFrom = Infinity,
  mayWait = (_message: PrePrepare): boolean => false,
) => {
  const got: Message[] = []
  const verdicts: (readonly number[])[] = []
  const refused: string[] = []
  const bad: PrePrepare[] = []
  const inbox = createInbox({
    role,
    peer,
    n: 4,
    clusterId,
    verifier,
    macs,
    defers: ({ batch }) => batch.requests.length >= deferFrom,
    mayWait,
    foundBad: (message) => bad.push(message),
    count: (reason) => refused.push(reason),
    recording: noRecording,
    deliver(message, unverified) {
      got.push(message)
      verdicts.push(unverified)
    },
  })
  return { inbox, got, verdicts, refused, bad, take: (...messages: Message[]) => inbox.take(messages.map(encodeMessage)) }
}

const requestOf = (timestamp: number, key = cluster.operator, client = 'operator/a'): Request => {
  const body = {
    type: 'request',
    client: asClientId(client),
    timestamp: asClientTimestamp(timestamp),
    operation: new Uint8Array([1, 2, 3]),
    readOnly: false,
    replier: null,
  } as const
  return { ...body, authentication: { kind: 'signature', signature: sign(key, requestSignedBytes(body, clusterId)) } }
}
const prePrepareOf = (seq: number, requests: readonly Request[], key = primary): PrePrepare => {
  const batch = encodeBatch(1, requests)
  const body = { type: 'pre-prepare', view: asView(0), seq: asSeqNo(seq), digest: sha256(batch.bytes), batch } as const
  return { ...body, signature: sign(key, signedBytes(body, clusterId)) }
}
const prepareOf = (seq: number): Prepare => ({
  type: 'prepare',
  view: asView(0),
  seq: asSeqNo(seq),
  digest: sha256(new Uint8Array(0)),
  replica: asReplicaId(0),
})
const batchOf = (count: number): Request[] => Array.from({ length: count }, (_, i) => requestOf(i + 1))

it('lets through what is signed by who it says', async () => {
  const { got, refused, take } = makeInbox('replica', '0')
  take(prepareOf(1), prePrepareOf(2, batchOf(3)), requestOf(9))
  expect(got.map((message) => message.type)).toEqual(['prepare', 'pre-prepare', 'request'])
  expect(refused).toEqual([])
})

it('keeps the order of a link while a large batch is being checked', async () => {
  const { got, take } = makeInbox('replica', '0')
  take(prePrepareOf(1, batchOf(40)))
  take(prepareOf(2))
  take(prePrepareOf(3, batchOf(2)), prepareOf(4))
  expect(got).toEqual([])
  await until(() => got.length === 4)
  expect(got.map((message) => ('seq' in message ? message.seq : null))).toEqual([1, 2, 3, 4])
})

it('refuses forgeries and lets the rest of the frame through', async () => {
  const { got, refused, take } = makeInbox('replica', '0')
  const stranger = generateKey()
  take(
    prePrepareOf(1, batchOf(2), stranger),
    prepareOf(2),
    prePrepareOf(3, [requestOf(1, stranger)]),
    prePrepareOf(4, [requestOf(1, stranger, 'nobody/a')]),
  )
  const late = batchOf(40)
  take(prePrepareOf(5, [...late, requestOf(99, cluster.guest)]), prepareOf(6))
  await until(() => got.length === 2)
  expect(got.map((message) => ('seq' in message ? message.seq : null))).toEqual([2, 6])
  expect(refused).toEqual(Array.from({ length: 4 }, () => 'bad-signature'))
})

it('refuses a checkpoint relayed with a signature of another replica', () => {
  const { got, refused, take } = makeInbox('replica', '0')
  const body = { type: 'checkpoint', seq: asSeqNo(128), digest: sha256(new Uint8Array(1)), replica: asReplicaId(1) } as const
  const made: Checkpoint = { ...body, signature: sign(primary, signedBytes(body, clusterId)) }
  take(made, { ...made, signature: sign(cluster.replicaKeys[1] as PrivateKey, signedBytes(body, clusterId)) })
  expect(got).toHaveLength(1)
  expect(refused).toEqual(['bad-signature'])
})

it('lets clients send their own requests only', () => {
  const { got, refused, take } = makeInbox('client', 'guest')
  take(requestOf(1, cluster.guest, 'guest/1'), requestOf(2), prepareOf(1), prePrepareOf(1, []))
  take({ ...requestOf(3, cluster.guest, 'guest/1'), authentication: { kind: 'macs', macs: new Uint8Array(64) } })
  expect(got).toHaveLength(1)
  expect(refused).toEqual(['foreign-client', 'unexpected-message', 'unexpected-message', 'unsigned-request'])
})

it('refuses replies and requests without signatures from replicas', () => {
  const { got, refused, take } = makeInbox('replica', '0')
  const macs: Request = { ...requestOf(1), authentication: { kind: 'macs', macs: new Uint8Array(64) } }
  take(macs, prePrepareOf(1, [macs]))
  take({
    type: 'reply',
    view: asView(0),
    seq: asSeqNo(1),
    client: asClientId('operator/a'),
    timestamp: asClientTimestamp(1),
    replica: asReplicaId(0),
    tentative: false,
    result: { kind: 'full', bytes: new Uint8Array(0) },
  })
  expect(got).toEqual([])
  expect(refused).toEqual(['unsigned-request', 'unsigned-request', 'unexpected-message'])
})

it('tells which MACs hold, and refuses bad signatures beside them as ever', () => {
  const key = createSecretKey(randomBytes(32))
  const older = createSecretKey(randomBytes(32))
  const keys = createRequestMacs({ id: 2, clusterId, keyOf: () => older, otherKeysOf: (client) => (client === 'operator/a' ? [key] : []) })
  const { got, verdicts, refused, take } = makeInbox('replica', '0', createVerifier(directory), keys)
  const maced = (timestamp: number, by: KeyObject | null, client = 'operator/a'): Request => {
    const { authentication: _, ...body } = requestOf(timestamp, cluster.operator, client)
    const macs = makeRequestMacs([null, null, by], requestContext(clusterId), requestBody(body))
    return { ...body, authentication: { kind: 'macs', macs } }
  }
  const short: Request = { ...requestOf(1), authentication: { kind: 'macs', macs: new Uint8Array(32) } }
  const moved: Request = { ...requestOf(9), authentication: maced(8, key).authentication }
  const batch = [requestOf(1), maced(2, key), maced(3, older), maced(4, null), maced(5, key, 'guest/a'), short, moved, requestOf(3)]
  take(prePrepareOf(1, batch), maced(1, key), maced(1, createSecretKey(randomBytes(32))), prepareOf(1))
  take(prePrepareOf(2, [maced(2, key), requestOf(1, cluster.guest)]))
  expect(got.map((message) => message.type)).toEqual(['pre-prepare', 'request', 'request', 'prepare'])
  expect(verdicts).toEqual([[3, 4, 5, 6], [], [0], []])
  expect(refused).toEqual(['bad-signature'])
})

it('leaves the signatures of clients unchecked where the core defers that, but not those of replicas', () => {
  const stranger = generateKey()
  const { got, verdicts, refused, take } = makeInbox('replica', '0', createVerifier(directory), null, 3)
  const forged = [requestOf(1), requestOf(2, stranger), requestOf(3)]
  take(prePrepareOf(1, forged), prePrepareOf(2, forged.slice(0, 2)), prePrepareOf(3, forged, stranger), requestOf(2, stranger))
  expect(got.map((message) => ('seq' in message ? message.seq : null))).toEqual([1])
  expect(verdicts).toEqual([[0, 1, 2]])
  expect(refused).toEqual(['bad-signature', 'bad-signature', 'bad-signature'])
})

it('lets a proposal through unchecked where it may wait, and says when one that was checked is badly signed', () => {
  const stranger = generateKey()
  const mayWait = ({ seq }: PrePrepare): boolean => seq === 1
  const { got, refused, bad, take } = makeInbox('replica', '0', createVerifier(directory), null, Infinity, mayWait)
  take(
    prePrepareOf(1, [requestOf(1)], stranger),
    prePrepareOf(1, [requestOf(1, stranger)], primary),
    prePrepareOf(2, [requestOf(1)], stranger),
  )
  expect(got.map((message) => ('seq' in message ? message.seq : null))).toEqual([1])
  expect(refused).toEqual(['bad-signature', 'bad-signature'])
  expect(bad.map(({ seq }) => seq)).toEqual([1, 2])
})

it('remembers signatures by signer and bytes: the same signature on other bytes is refused', () => {
  const verifier = createVerifier(directory)
  const { got, refused, take } = makeInbox('client', 'operator', verifier)
  const request = requestOf(1)
  take(request, request)
  take({ ...request, timestamp: asClientTimestamp(2) })
  take({ ...request, client: asClientId('operator/b') })
  expect(got).toHaveLength(2)
  expect(refused).toEqual(['bad-signature', 'bad-signature'])
})

it('never throws and never delivers what was changed on the way', () => {
  const originals = [encodeMessage(prePrepareOf(1, batchOf(2))), encodeMessage(requestOf(1))]
  fc.assert(
    fc.property(fc.constantFrom(...originals), fc.nat(), fc.integer({ min: 1, max: 255 }), (original, at, flip) => {
      const { inbox, got } = makeInbox('replica', '0')
      const bytes = Uint8Array.from(original)
      const place = at % bytes.length
      bytes[place] = (bytes[place] as number) ^ flip
      inbox.take([bytes])
      // The batch is covered by its digest, which the core compares.
      expect(got.filter((message) => message.type !== 'pre-prepare' || sha256(message.batch.bytes) === message.digest)).toEqual([])
    }),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const { inbox, got, refused } = makeInbox('client', 'guest')
      inbox.take([bytes])
      expect(got).toEqual([])
      expect(refused).toHaveLength(1)
    }),
    { numRuns: 500 },
  )
})
