/** Exports the whole log, page by page, with progress and a way to stop. */
import { shallowRef } from 'vue'
import type { LogFilter } from '../../contract/api.ts'
import { t } from '../i18n/index.ts'
import { countWords, errorWords } from '../i18n/words.ts'
import { csvHeader, csvLines, jsonEntry, saveFile } from '../lib/log-export.ts'
import { useCluster } from '../stores/cluster.ts'
import { useLink } from '../stores/link.ts'
import { useNotices } from '../stores/notices.ts'

const pageLimit = 1_000

export function useLogExport() {
  const link = useLink()
  const cluster = useCluster()
  const notices = useNotices()
  const progress = shallowRef<{ done: number; total: number } | null>(null)
  let cancelled = false

  async function start(format: 'json' | 'csv', filter: LogFilter | null): Promise<void> {
    if (progress.value !== null) return
    cancelled = false
    const last = cluster.logBounds.last
    const of = cluster.liveStatus?.name
    const { asOf } = cluster
    const parts: string[] = [format === 'json' ? '[\n' : csvHeader]
    let after = 0
    let count = 0
    progress.value = { done: 0, total: last }
    while (after < last && !cancelled) {
      const page = await link.call('log', {
        after,
        limit: pageLimit,
        ...(filter === null ? {} : { filter }),
        ...(asOf === null ? {} : { asOf }),
      })
      // Another cluster was opened meanwhile: what is left of this log cannot be had.
      if (cluster.liveStatus?.name !== of) cancelled = true
      if (cancelled) break
      if (!page.ok) {
        progress.value = null
        return notices.show({ tone: 'bad', text: t('action.failed', { act: t('log.exportAs') }), detail: errorWords(page.error) })
      }
      for (const entry of page.value.entries) {
        if (entry.seq > last) break
        parts.push(format === 'csv' ? csvLines(entry) : `${count === 0 ? '' : ',\n'}${jsonEntry(entry)}`)
        count += 1
      }
      after = page.value.next ?? last
      progress.value = { done: Math.min(after, last), total: last }
    }
    progress.value = null
    if (cancelled) return notices.show({ tone: 'info', text: t('log.exportCancelled') })
    if (format === 'json') parts.push('\n]\n')
    const name = `${of ?? 'cluster'}-log-1-${last}.${format}`
    saveFile(name, format === 'json' ? 'application/json' : 'text/csv', parts)
    notices.show({ tone: 'ok', text: t('log.exported', { count: countWords(count) }), detail: name })
  }

  return { progress, start, cancel: () => (cancelled = true) }
}
