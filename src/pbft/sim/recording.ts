/** What the simulator writes down for the checkers while it runs. */
import type { ReplicaMessage } from '../protocol/messages.ts'
import type { LogRecord } from '../protocol/records.ts'
import type { Operation, OperationResult } from '../service/index.ts'
import type { ClientCall, ExecutedRequest, LogEvent, TimeMark, Violation, Vote } from './checkers/index.ts'

export class Recording {
  readonly log: LogEvent[] = []
  readonly votes: Vote[] = []
  readonly times: TimeMark[] = []
  readonly calls: ClientCall<Operation, OperationResult>[] = []
  readonly sent: ExecutedRequest[] = []
  /** Found while running: a core that threw, a message that does not decode, an honest replica that others reject. */
  readonly violations: Violation[] = []

  violation(checker: string, detail: string): void {
    this.violations.push({ checker, detail })
  }

  persisted(replica: number, record: LogRecord): void {
    if (record.kind === 'executed') {
      const { seq, digest, batch, results } = record
      this.log.push({ kind: 'executed', replica, seq, digest, timeMs: batch.timeMs, requests: batch.requests, results })
    } else if (record.kind === 'checkpoint') {
      const { seq } = record.message
      if (record.transferred) this.log.push({ kind: 'transferred', replica, seq, durableSeq: 0 })
      else this.times.push({ replica, seq, timeMs: record.timeMs })
    }
  }

  /** A message left a replica. Relayed messages of others are no votes of its own. */
  left(replica: number, message: ReplicaMessage, isPrimary: boolean): void {
    switch (message.type) {
      case 'pre-prepare':
        if (isPrimary) this.votes.push({ replica, type: message.type, view: message.view, seq: message.seq, digest: message.digest })
        break
      case 'prepare':
      case 'commit':
        this.votes.push({ replica, type: message.type, view: message.view, seq: message.seq, digest: message.digest })
        break
      case 'checkpoint':
        if (message.replica === replica) this.votes.push({ replica, type: message.type, view: 0, seq: message.seq, digest: message.digest })
        break
      case 'view-change':
        if (message.replica === replica) this.votes.push({ replica, type: message.type, view: message.view, seq: 0, digest: '' })
        break
      default:
        break
    }
  }
}
