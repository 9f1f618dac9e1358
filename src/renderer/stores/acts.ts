/**
 * Every act of the operator: calls the host, shows at once that it is under way, says how it ended and offers to undo it where
 * that is possible. Screens, menus, keys and the palette all act through here.
 */
import { defineStore } from 'pinia'
import { computed, shallowRef, watch } from 'vue'
import type { Method, Params, ResultOf } from '../../contract/api.ts'
import type { ActiveFault, FaultRequest } from '../../contract/faults.ts'
import { fail, type PanelError, type Result } from '../../contract/result.ts'
import { t, tn, type MessageKey } from '../i18n/index.ts'
import { errorWords, faultWords } from '../i18n/words.ts'
import { useCluster } from './cluster.ts'
import { useLink } from './link.ts'
import { useNotices } from './notices.ts'
import { useTimeCursor } from './time-cursor.ts'

/** What changes the run: not from a screen that shows another time than it would act in. */
const presentOnly: ReadonlySet<Method> = new Set([
  'injectFault',
  'healFault',
  'healAll',
  'controlReplica',
  'beginAnew',
  'startLoad',
  'stopLoad',
  'startRecovery',
  'stopRecovery',
  'startScenario',
])

export type ReplicaAct = 'start' | 'stop' | 'restart' | 'kill' | 'wipe' | 'corrupt'

/** An act that the host has not answered yet. */
export interface ActUnderWay {
  /** Such as `isolate-0`. */
  readonly name: string
  /** In words. */
  readonly act: string
}

const doneKeys: Readonly<Record<ReplicaAct, MessageKey>> = {
  start: 'action.started',
  stop: 'action.stopped',
  restart: 'action.restarted',
  kill: 'action.killed',
  wipe: 'action.wiped',
  corrupt: 'action.corrupted',
}

