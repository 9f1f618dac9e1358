/** What the simulator writes down for the checkers while it runs. */
import type { ReplicaMessage, ViewChange } from '../protocol/messages.ts'
import type { LogRecord } from '../protocol/records.ts'
import type { Operation, OperationResult } from '../service/index.ts'
import type {
  ClientCall,
  ExecutedRequest,
  LogEvent,
  OrderEvent,
  Prepared,
  Taken,
  TimeMark,
  Told,
  Violation,
  Vote,
} from './checkers/index.ts'

export class Recording {
  readonly log: LogEvent[] = []
  readonly votes: Vote[] = []
  readonly told: Told[] = []
  readonly order: OrderEvent[] = []
  readonly promises: Prepared[] = []
  readonly taken: Taken[] = []
  readonly times: TimeMark[] = []
  readonly calls: ClientCall<Operation, OperationResult>[] = []
  readonly sent: ExecutedRequest[] = []
  /** Found while running: a core that threw, a message that does not decode, an honest replica that others reject. */
  readonly violations: Violation[] = []

  violation(checker: string, detail: string): void {
    this.violations.push({ checker, detail })
  }

  persisted(replica: number, record: LogRecord): void {
    switch (record.kind) {
      case 'executed': {
        const { seq, digest, batch, results } = record
        this.log.push({ kind: 'executed', replica, seq, digest, timeMs: batch.timeMs, requests: batch.requests, results })
        break
      }
      case 'checkpoint': {
        const { seq } = record.message
        if (record.transferred) this.log.push({ kind: 'transferred', replica, seq, durableSeq: 0 })
        else this.times.push({ replica, seq, timeMs: record.timeMs })
        break
      }
      case 'pre-prepared':
        this.order.push({ kind: 'pre-prepared', seq: record.seq, digest: record.digest })
        break
      case 'prepared':
        this.promises.push({ replica, view: record.view, seq: record.seq, digest: record.digest })
        break
      case 'new-view':
        this.order.push({ kind: 'entered', replica, view: record.message.view, chosen: record.message.chosen })
        break
      default:
        break
    }
  }

  /** A client takes an answer to a request that was ordered at `seq`. */
  answered(client: string, timestamp: number, seq: number): void {
    this.taken.push({ client, timestamp, seq, after: this.promises.length })
  }

  /** A message left a replica, whose log is `logWindow` long. Relayed messages of others are no votes of its own. */
  left(replica: number, message: ReplicaMessage, isPrimary: boolean, logWindow: number): void {
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
        if (message.replica === replica) this.#leftView(message, logWindow)
        break
      default:
        break
    }
  }

  #leftView({ replica, view, stable, prepared, prePrepared }: ViewChange, logWindow: number): void {
    this.votes.push({ replica, type: 'view-change', view, seq: 0, digest: '' })
    this.told.push({ replica, view, low: stable.seq, high: stable.seq + logWindow, prepared, prePrepared, after: this.votes.length })
  }
}
