/** One replica, put together: core, storage, links and control. */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { recordedPieceBytes } from '../contract/control.ts'
import type { TransportFaults } from '../contract/faults.ts'
import { recordingFolder, type Manifest } from '../contract/manifest.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import { accept, directoryOf, sha256, sign, type Accepter, type Link, type LinkHandlers, type PrivateKey } from '../link/index.ts'
import type { Capabilities } from '../pbft/protocol/capabilities.ts'
import { asReplicaId } from '../pbft/protocol/ids.ts'
import type { Message, ReplicaMessage } from '../pbft/protocol/messages.ts'
import { createReplica } from '../pbft/protocol/replica.ts'
import type { ProtocolEvent } from '../pbft/protocol/steps.ts'
import { flipStateByte } from '../pbft/faults/index.ts'
import { createService } from '../pbft/service/index.ts'
import { encodeBatch, requestSignedParts, signedBytes } from '../pbft/wire/index.ts'
import { createByzantine } from './byzantine.ts'
import { createClients, type Clients } from './clients.ts'
import { createControl, type Control } from './control.ts'
import { createCounters } from './counters.ts'
import { toldDifference } from './difference.ts'
import { createDriver } from './driver.ts'
import { createEvidence } from './evidence.ts'
import { createGenesis } from './genesis.ts'
import { createInbox } from './inbox.ts'
import { createMemoryStorage } from './memory-storage.ts'
import { readNarrowText } from './narrow-text.ts'
import { createObservation } from './observation.ts'
import { createPatience } from './patience.ts'
import { createProposalSignatures } from './proposal-signatures.ts'
import { createReporter } from './report.ts'
import { createRequestMacs, provenByLink } from './request-macs.ts'
import { openSqliteStorage } from './sqlite-storage.ts'
import { noRecording, openRecording, type Recording } from './recording.ts'
import type { Storage } from './storage.ts'
import { createTransport, type Transport } from './transport.ts'
import { createVerifier } from './verification.ts'

export interface ReplicaOptions {
  readonly manifest: Manifest
  readonly id: number
  readonly key: PrivateKey
  readonly dataFolder: string
  readonly genesisFile: string
  readonly allowFaults: boolean
  /** What of the run is kept for those who look at it afterwards, bytes; 0: nothing. */
  readonly recordingBytesMax: number
  readonly log: Logger
  /** Nothing more will come of this replica: storage failed, or an invariant broke. */
  onFatal(error: unknown): void
  /** An operator asked it to end. */
  onStop(): void
}

export interface RunningReplica {
  readonly port: number
  /** Ends links, timers and the database; resolves when the port is free. */
  close(): Promise<void>
}

const capabilitiesOf = (key: PrivateKey, clusterId: string): Capabilities => ({
  digest: sha256,
  encodeBatch,
  sign: (message) => sign(key, signedBytes(message, clusterId)),
})

const openStorage = ({ manifest, id, dataFolder }: ReplicaOptions): Storage =>
  manifest.durability === 'none'
    ? createMemoryStorage()
    : openSqliteStorage({ folder: dataFolder, clusterId: manifest.clusterId, replica: id, durability: manifest.durability })

/** A recording that cannot be is no reason not to run. */
const startRecording = ({ manifest, id, dataFolder, recordingBytesMax, log }: ReplicaOptions): Recording => {
  if (recordingBytesMax === 0) return noRecording
  const onFailed = (error: unknown): void => log.warn({ err: error }, 'the run is not recorded any more')
  try {
    const folder = join(dataFolder, recordingFolder)
    return openRecording({ folder, clusterId: manifest.clusterId, id, bytesMax: recordingBytesMax, onFailed })
  } catch (error) {
    onFailed(error)
    return noRecording
  }
}

/**
 * Fewer requests are checked as fast as the votes of others come. With 64 clients leaving the check to others gives 1.1 to 1.2 times the
 * operations per second of CPU (measured in turns on a busy machine), for one flush more on the way to a reply.
 */
const deferProofFrom = 32

const none = new Uint8Array(0)

/** How often a replica looks whether its data is still there, ms. */
const checkStorageMs = 1_000

