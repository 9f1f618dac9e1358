/** Alarms: what an operator should know of, newest last, bounded; the same one does not come twice within seconds. */
import { randomUUID } from 'node:crypto'
import type { Alarm } from '../../contract/model.ts'
import { alarmSentences, type AlarmKey } from '../../contract/verdicts.ts'
import { fillSentence, type MessageParameters } from '../sentence.ts'

const alarmsKept = 500
const repeatMs = 5_000

const severities: Record<AlarmKey, Alarm['severity']> = {
  'alarm.replica.exited': 'critical',
  'alarm.replica.startFailed': 'critical',
  'alarm.replica.unreachable': 'warning',
  'alarm.replica.stale': 'warning',
  'alarm.replica.back': 'info',
  'alarm.replica.refused': 'critical',
  'alarm.replica.rejects': 'warning',
  'alarm.replica.diverged': 'critical',
  'alarm.evidence.prePrepare': 'critical',
  'alarm.evidence.checkpoint': 'critical',
  'alarm.evidence.viewChange': 'critical',
  'alarm.evidence.false': 'warning',
  'alarm.replica.dropped': 'info',
  'alarm.disk.lost': 'warning',
  'alarm.disk.changed': 'warning',
  'alarm.state.differed': 'warning',
  'alarm.disk.regained': 'info',
  'alarm.disk.damaged': 'warning',
  'alarm.disk.repaired': 'info',
  'alarm.view.changing': 'warning',
  'alarm.view.entered': 'info',
  'alarm.transfer.started': 'info',
  'alarm.transfer.completed': 'info',
  'alarm.transfer.abandoned': 'warning',
  'alarm.fault.injected': 'info',
  'alarm.fault.healed': 'info',
  'alarm.fault.expired': 'info',
  'alarm.monitor.violated': 'critical',
  'alarm.recovery.failed': 'critical',
  'alarm.recorder.failed': 'critical',
  'alarm.recorder.damaged': 'warning',
  'alarm.recording.off': 'warning',
  'alarm.recording.refused': 'warning',
  'alarm.ports.reassigned': 'warning',
  'alarm.log.begunAnew': 'info',
}

export class Alarms {
  #alarms: Alarm[] = []

  restore(alarms: readonly Alarm[]): void {
    this.#alarms = [...alarms, ...this.#alarms].slice(-alarmsKept)
  }

  /** The new alarm; null when the same was raised within the last five seconds. */
  raise(key: AlarmKey, parameters: MessageParameters, at: number): Alarm | null {
    const sentence = fillSentence(alarmSentences[key], parameters)
    if (this.#alarms.some((alarm) => alarm.sentence === sentence && at - alarm.at < repeatMs)) return null
    const alarm: Alarm = { id: randomUUID(), at, severity: severities[key], key, parameters, sentence }
    this.#alarms = [...this.#alarms, alarm].slice(-alarmsKept)
    return alarm
  }

  list(): readonly Alarm[] {
    return this.#alarms
  }
}
