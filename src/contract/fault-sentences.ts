/**
 * Faults in a few words, in the languages that the panel speaks: for screens, reports and alarms alike. Parameters: replica, victim, from, to
 * (whole numbers), arrow (one way or both), time ("50 ms"), share ("20 %"), groups ("r0 r1 | r2").
 */
import type { BehaviourName, FaultRequest } from './faults.ts'
import type { replicaActions } from './model.ts'

export const behaviourWords: Readonly<Record<BehaviourName, string>> = {
  equivocate: 'equivocates',
  silent: 'is silent',
  'wrong-digest': 'votes for wrong digests',
  'slow-primary': 'leads slowly',
  'stale-view-change': 'sends stale view changes',
  'lying-checkpoint': 'lies about checkpoints',
  replay: 'repeats old messages',
  forge: 'forges other senders',
  starve: 'starves a replica',
  'spoil-macs': 'spoils MACs',
  invent: 'invents requests',
}

export const zhBehaviourWords: Readonly<Record<BehaviourName, string>> = {
  equivocate: '说法不一',
  silent: '沉默',
  'wrong-digest': '为错误摘要投票',
  'slow-primary': '主节点拖延',
  'stale-view-change': '发送过期的视图切换',
  'lying-checkpoint': '谎报检查点',
  replay: '重放旧消息',
  forge: '冒充其他发送者',
  starve: '饿死一个副本',
  'spoil-macs': '破坏 MAC',
  invent: '捏造请求',
}

/** What an operator did to a replica's process, which is a fault of the run until it is started again. */
type Act = Exclude<(typeof replicaActions)[number], 'start'>

export type FaultKey =
  `fault.${Exclude<FaultRequest['type'], 'byzantine'>}` | `fault.byzantine.${BehaviourName}` | 'fault.starved' | `fault.act.${Act}`

const lies = (words: typeof behaviourWords, colon: string): Readonly<Record<`fault.byzantine.${BehaviourName}`, string>> =>
  Object.fromEntries(Object.entries(words).map(([name, text]) => [`fault.byzantine.${name}`, `r{replica}${colon}${text}`])) as Record<
    `fault.byzantine.${BehaviourName}`,
    string
  >

export const faultSentences: Readonly<Record<FaultKey, string>> = {
  'fault.isolate': 'r{replica} isolated',
  'fault.cut': 'link r{from} {arrow} r{to} cut',
  'fault.delay': 'r{from} {arrow} r{to} delayed by {time}',
  'fault.loss': 'r{from} {arrow} r{to} loses {share}',
  'fault.duplicate': 'r{from} {arrow} r{to} duplicates {share}',
  'fault.reorder': 'r{from} {arrow} r{to} reorders {share}',
  'fault.corrupt': 'r{from} {arrow} r{to} corrupts {share}',
  'fault.partition': 'partition {groups}',
  'fault.pause': 'r{replica} paused',
  ...lies(behaviourWords, ': '),
  'fault.starved': 'r{replica}: starves r{victim}',
  'fault.act.stop': 'r{replica} stopped',
  'fault.act.kill': 'r{replica} killed',
  'fault.act.restart': 'r{replica} restarted',
  'fault.act.wipe': 'r{replica}: disk wiped',
  'fault.act.corrupt': 'r{replica}: state corrupted',
}

export const zhFaultSentences: Readonly<Record<FaultKey, string>> = {
  'fault.isolate': 'r{replica} 被隔离',
  'fault.cut': '链路 r{from} {arrow} r{to} 被切断',
  'fault.delay': 'r{from} {arrow} r{to} 延迟 {time}',
  'fault.loss': 'r{from} {arrow} r{to} 丢失 {share}',
  'fault.duplicate': 'r{from} {arrow} r{to} 重复 {share}',
  'fault.reorder': 'r{from} {arrow} r{to} 乱序 {share}',
  'fault.corrupt': 'r{from} {arrow} r{to} 损坏 {share}',
  'fault.partition': '分区 {groups}',
  'fault.pause': 'r{replica} 被暂停',
  ...lies(zhBehaviourWords, '：'),
  'fault.starved': 'r{replica}：饿死 r{victim}',
  'fault.act.stop': 'r{replica} 被停止',
  'fault.act.kill': 'r{replica} 被终止',
  'fault.act.restart': 'r{replica} 被重启',
  'fault.act.wipe': 'r{replica}：磁盘被清空',
  'fault.act.corrupt': 'r{replica}：状态被破坏',
}

export interface FaultSentence {
  readonly key: FaultKey
  readonly parameters: Readonly<Record<string, string | number>>
}

/** The sentence for a fault; how long it lasts is not part of it. */
export const faultSentence = (fault: FaultRequest): FaultSentence => {
  switch (fault.type) {
    case 'isolate':
    case 'pause':
      return { key: `fault.${fault.type}`, parameters: { replica: fault.replica } }
    case 'byzantine': {
      const { replica, behaviour, victim } = fault
      return victim === null || behaviour !== 'starve'
        ? { key: `fault.byzantine.${behaviour}`, parameters: { replica } }
        : { key: 'fault.starved', parameters: { replica, victim } }
    }
    case 'partition': {
      const groups = fault.groups.map((group) => group.map((id) => `r${id}`).join(' ')).join(' | ')
      return { key: 'fault.partition', parameters: { groups } }
    }
    default: {
      const { from, to, bothWays } = fault
      const link = { from, to, arrow: bothWays ? '↔' : '→' }
      if (fault.type === 'cut') return { key: 'fault.cut', parameters: link }
      if (fault.type === 'delay') return { key: 'fault.delay', parameters: { ...link, time: `${fault.delayMs} ms` } }
      return { key: `fault.${fault.type}`, parameters: { ...link, share: `${Math.round(fault.probability * 1_000) / 10} %` } }
    }
  }
}
