/** How runs are named and judged on the screen. */
import type { RunInfo, RunVerdict } from '../../../contract/runs.ts'
import { currentLocale, t } from '../../i18n/index.ts'
import { formatDuration, visible } from '../../lib/format.ts'

const looks: Readonly<Record<RunVerdict, 'ok' | 'bad' | 'info' | 'warn'>> = {
  running: 'info',
  held: 'ok',
  failed: 'bad',
  violated: 'bad',
  'broken-off': 'warn',
}
const signs: Readonly<Record<RunVerdict, string>> = { running: '▶', held: '✓', failed: '✕', violated: '!', 'broken-off': '…' }

export const verdictLook = (verdict: RunVerdict): string => looks[verdict]
export const verdictWords = (verdict: RunVerdict): string => `${signs[verdict]} ${t(`runs.verdict.${verdict}`)}`

/** The scenario's own title in the language, unless somebody named the run; a file may name it as it likes. */
export const nameOf = ({ name, scenario }: RunInfo): string =>
  visible(scenario !== null && name === scenario.title.en ? (scenario.title[currentLocale()] ?? name) : name)

export const durationOf = ({ began, ended }: RunInfo): string => (ended === null ? '–' : formatDuration(ended - began))

/** What a search looks through. */
export const matches = (run: RunInfo, text: string): boolean => {
  const wanted = text.trim().toLowerCase()
  const { id, cluster, scenario, annotations } = run
  return [
    nameOf(run),
    run.name,
    id,
    cluster,
    scenario?.name ?? '',
    t(`runs.verdict.${run.verdict}`),
    ...annotations.map((one) => one.text),
  ].some((one) => one.toLowerCase().includes(wanted))
}
