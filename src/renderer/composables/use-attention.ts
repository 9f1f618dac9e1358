/** Tells the desktop of what needs attention while nobody looks at the panel: a violation, a divergence, a lost replica, a stuck cluster. */
import { watch } from 'vue'
import type { Alarm } from '../../contract/model.ts'
import { t } from '../i18n/index.ts'
import { sentenceOf } from '../i18n/words.ts'
import { useShell } from '../shell/current-shell.ts'
import { useCluster } from '../stores/cluster.ts'
import { useLink } from '../stores/link.ts'
import { usePreferences } from '../stores/preferences.ts'

/** Beside everything critical. */
const wantedToo: ReadonlySet<string> = new Set(['alarm.replica.unreachable', 'alarm.disk.lost', 'alarm.disk.damaged'])
export const needsAttention = ({ severity, key }: Pick<Alarm, 'severity' | 'key'>): boolean => severity === 'critical' || wantedToo.has(key)

export function useAttention(): void {
  const cluster = useCluster()
  const preferences = usePreferences()
  const shell = useShell()

  function tell(body: string): void {
    if (!preferences.chosen.notify) return
    shell.notify({ title: t('attention.title', { name: cluster.status?.name ?? '' }), body: body.slice(0, 1_000) })
  }
  useLink().onEvent((event) => {
    if (event.type === 'alarm' && needsAttention(event.alarm)) tell(sentenceOf(event.alarm))
  })
  watch(
    () => cluster.status?.verdict.state,
    (state, before) => {
      if (state === 'stuck' && before !== undefined && cluster.status !== null) tell(sentenceOf(cluster.status.verdict))
    },
  )
}
