/** Icon and tone of what a next fault would do; the word comes from i18n. */
import { CircleCheck, Minus, OctagonAlert, TriangleAlert } from '@lucide/vue'
import type { Component } from 'vue'
import type { NextFault, NextFaultKind } from '../../lib/next-fault.ts'
import { t } from '../../i18n/index.ts'
import { replicaNames } from '../../lib/format.ts'
import type { Tone } from '../replica/replica-looks.ts'

export const nextLooks: Readonly<Record<NextFaultKind, { readonly icon: Component; readonly tone: Tone }>> = {
  nothing: { icon: Minus, tone: 'idle' },
  tolerated: { icon: CircleCheck, tone: 'ok' },
  last: { icon: TriangleAlert, tone: 'warn' },
  stops: { icon: OctagonAlert, tone: 'bad' },
  stopped: { icon: OctagonAlert, tone: 'bad' },
}

/** The whole of it in a sentence or two. */
export function nextWords({ replicas, kind, available, nextView }: NextFault, quorum: number): string {
  const words = t(`nextFault.${kind}Text`, { replicas: replicaNames(replicas), available, quorum })
  return nextView === null ? words : `${words} ${t('nextFault.viewChange', nextView)}`
}
