/** Icon and tone of a replica's state; the word comes from i18n. Never colour alone. */
import {
  CircleCheck,
  CircleQuestionMark,
  CirclePause,
  CircleStop,
  Clock3,
  GitCompareArrows,
  LoaderCircle,
  RefreshCw,
  TriangleAlert,
  Unplug,
  WifiOff,
} from '@lucide/vue'
import type { Component } from 'vue'
import type { ReplicaState } from '../../../contract/model.ts'

export type Tone = 'ok' | 'info' | 'warn' | 'bad' | 'move' | 'idle'

export const replicaLooks: Readonly<Record<ReplicaState, { readonly icon: Component; readonly tone: Tone }>> = {
  starting: { icon: LoaderCircle, tone: 'info' },
  live: { icon: CircleCheck, tone: 'ok' },
  stale: { icon: Clock3, tone: 'warn' },
  unreachable: { icon: WifiOff, tone: 'bad' },
  isolated: { icon: Unplug, tone: 'warn' },
  paused: { icon: CirclePause, tone: 'warn' },
  stopped: { icon: CircleStop, tone: 'idle' },
  recovering: { icon: RefreshCw, tone: 'move' },
  faulty: { icon: TriangleAlert, tone: 'bad' },
  diverged: { icon: GitCompareArrows, tone: 'bad' },
}

export const unknownLook: { readonly icon: Component; readonly tone: Tone } = { icon: CircleQuestionMark, tone: 'idle' }
