/** A replica's account of itself for the control link. */
import type { ReplicaReport } from '../contract/control.ts'
import type { TransportFaults } from '../contract/faults.ts'
import type { ProtocolEvent, ReplicaCore } from '../pbft/protocol/steps.ts'
import type { Clients } from './clients.ts'
import type { Counters } from './counters.ts'
import type { Evidence } from './evidence.ts'
import type { Observation } from './observation.ts'
import type { Recording } from './recording.ts'
import type { Storage } from './storage.ts'
import type { Transport } from './transport.ts'

/** While batches are being executed the state digest is computed anew only this often, ms: it costs what has changed. */
const digestEveryMs = 1_000
/** Asking the system for sizes and times more often than this, ms, tells nothing new. */
const sampleEveryMs = 500

export interface ReporterOptions {
  readonly core: ReplicaCore
  readonly storage: Storage
  readonly transport: Transport
  readonly clients: Clients
  readonly counters: Counters
  readonly observation: Observation
  readonly evidence: Evidence
  readonly recording: Recording
  readonly allowsFaults: boolean
  faults(): TransportFaults
}

export interface Reporter {
  onEvent(event: ProtocolEvent): void
  report(): ReplicaReport
}

type Transfer = ReplicaReport['transfer']

export const createReporter = (options: ReporterOptions): Reporter => {
  const { core, storage } = options
  const startedAt = Date.now()
  let requestsExecuted = 0
  let batchesExecuted = 0
  let transfer: Omit<NonNullable<Transfer>, 'runningMs'> | null = null
  let transferBegan = 0
  let digest = { digest: core.stateDigest(), seq: core.snapshot().lastExecuted as number, at: 0, seenSeq: -1 }
  let sample = { at: 0, cpu: process.cpuUsage(), load: 0, memoryBytes: process.memoryUsage.rss(), diskBytes: storage.diskBytes() }

  const refreshDigest = (lastExecuted: number, now: number): void => {
    // Fresh when nothing moved since the last look, or when it has become old.
    const due = lastExecuted !== digest.seq && (lastExecuted === digest.seenSeq || now - digest.at >= digestEveryMs)
    if (due) digest = { digest: core.stateDigest(), seq: lastExecuted, at: now, seenSeq: lastExecuted }
    else digest.seenSeq = lastExecuted
  }

  const refreshSample = (now: number): void => {
    const elapsedMs = now - sample.at
    if (elapsedMs < sampleEveryMs) return
    const cpu = process.cpuUsage()
    const usedMs = (cpu.user + cpu.system - sample.cpu.user - sample.cpu.system) / 1_000
    const load = sample.at === 0 ? 0 : usedMs / elapsedMs
    sample = { at: now, cpu, load, memoryBytes: process.memoryUsage.rss(), diskBytes: storage.diskBytes() }
  }

  return {
    onEvent(event) {
      if (event.type === 'phase' && event.phase === 'executed') {
        batchesExecuted += 1
        requestsExecuted += event.requests
      }
      if (event.type === 'transfer') {
        const { seq, verified, rejected, remaining, sources } = event
        if (event.state === 'started') transferBegan = Date.now()
        transfer =
          event.state === 'started' || event.state === 'progress' ? { seq, verified, rejected, remaining, sources: [...sources] } : null
        // Another state, perhaps as of the same sequence number.
        if (event.state === 'completed') digest = { ...digest, seq: -1, at: 0 }
      }
    },
    report() {
      const now = Date.now()
      const snapshot = core.snapshot()
      refreshDigest(snapshot.lastExecuted, now)
      refreshSample(now)
      const range = storage.historyRange()
      return {
        pid: process.pid,
        startedAt,
        allowsFaults: options.allowsFaults,
        view: snapshot.view,
        active: snapshot.active,
        primary: snapshot.primary,
        lastExecuted: snapshot.lastExecuted,
        lowWatermark: snapshot.lowWatermark,
        highWatermark: snapshot.highWatermark,
        stableDigest: snapshot.stableDigest,
        stateDigest: digest.digest,
        // State that is known to be damaged is nobody's measure.
        stateDigestSeq: snapshot.damage?.repaired === false ? 0 : digest.seq,
        pending: snapshot.pending,
        inFlight: snapshot.inFlight,
        viewTimeoutMs: snapshot.viewTimeoutMs,
        viewTimerLeftMs: snapshot.viewTimerDueAtMs === null ? null : Math.max(0, snapshot.viewTimerDueAtMs - now),
        transferring: snapshot.transferring,
        probation: snapshot.probation,
        damage: snapshot.damage,
        transfer: snapshot.transferring && transfer !== null ? { ...transfer, runningMs: Math.max(0, now - transferBegan) } : null,
        peersConnected: options.transport.peersConnected(),
        peersHeard: options.transport.peersHeard(),
        clients: options.clients.connected,
        requestsExecuted,
        batchesExecuted,
        historyFirst: range.first,
        historyLast: range.last,
        cpu: sample.load,
        memoryBytes: sample.memoryBytes,
        diskBytes: sample.diskBytes,
        eventsDropped: options.observation.dropped,
        evidence: options.evidence.kept,
        recording: options.recording.status(),
        rejections: { ...options.counters.counts },
        faults: options.faults(),
        at: now,
      }
    },
  }
}
