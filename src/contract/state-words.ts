/** The states of replicas inside a sentence. */
import type { ReplicaState } from './model.ts'
import type { Locale } from './screens.ts'

export const replicaStateWords: Readonly<Record<Locale, Readonly<Record<ReplicaState, string>>>> = {
  en: {
    starting: 'starting',
    live: 'live',
    stale: 'stale',
    unreachable: 'unreachable',
    isolated: 'isolated',
    paused: 'paused',
    stopped: 'stopped',
    recovering: 'recovering',
    faulty: 'faulty',
    diverged: 'diverged',
  },
  'zh-CN': {
    starting: '启动中',
    live: '正常',
    stale: '无消息',
    unreachable: '不可达',
    isolated: '已隔离',
    paused: '已暂停',
    stopped: '已停止',
    recovering: '恢复中',
    faulty: '故障',
    diverged: '分歧',
  },
}

/** The word for what may be a state; as it is when it is none. */
export const stateIn = (locale: Locale, state: string): string => {
  const words = replicaStateWords[locale]
  return Object.hasOwn(words, state) ? words[state as ReplicaState] : state
}