/** Events that operators want to see in the status at once. */
const notable: ReadonlySet<ProtocolEvent['type']> = new Set([
  'evidence',
  'damaged',
  'view-change-started',
  'view-entered',
  'transfer',
  'divergence',
  'probation',
])
/** Too frequent for the log; the control link has them. */
const frequent: ReadonlySet<ProtocolEvent['type']> = new Set([
  'phase',
  'request-received',
  'rejected',
  'view-timer',
  'checkpoint',
  'checkpoint-received',
  'stable',
])

/**
 * Starts a replica: reads its log, listens, dials its peers. Errors: `start-failed` when it cannot listen. Throws StorageError
 * when the data folder cannot be used.
 */
export const startReplica = async (options: ReplicaOptions): Promise<Result<RunningReplica>> => {
  const { manifest, id, key, log } = options
  const member = manifest.replicas[id]
  if (member === undefined) return fail('bad-request', `the manifest has replicas 0 to ${manifest.replicas.length - 1}, no ${id}`)
  const n = manifest.replicas.length
  const directory = directoryOf(manifest)
  const counters = createCounters((reason, detail) => log.warn({ reason, detail }, 'refused'))
  const verifier = createVerifier(directory)
  const observation = createObservation()
  const evidence = createEvidence(manifest.clusterId)
  const takesMacs = manifest.authentication === 'mac'
  const proposals = createProposalSignatures({
    id,
    n,
    clusterId: manifest.clusterId,
    verifier,
    count: counters.count,
    now: () => performance.now(),
    random: Math.random,
  })
  let faults: TransportFaults = { outgoing: [], incomingCut: [], clientsCut: false, byzantine: null }

  const storage = openStorage(options)
  const config = { ...manifest.parameters, n, id: asReplicaId(id), deferProofFrom }
  const capabilities = capabilitiesOf(key, manifest.clusterId)
  const recording = startRecording(options)
  const persisted = storage.load()
  const genesis = createGenesis(options.genesisFile)
  const disk = genesis.originOf(persisted)
  if (disk === 'lost') log.warn('the disk is empty, and this is no first start: on probation until the others have gone on far enough')
  recording.start(config, persisted)
  const recorded: Capabilities = { ...capabilities, sign: (message) => recording.signed(capabilities.sign(message)) }
  const service = createService(readNarrowText)
  const core = createReplica(config, recorded, service, persisted)

  const onEvent = (event: ProtocolEvent, atMs: number): void => {
    if (event.type === 'evidence' && !proposals.areProven(event.first, event.second)) return
    if (event.type === 'rejected') {
      counters.count(event.reason, `${event.message} from ${event.from ?? 'itself'}`)
      recording.rejected(event.reason)
    }
    if (event.type === 'damaged') counters.count('damaged-state', `the partitions on disk are not those of checkpoint ${event.seq}`)
    if (event.type === 'checkpoint') recording.checkpoint(event.seq, event.digest)
    if (event.type === 'evidence') evidence.onEvent(event, atMs)
    const told = event.type === 'differed' ? toldDifference(event, service.partitionCount) : event
    observation.onEvent(told, atMs)
    reporter.onEvent(event)
    if (event.type === 'evidence') log.warn({ signer: event.signer, kind: event.first.type }, event.type)
    else if (!frequent.has(event.type)) log.info({ event: told }, event.type)
    // After this turn: the status is then what the event led to.
    if (notable.has(event.type)) setImmediate(control.pushStatus)
  }

  const patience = createPatience({ n, id, now: () => performance.now() })
  const flush = (): void => {
    transport.flush()
    clients.flush()
  }
  const outbox = createByzantine({
    id,
    n,
    viewTimeoutMs: config.viewTimeoutMs,
    capabilities,
    send: (to, message) => transport.send(to, message),
    reply: (reply) => clients.reply(reply),
    wantSignature: (message) => clients.wantSignature(message),
    flush,
  })
  const driver = createDriver({
    core,
    storage,
    recording,
    send(to, message) {
      if (proposals.mayLeave(message)) outbox.send(to, message)
      else transport.withhold(to, message)
    },
    reply: outbox.reply,
    wantSignature: outbox.wantSignature,
    onDurable(records) {
      if (disk === 'kept' || records.some(({ kind }) => kind === 'born')) genesis.used()
    },
    checkSignatures({ seq, digest, batch }) {
      verifier.check(requestSignedParts(batch.requests, manifest.clusterId), (holds) =>
        driver.post({ type: 'signatures-checked', seq, digest, holds: holds.every(Boolean) }),
      )
    },
    flush,
    onEvent,
    onFatal: options.onFatal,
  })

  const requestMacs = takesMacs
    ? createRequestMacs({
        id,
        clusterId: manifest.clusterId,
        keyOf: (client) => clients.requestKey(client),
        otherKeysOf: (client) => clients.otherRequestKeys(client),
      })
    : null

  const transport: Transport = createTransport({
    manifest,
    directory,
    id,
    key,
    count: counters.count,
    recording,
    patience,
    inboxFor: (peer) =>
      createInbox({
        role: 'replica',
        peer: String(peer),
        n,
        clusterId: manifest.clusterId,
        verifier,
        macs: requestMacs,
        defers: (message) => core.defers(message),
        mayWait: (message) => proposals.mayWait(peer, message),
        foundBad: (message) => proposals.foundBad(peer, message),
        count: counters.count,
        recording,
        deliver: (message: Message, unverified, wire) =>
          driver.post({ type: 'message', from: peer, message: message as ReplicaMessage, unverified }, wire),
      }),
    onConnected: (peer) => driver.post({ type: 'connected', peer }),
    log: (message, peer, detail) => log.info({ peer, detail }, message),
  })

  const clients: Clients = createClients({
    count: counters.count,
    recording,
    patience,
    inboxFor: (link, deliver) =>
      createInbox({
        role: 'client',
        peer: link.peer.name,
        n,
        clusterId: manifest.clusterId,
        verifier,
        macs: takesMacs ? provenByLink : null,
        defers: () => false,
        mayWait: () => false,
        foundBad: () => undefined,
        count: counters.count,
        recording,
        deliver: (message, unverified, wire) => {
          if (message.type === 'request') deliver(message, unverified.length > 0, wire)
        },
      }),
    deliver: (request, isUnverified, wire) => driver.post({ type: 'request', request, isUnverified }, wire),
  })

  const reporter = createReporter({
    core,
    storage,
    transport,
    clients,
    counters,
    observation,
    evidence,
    recording,
    allowsFaults: options.allowFaults,
    faults: () => faults,
  })

  // The system keeps a deleted file for those who have it open: without a look, nothing would fail until the restart.
  const watch = setInterval(() => {
    try {
      storage.check()
    } catch (error) {
      options.onFatal(error)
    }
  }, checkStorageMs)

  const history: Storage['history'] = (after, limit, bytesMax) => {
    try {
      return storage.history(after, limit, bytesMax)
    } catch (error) {
      options.onFatal(error)
      return []
    }
  }
  const control: Control = createControl({
    count: counters.count,
    observation,
    allowsFaults: options.allowFaults,
    report: reporter.report,
    setFaults(next) {
      faults = next
      transport.setFaults(next)
      clients.setCut(next.clientsCut)
      outbox.set(next.byzantine)
      recording.faults(next)
      log.info({ faults: next }, 'faults')
    },
    history,
    evidence: (after) => evidence.since(after),
    recorded(segment, offset) {
      const { place, bytes } = recording.read({ segment, offset }, recordedPieceBytes) ?? { place: { segment, offset }, bytes: none }
      return { ...place, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'), last: recording.last }
    },
    changeView: () => driver.post({ type: 'operator', command: { kind: 'change-view' } }),
    corruptState() {
      const partition = flipStateByte(service)
      log.warn({ partition }, 'state corrupted')
      return partition !== null
    },
    stop: options.onStop,
  })

  const onLink = (link: Link): LinkHandlers => {
    if (link.peer.role === 'replica') return transport.acceptLink(link)
    return link.peer.role === 'client' ? clients.acceptLink(link) : control.acceptLink(link)
  }

  const stopParts = (): void => {
    clearInterval(watch)
    driver.stop()
    outbox.close()
    patience.close()
    control.close()
    clients.close()
    transport.close()
    observation.close()
  }

  const accepter: Result<Accepter> = await accept({
    directory,
    id,
    key,
    host: member.host,
    port: member.port,
    onLink,
    onRejected: counters.count,
  })
  if (!accepter.ok) {
    stopParts()
    storage.close()
    return accepter
  }
  driver.post({ type: 'start', disk })
  transport.start()
  return ok({
    port: accepter.value.port,
    async close() {
      driver.finish()
      stopParts()
      await accepter.value.close()
      await recording.close()
      storage.close()
    },
  })
}