export const useActs = defineStore('acts', () => {
  const link = useLink()
  const cluster = useCluster()
  const notices = useNotices()
  const cursor = useTimeCursor()
  /** Why nothing can be done now; undefined while something can. */
  const blocked = computed(() => {
    if (link.stale) return t('lost.hostSilent')
    if (cluster.recorded) return t('runs.readOnly')
    return cursor.live ? undefined : t('time.blocked')
  })
  /** Acts that wait for their answer, in the order in which they were begun. */
  const underWay = shallowRef<readonly ActUnderWay[]>([])
  /** The replica whose wipe waits for confirmation. */
  const wipeAsked = shallowRef<number | null>(null)
  /** Beginning anew waits for confirmation. */
  const anewAsked = shallowRef(false)

  watch(
    () => cluster.liveStatus,
    (now, before) => {
      if (now === null) {
        wipeAsked.value = null
        anewAsked.value = false
        return notices.withdraw((notice) => notice.topic !== null)
      }
      const active = new Set(now.faults.map((fault) => fault.id))
      const ended = new Set((before?.faults ?? []).filter((fault) => !active.has(fault.id)).map((fault) => `fault-${fault.id}`))
      if (ended.size > 0) notices.withdraw((notice) => notice.undo !== null && notice.topic !== null && ended.has(notice.topic))
    },
  )

  const isBusy = (name: string): boolean => underWay.value.some((one) => one.name === name)

  function complain(act: string, error: PanelError): void {
    notices.show({ tone: 'bad', text: t('action.failed', { act }), detail: `${errorWords(error)} (${error.message})` })
  }

  /**
   * Calls with the act marked as under way; failures are shown as a notice headed by `act`. Done again meanwhile, it means nothing: its
   * button stays as it is, since one that is disabled while it has the focus swallows the keyboard's next key.
   */
  async function run<M extends Method>(name: string, act: string, method: M, params: Params<M>): Promise<Result<ResultOf<M>>> {
    if (!cursor.live && presentOnly.has(method)) {
      notices.show({ tone: 'warn', text: t('action.failed', { act }), detail: t('time.blocked'), topic: 'past' })
      return fail('cancelled', t('time.blocked'))
    }
    if (isBusy(name)) return fail('busy', 'This is under way already.')
    const one = { name, act }
    underWay.value = [...underWay.value, one]
    const result = await link.call(method, params)
    underWay.value = underWay.value.filter((other) => other !== one)
    if (!result.ok) complain(act, result.error)
    return result
  }

  const actName = (action: MessageKey, id: number): string => t('action.of', { action: t(action), id })

  async function injectFault(name: string, act: string, fault: FaultRequest): Promise<ActiveFault | null> {
    const result = await run(name, act, 'injectFault', { fault })
    if (!result.ok) return null
    const active = result.value
    notices.show({
      tone: 'warn',
      text: t('faultsScreen.injected', { fault: faultWords(active.fault) }),
      undo: () => void healFault(active),
      topic: `fault-${active.id}`,
    })
    return active
  }

  const inject = (fault: FaultRequest): Promise<ActiveFault | null> => injectFault('inject', t('faultsScreen.inject'), fault)

  async function healFault(active: ActiveFault): Promise<void> {
    const result = await run(`fault-${active.id}`, t('top.heal'), 'healFault', { id: active.id })
    if (result.ok)
      notices.show({ tone: 'ok', text: t('faultsScreen.healed', { fault: faultWords(active.fault) }), topic: `fault-${active.id}` })
  }

  const faultsOf = (type: 'isolate' | 'pause', id: number): readonly ActiveFault[] =>
    (cluster.liveStatus?.faults ?? []).filter(({ fault }) => fault.type === type && fault.replica === id)

  const isolate = (id: number): Promise<ActiveFault | null> =>
    injectFault(`isolate-${id}`, actName('action.isolate', id), { type: 'isolate', replica: id, durationMs: null })

  const pause = (id: number): Promise<ActiveFault | null> =>
    injectFault(`pause-${id}`, actName('action.pause', id), { type: 'pause', replica: id, durationMs: null })

  async function heal(id: number, type: 'isolate' | 'pause' = 'isolate'): Promise<void> {
    for (const active of faultsOf(type, id)) await healFault(active)
  }

  /** What is left of a fault's time, so that an undo does not make it last longer. */
  function again({ fault, expires }: ActiveFault): FaultRequest {
    return { ...fault, durationMs: expires === null ? null : Math.max(1, Math.round(expires - cluster.liveNow)) }
  }

  async function healAll(): Promise<void> {
    const faults = cluster.liveStatus?.faults ?? []
    if (faults.length === 0) return notices.show({ tone: 'info', text: t('action.healedNone') })
    const result = await run('heal-all', t('top.healAll'), 'healAll', {})
    if (!result.ok) return
    const undo = (): void => {
      for (const active of faults) void run(`inject-${active.id}`, t('common.undo'), 'injectFault', { fault: again(active) })
    }
    notices.show({ tone: 'ok', text: tn('action.healedAll', faults.length), undo, topic: 'heal-all' })
  }

  async function control(id: number, action: ReplicaAct): Promise<void> {
    const result = await run(`${action}-${id}`, actName(`action.${action}`, id), 'controlReplica', { id, action })
    if (!result.ok) return
    const undo = action === 'stop' || action === 'kill' ? () => void control(id, 'start') : null
    notices.show({
      tone: action === 'kill' || action === 'wipe' || action === 'corrupt' ? 'warn' : 'ok',
      text: t(doneKeys[action], { id }),
      undo,
      topic: `replica-${id}`,
    })
  }

  /** Deletes all that the replicas agreed on. `name` is what the operator typed; the host compares it. */
  async function beginAnew(name: string): Promise<void> {
    const result = await run('begin-anew', t('action.beginAnew'), 'beginAnew', { confirm: name })
    if (result.ok) notices.show({ tone: 'warn', text: t('action.begunAnew', { name }), topic: 'begin-anew' })
  }

  /** Opens a cluster; one that is open is closed first by the host. */
  async function openCluster(target: { name: string } | { file: string }): Promise<boolean> {
    const result = await run('open-cluster', t('top.open'), 'openCluster', target)
    return result.ok
  }

  async function createCluster(params: Params<'createCluster'>): Promise<Result<ResultOf<'createCluster'>>> {
    const result = await run('create-cluster', t('cluster.create'), 'createCluster', params)
    if (!result.ok) return result
    await cluster.refreshClusters()
    const state = await link.call('host', {})
    // The host may have begun to open it by itself.
    if (!state.ok || state.value.cluster !== params.name) {
      void openCluster({ name: params.name })
    }
    return result
  }

  async function closeCluster(): Promise<void> {
    const name = cluster.liveStatus?.name ?? cluster.host?.cluster ?? ''
    const known = cluster.clusters.some((summary) => summary.name === name)
    const result = await run('close-cluster', t('top.closeCluster', { name }), 'closeCluster', {})
    if (!result.ok) return
    notices.show({ tone: 'info', text: t('cluster.closed', { name }), undo: known ? () => void openCluster({ name }) : null })
  }

  async function startLoad(params: Params<'startLoad'>): Promise<void> {
    const result = await run('load', t('load.start'), 'startLoad', params)
    if (result.ok) cluster.takeLoad(result.value)
  }

  /** Restarts the replicas in turn, one every `periodMs`; how it goes comes with the events. */
  async function startRecovery(periodMs: number): Promise<void> {
    await run('recovery', t('recovery.start'), 'startRecovery', { periodMs })
  }

  async function stopRecovery(): Promise<void> {
    await run('recovery', t('recovery.stop'), 'stopRecovery', {})
  }

  async function stopLoad(): Promise<void> {
    const result = await run('load', t('load.stop'), 'stopLoad', {})
    if (result.ok) cluster.takeLoad(result.value)
  }

  async function cancelRequest(id: string): Promise<void> {
    await run(`cancel-${id}`, t('requestsScreen.cancel'), 'cancelRequest', { id })
  }

  async function writeDiagnostics(): Promise<void> {
    const result = await run('diagnostics', t('settings.diagnostics'), 'diagnostics', {})
    if (result.ok) notices.show({ tone: 'ok', text: t('settings.diagnosticsWritten'), detail: result.value.file, topic: 'diagnostics' })
  }

  return {
    underWay,
    writeDiagnostics,
    wipeAsked,
    anewAsked,
    beginAnew,
    blocked,
    isBusy,
    run,
    inject,
    healFault,
    faultsOf,
    isolate,
    pause,
    heal,
    healAll,
    control,
    openCluster,
    createCluster,
    closeCluster,
    cancelRequest,
    startLoad,
    stopLoad,
    startRecovery,
    stopRecovery,
  }
})
