/** Every act as an entry of the command palette, and the single keys that trigger some of them. */
import { onKeyStroke } from '@vueuse/core'
import { computed, ref } from 'vue'
import { useRouter } from 'vue-router'
import { currentLocale, t } from '../i18n/index.ts'
import { faultWords } from '../i18n/words.ts'
import { screenKey, screens, type Screen } from '../../contract/screens.ts'
import { useActs } from '../stores/acts.ts'
import { useCluster } from '../stores/cluster.ts'
import { usePreferences } from '../stores/preferences.ts'
import { useSurfaces } from '../stores/surfaces.ts'
import { useNotes } from '../stores/notes.ts'
import { useTimeBar } from '../stores/time-bar.ts'
import { useTimeCursor } from '../stores/time-cursor.ts'
import { useTour } from '../stores/tour.ts'

export interface Command {
  readonly id: string
  readonly group: string
  readonly label: string
  readonly keys: readonly string[]
  readonly run: () => void
}

/** `g` then one of these. */
export const screenLetters: Readonly<Record<Screen, string>> = {
  overview: 'o',
  log: 'l',
  messages: 'm',
  views: 'v',
  checkpoints: 'c',
  requests: 'r',
  faults: 'f',
  scenarios: 'd',
  runs: 'h',
  replay: 'p',
  evidence: 'e',
  settings: 's',
}

export const quickLoad = { clients: 8, durationMs: 600_000, ratePerSecond: null } as const
const prefixMs = 1_200

