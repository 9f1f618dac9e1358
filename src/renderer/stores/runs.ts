/** The recorded runs, and files of them on their way in and out. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { bytesOfBase64 } from '../../contract/base64.ts'
import {
  filePartBytesMax,
  type ExportKind,
  type RecordingSettings,
  type RunComparison,
  type RunInfo,
  type RunList,
} from '../../contract/runs.ts'
import { currentLocale, t } from '../i18n/index.ts'
import { errorWords } from '../i18n/words.ts'
import { toBase64 } from '../lib/base64-parts.ts'
import { saveFile } from '../lib/log-export.ts'
import { useActs } from './acts.ts'
import { useLink } from './link.ts'
import { useNotices } from './notices.ts'

/** Whole triples of bytes, so that parts in base64 have no padding within. */
const partBytes = Math.floor(filePartBytesMax / 2 / 3) * 3

export const useRuns = defineStore('runs', () => {
  const link = useLink()
  const acts = useActs()
  const notices = useNotices()
  const list = shallowRef<RunList | null>(null)
  const comparison = shallowRef<RunComparison | null>(null)
  /** How far a file has come, 0 to 1; null: none is on its way. */
  const progress = ref<number | null>(null)

  const shown = computed(() => list.value?.runs.find(({ id }) => id === list.value?.shown) ?? null)

  let asked = 0
  async function refresh(): Promise<void> {
    asked += 1
    const mine = asked
    const result = await link.call('runs', {})
    if (result.ok && mine === asked) list.value = result.value
  }

  link.onEvent((event) => {
    if (event.type === 'runs' || event.type === 'reset' || event.type === 'host') void refresh()
  })

  function complain(act: string, detail: string): void {
    notices.show({ tone: 'bad', text: t('action.failed', { act }), detail })
  }

  async function open(run: RunInfo): Promise<boolean> {
    const result = await acts.run(`run-open-${run.id}`, t('runs.open'), 'openRun', { id: run.id })
    return result.ok
  }

  async function openSample(): Promise<void> {
    const result = await acts.run('run-sample', t('runs.openSample'), 'openSampleRun', {})
    if (result.ok) await open(result.value)
  }

  const rename = (id: string, name: string): Promise<unknown> => acts.run(`run-${id}`, t('runs.rename'), 'renameRun', { id, name })
  const restore = (id: string): Promise<unknown> => acts.run(`run-${id}`, t('runs.restore'), 'restoreRun', { id })
  const emptyTrash = (): Promise<unknown> => acts.run('run-trash', t('runs.emptyTrash'), 'emptyTrash', {})

  async function trash(run: RunInfo): Promise<void> {
    const result = await acts.run(`run-${run.id}`, t('runs.trash'), 'trashRun', { id: run.id })
    if (result.ok) notices.show({ tone: 'info', text: t('runs.trashed', { name: run.name }), undo: () => void restore(run.id) })
  }

  async function compare(first: string, second: string): Promise<void> {
    const result = await acts.run('run-compare', t('runs.compare'), 'compareRuns', { first, second })
    if (result.ok) comparison.value = result.value
  }

  async function set(settings: RecordingSettings): Promise<void> {
    const result = await acts.run('run-settings', t('runs.recording'), 'setRecording', { settings })
    if (result.ok) list.value = result.value
  }

  /** Makes the file at the host, fetches it part by part and lets the browser save it. */
  async function save(run: RunInfo, as: ExportKind): Promise<void> {
    if (progress.value !== null) return
    const act = t(as === 'run' ? 'runs.export' : 'runs.report')
    progress.value = 0
    const made = await acts.run(`run-save-${run.id}`, act, 'exportRun', { id: run.id, as, locale: currentLocale() })
    const parts: BlobPart[] = []
    let offset: number | null = made.ok ? 0 : null
    while (made.ok && offset !== null) {
      const part = await link.call('exportPart', { file: made.value.file, offset })
      if (!part.ok) {
        progress.value = null
        return complain(act, errorWords(part.error))
      }
      parts.push(new Uint8Array(bytesOfBase64(part.value.data) ?? []))
      offset = part.value.next
      progress.value = (offset ?? made.value.bytes) / Math.max(1, made.value.bytes)
    }
    progress.value = null
    if (!made.ok) return
    saveFile(made.value.name, as === 'run' ? 'application/octet-stream' : 'text/html', parts)
    notices.show({ tone: 'ok', text: t('runs.saved'), detail: made.value.name })
  }

  /** Hands a file to the host part by part; what is wrong with it is told. */
  async function take(file: File): Promise<void> {
    if (progress.value !== null) return
    progress.value = 0
    const begun = await acts.run('run-import', t('runs.openFile'), 'beginImport', { bytes: file.size })
    for (let offset = 0; begun.ok && offset < file.size; offset += partBytes) {
      const data = toBase64(new Uint8Array(await file.slice(offset, offset + partBytes).arrayBuffer()))
      const sent = await link.call('importPart', { upload: begun.value.upload, offset, data })
      if (!sent.ok) {
        progress.value = null
        return complain(t('runs.openFile'), errorWords(sent.error))
      }
      progress.value = Math.min(1, (offset + partBytes) / file.size)
    }
    const ended = begun.ok ? await acts.run('run-import', t('runs.openFile'), 'endImport', { upload: begun.value.upload }) : begun
    progress.value = null
    if (ended.ok) await open(ended.value as RunInfo)
  }

  return { list, shown, comparison, progress, refresh, open, openSample, rename, trash, restore, emptyTrash, compare, set, save, take }
})
