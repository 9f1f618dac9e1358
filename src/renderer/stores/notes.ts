/** Notes on moments of the run that is shown: one is written or changed at a time. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { Annotation } from '../../contract/runs.ts'
import { t } from '../i18n/index.ts'
import { useActs } from './acts.ts'
import { useCluster } from './cluster.ts'
import { useNotices } from './notices.ts'
import { useRuns } from './runs.ts'
import { useSurfaces } from './surfaces.ts'
import { useTimeCursor } from './time-cursor.ts'

export interface NoteDraft {
  /** Null: it is new. */
  readonly id: string | null
  /** ms since the epoch. */
  readonly at: number
  readonly text: string
}

export const useNotes = defineStore('notes', () => {
  const acts = useActs()
  const cluster = useCluster()
  const cursor = useTimeCursor()
  const notices = useNotices()
  const runs = useRuns()
  const surfaces = useSurfaces()
  /** When an answer comes, something else may be open by then. */
  const open = surfaces.flag('note')
  const draft = ref<NoteDraft>({ id: null, at: 0, text: '' })

  /** A new one, at the moment that every screen shows. */
  function begin(): void {
    draft.value = { id: null, at: Math.round(cursor.wanted ?? cluster.liveNow), text: '' }
    surfaces.show('note')
  }
  function change({ id, at, text }: Annotation): void {
    draft.value = { id, at, text }
    surfaces.show('note')
  }
  /** The dialog stays when the host refuses it. */
  async function save(text: string): Promise<void> {
    const { id, at } = draft.value
    const result = await acts.run('note', t('time.note'), 'annotate', { at, text, ...(id === null ? {} : { id }) })
    if (result.ok) open.value = false
  }
  async function remove(): Promise<void> {
    const { id, at, text } = draft.value
    if (id === null) return
    // Another run may be shown by the time of an undo.
    const run = runs.list?.shown ?? null
    const result = await acts.run('note', t('time.noteRemove'), 'removeAnnotation', { id })
    if (!result.ok) return
    open.value = false
    const undo = (): void => void acts.run('note', t('time.note'), 'annotate', { at, text, ...(run === null ? {} : { run }) })
    notices.show({ tone: 'info', text: t('time.noteRemoved'), undo })
  }

  return { draft, begin, change, save, remove }
})