/** The commands that make sense now, in the language on the screen. */
export function useCommands() {
  const router = useRouter()
  const acts = useActs()
  const cluster = useCluster()
  const preferences = usePreferences()
  const surfaces = useSurfaces()
  const tour = useTour()

  const cursor = useTimeCursor()
  const bar = useTimeBar()
  const notes = useNotes()

  const toggleTheme = (): void => {
    preferences.chosen.theme = preferences.theme === 'dark' ? 'light' : 'dark'
  }
  const toggleLoad = (): void => void (cluster.load?.running === true ? acts.stopLoad() : acts.startLoad(quickLoad))

  const goCommands = computed<Command[]>(() =>
    screens.map((screen) => ({
      id: `go-${screen}`,
      group: t('palette.groupGo'),
      label: t('palette.goTo', { screen: t(`nav.${screen}`) }),
      keys: [screenKey(screen) ?? ''].filter((key) => key !== ''),
      run: () => void router.push(`/${screen}`),
    })),
  )

  const replicaCommands = computed<Command[]>(() =>
    (cluster.liveStatus?.replicas ?? []).flatMap((replica) => {
      const { id } = replica
      const make = (
        action: 'isolate' | 'heal' | 'start' | 'stop' | 'restart' | 'kill' | 'pause' | 'resume' | 'wipe' | 'corrupt',
        run: () => unknown,
      ): Command => ({
        id: `${action}-${id}`,
        group: t('palette.groupReplicas'),
        label: t('action.of', { action: t(`action.${action}`), id }),
        keys: [],
        run: () => void run(),
      })
      const commands: Command[] = []
      if (acts.faultsOf('isolate', id).length > 0) commands.push(make('heal', () => acts.heal(id)))
      else if (replica.allowsFaults) commands.push(make('isolate', () => acts.isolate(id)))
      if (replica.allowsFaults && replica.state !== 'stopped') commands.push(make('corrupt', () => acts.control(id, 'corrupt')))
      if (!replica.local) return commands
      if (replica.state === 'stopped') commands.push(make('start', () => acts.control(id, 'start')))
      else {
        commands.push(
          make('restart', () => acts.control(id, 'restart')),
          make('kill', () => acts.control(id, 'kill')),
        )
        commands.push(make('stop', () => acts.control(id, 'stop')))
        if (acts.faultsOf('pause', id).length > 0) commands.push(make('resume', () => acts.heal(id, 'pause')))
        else commands.push(make('pause', () => acts.pause(id)))
      }
      commands.push(
        make('wipe', () => {
          acts.wipeAsked = id
        }),
      )
      return commands
    }),
  )

  const faultCommands = computed<Command[]>(() => {
    const active = cluster.liveStatus?.faults ?? []
    const group = t('palette.groupFaults')
    if (active.length === 0) return []
    return [
      { id: 'heal-all', group, label: t('top.healAll'), keys: ['h'], run: () => void acts.healAll() },
      ...active.map((fault) => ({
        id: `fault-${fault.id}`,
        group,
        label: `${t('top.heal')}: ${faultWords(fault.fault)}`,
        keys: [],
        run: () => void acts.healFault(fault),
      })),
    ]
  })

  const clusterCommands = computed<Command[]>(() => {
    const group = t('palette.groupCluster')
    const commands: Command[] = [{ id: 'create', group, label: t('top.create'), keys: [], run: () => surfaces.show('create') }]
    commands.push({ id: 'connect', group, label: t('top.openFile'), keys: [], run: () => surfaces.show('connect') })
    for (const { name } of cluster.clusters) {
      if (name === cluster.liveStatus?.name) continue
      commands.push({ id: `open-${name}`, group, label: `${t('top.open')}: ${name}`, keys: [], run: () => void acts.openCluster({ name }) })
    }
    if (cluster.liveStatus === null) return commands
    const load = cluster.load?.running === true ? t('load.stop') : t('load.start')
    commands.push({ id: 'load', group, label: load, keys: ['l'], run: toggleLoad })
    const label = t('top.closeCluster', { name: cluster.liveStatus.name })
    commands.push({ id: 'close', group, label, keys: [], run: () => void acts.closeCluster() })
    return commands
  })

  const timeCommands = computed<Command[]>(() => {
    const group = t('palette.groupTime')
    if (!cluster.open) return []
    return [
      { id: 'live', group, label: t('time.goLive'), keys: ['n'], run: () => cursor.goLive() },
      { id: 'mark-previous', group, label: t('time.previousMark'), keys: ['['], run: () => void bar.toMark(-1) },
      { id: 'mark-next', group, label: t('time.nextMark'), keys: [']'], run: () => void bar.toMark(1) },
      { id: 'time-bar', group, label: t('time.focusBar'), keys: ['b'], run: () => document.getElementById('time-track')?.focus() },
      { id: 'note', group, label: t('time.note'), keys: ['m'], run: () => notes.begin() },
      { id: 'time-first', group, label: t('time.first'), keys: [], run: () => bar.toFirst() },
    ]
  })

  const lookCommands = computed<Command[]>(() => {
    const group = t('palette.groupLook')
    const { chosen } = preferences
    return [
      {
        id: 'theme',
        group,
        label: `${t('theme.label')}: ${t(preferences.theme === 'dark' ? 'theme.light' : 'theme.dark')}`,
        keys: ['t'],
        run: toggleTheme,
      },
      {
        id: 'language',
        group,
        label: `${t('language.label')}: ${currentLocale() === 'en' ? t('language.zh') : t('language.en')}`,
        keys: [],
        run: () => (chosen.language = currentLocale() === 'en' ? 'zh-CN' : 'en'),
      },
      {
        id: 'utc',
        group,
        label: `${t('settings.times')}: ${t(chosen.utc ? 'settings.timesLocal' : 'settings.timesUtc')}`,
        keys: [],
        run: () => (chosen.utc = !chosen.utc),
      },
      {
        id: 'rail',
        group,
        label: t(chosen.railCollapsed ? 'nav.expand' : 'nav.collapse'),
        keys: [],
        run: () => (chosen.railCollapsed = !chosen.railCollapsed),
      },
      { id: 'diagnostics', group, label: t('settings.diagnostics'), keys: [], run: () => void acts.writeDiagnostics() },
      { id: 'tour', group, label: t('tour.start'), keys: [], run: () => tour.start() },
      { id: 'shortcuts', group, label: t('shortcuts.title'), keys: ['?'], run: () => surfaces.show('shortcuts') },
    ]
  })

  return computed(() => [
    ...goCommands.value,
    ...timeCommands.value,
    ...faultCommands.value,
    ...clusterCommands.value,
    ...replicaCommands.value,
    ...lookCommands.value,
  ])
}

const typing = (event: KeyboardEvent): boolean =>
  event.target instanceof HTMLElement &&
  event.target.closest('input, textarea, select, [contenteditable], [role="menu"], [role="dialog"]') !== null

/** Listens for Ctrl/Cmd+K and the single keys, which rest while something is being typed or a dialog is open. */
export function useShortcuts(): void {
  const commands = useCommands()
  const router = useRouter()
  const surfaces = useSurfaces()
  const prefixed = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined

  onKeyStroke('k', (event) => {
    if (!event.ctrlKey && !event.metaKey) return
    event.preventDefault()
    surfaces.show('palette')
  })
  onKeyStroke((event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented || typing(event)) return
    if (prefixed.value) {
      prefixed.value = false
      const screen = screens.find((name) => screenLetters[name] === event.key)
      if (screen !== undefined) void router.push(`/${screen}`)
      return
    }
    if (event.key === 'g') {
      prefixed.value = true
      clearTimeout(timer)
      timer = setTimeout(() => (prefixed.value = false), prefixMs)
      return
    }
    const command = commands.value.find((candidate) => candidate.keys.includes(event.key))
    if (command === undefined) return
    event.preventDefault()
    command.run()
  })
}
