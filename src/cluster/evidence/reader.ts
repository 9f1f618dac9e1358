/** Asks replicas for the evidence that they say they hold, and hands what is true of it on. */
import type { ReplicaReport } from '../../contract/control.ts'
import type { Evidence } from '../../contract/model.ts'
import type { AlarmKey } from '../../contract/verdicts.ts'
import type { Member } from '../member.ts'
import type { EvidenceBook } from './book.ts'
import type { MessageParameters } from '../sentence.ts'

export interface EvidenceReaderOptions {
  readonly book: EvidenceBook
  onAlarm(key: AlarmKey, parameters: MessageParameters): void
  /** An entry is new, or another replica has seen it. */
  onEvidence(evidence: Evidence): void
}

interface Read {
  /** Of which run of the replica. */
  readonly startedAt: number
  count: number
  isAsking: boolean
}

const alarmOf: Record<Evidence['kind'], AlarmKey> = {
  'pre-prepare': 'alarm.evidence.prePrepare',
  checkpoint: 'alarm.evidence.checkpoint',
  'view-change': 'alarm.evidence.viewChange',
}

export class EvidenceReader {
  readonly #options: EvidenceReaderOptions
  readonly #read = new Map<number, Read>()

  constructor(options: EvidenceReaderOptions) {
    this.#options = options
  }

  onReport(member: Member, report: ReplicaReport): void {
    const known = this.#read.get(member.id)
    const read = known?.startedAt === report.startedAt ? known : { startedAt: report.startedAt, count: 0, isAsking: false }
    this.#read.set(member.id, read)
    if (report.evidence > read.count && !read.isAsking) void this.#ask(member, read)
  }

  async #ask(member: Member, read: Read): Promise<void> {
    read.isAsking = true
    const answer = await member.call({ call: 'evidence', after: read.count })
    read.isAsking = false
    if (!answer.ok) return
    const { evidence } = answer.value
    read.count += evidence.length
    for (const pair of evidence) {
      const taken = this.#options.book.add(member.id, pair, pair.at - member.clock.ms)
      if (taken === 'false') this.#options.onAlarm('alarm.evidence.false', { replica: member.id })
      else if (taken !== 'known') this.#take(taken.evidence, taken.isNew)
    }
  }

  #take(evidence: Evidence, isNew: boolean): void {
    this.#options.onEvidence(evidence)
    const { kind, signer, view, seq } = evidence
    const place = { ...(view === null ? {} : { view }), ...(seq === null ? {} : { seq }) }
    if (isNew) this.#options.onAlarm(alarmOf[kind], { replica: signer, ...place })
  }
}
