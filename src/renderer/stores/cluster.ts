/**
 * The host's model of the open cluster at the moment that is shown: as last heard, or as it was recorded. Everything here is replaced whole,
 * never mutated. What has to be about the present whatever is shown asks for `live...`.
 */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { LogMoment } from '../../contract/api.ts'
import type { PanelEvent } from '../../contract/events.ts'
import type { About, Alarm, ClusterStatus, ClusterSummary, HostState, LoadStatus, Sample } from '../../contract/model.ts'
import type { RecoveryStatus } from '../../contract/recovery.ts'
import { useLink } from './link.ts'
import { useTimeCursor } from './time-cursor.ts'

const samplesMax = 900
const alarmsMax = 200

export const useCluster = defineStore('cluster', () => {
  const link = useLink()
  const cursor = useTimeCursor()
  const about = shallowRef<About | null>(null)
  const host = shallowRef<HostState | null>(null)
  const clusters = shallowRef<readonly ClusterSummary[]>([])
  const liveStatus = shallowRef<ClusterStatus | null>(null)
  const alarms = shallowRef<readonly Alarm[]>([])
  const liveSamples = shallowRef<readonly Sample[]>([])
  const liveLoad = shallowRef<LoadStatus | null>(null)
  const recovery = shallowRef<RecoveryStatus | null>(null)
  const liveLogBounds = shallowRef({ first: 0, last: 0 })
  /** Host's clock minus ours when the last status came, ms. */
  const hostAheadMs = shallowRef(0)

  /** The host's clock now, ms. */
  const liveNow = computed(() => link.now + hostAheadMs.value)
  /** What is shown is a recorded run: nothing of it is live, and nothing can be done to it. */
  const recorded = computed(() => (host.value?.run ?? null) !== null)
  const open = computed(() => host.value?.phase === 'open' && liveStatus.value !== null)

  /** null: no cluster is open, or nothing is recorded of the moment. */
  const status = computed(() => (cursor.moment === null ? liveStatus.value : cursor.moment.status))
  const samples = computed(() => cursor.moment?.samples ?? liveSamples.value)
  /** Of the load that runs nothing is recorded: in the past there is none. */
  const load = computed(() => (cursor.live ? liveLoad.value : null))
  /** What times are compared with: the moment, or the host's clock now, ms. */
  const hostNow = computed(() => cursor.at ?? liveNow.value)
  /** Where to cut the log; null: not at all. */
  const asOf = computed((): LogMoment | null => {
    const { moment } = cursor
    if (moment === null) return null
    const executed = (moment.status?.replicas ?? []).map(({ lastExecuted }) => lastExecuted ?? 0)
    return { at: moment.at, seq: moment.status?.lastExecuted ?? 0, executed }
  })
  const logBounds = computed(() => {
    const { first, last } = liveLogBounds.value
    if (asOf.value === null) return { first, last }
    const end = Math.min(last, asOf.value.seq)
    return end < first ? { first: 0, last: 0 } : { first, last: end }
  })

  /** Counts what was forgotten: an answer asked for before that is about a cluster that is gone. */
  let generation = 0

  function takeStatus(next: ClusterStatus): void {
    liveStatus.value = next
    hostAheadMs.value = next.at - Date.now()
  }

  function forget(): void {
    generation += 1
    liveStatus.value = null
    alarms.value = []
    liveSamples.value = []
    liveLoad.value = null
    recovery.value = null
    liveLogBounds.value = { first: 0, last: 0 }
  }

  async function refreshClusters(): Promise<void> {
    const result = await link.call('clusters', {})
    if (result.ok) clusters.value = result.value
  }

  /** Known to have no open cluster; false as long as the host has not said. */
  const notOpen = (): boolean => host.value !== null && host.value.phase !== 'open'

  async function refreshCluster(): Promise<void> {
    if (notOpen()) return forget()
    const mine = generation
    const [nextStatus, nextAlarms, nextSamples, nextLoad, nextRecovery, tail] = await Promise.all([
      link.call('status', {}),
      link.call('alarms', {}),
      link.call('samples', { since: recorded.value ? 0 : Date.now() - samplesMax * 1_000 }),
      link.call('load', {}),
      link.call('recovery', {}),
      link.call('log', { after: Number.MAX_SAFE_INTEGER, limit: 1 }),
    ])
    if (mine !== generation) return
    if (!nextStatus.ok) return forget()
    takeStatus(nextStatus.value)
    if (nextAlarms.ok) alarms.value = nextAlarms.value.slice(-alarmsMax)
    if (nextSamples.ok) liveSamples.value = nextSamples.value.slice(-samplesMax)
    if (nextLoad.ok) liveLoad.value = nextLoad.value
    if (nextRecovery.ok) recovery.value = nextRecovery.value
    if (tail.ok) liveLogBounds.value = { first: tail.value.first, last: tail.value.last }
  }

  async function refresh(): Promise<void> {
    const before = host.value
    const [nextHost, nextAbout] = await Promise.all([link.call('host', {}), link.call('about', {})])
    if (nextAbout.ok) about.value = nextAbout.value
    if (nextHost.ok && before !== null && host.value === before) takeHost(nextHost.value)
    await Promise.all([refreshClusters(), refreshCluster()])
    if (nextHost.ok) host.value ??= nextHost.value
  }

  function takeHost(next: HostState): void {
    const before = host.value
    host.value = next
    if (next.phase === before?.phase && next.cluster === before.cluster) return
    // A switch goes from closing to opening without a pause: whatever is not open has nothing live to show.
    if (next.phase !== 'open' || next.cluster !== before?.cluster) forget()
    if (next.phase === 'open') void refreshCluster()
    void refreshClusters()
  }

  /** Late words of a cluster that is being closed, or early ones of one not yet open. */
  const untimely = (event: PanelEvent): boolean => event.type !== 'reset' && event.type !== 'host' && notOpen()

  function onEvent(event: PanelEvent): void {
    if (untimely(event)) return
    switch (event.type) {
      case 'reset':
        return void refresh()
      case 'host':
        return takeHost(event.host)
      case 'status':
        return takeStatus(event.status)
      case 'log':
        liveLogBounds.value = { first: event.first, last: event.last }
        return
      case 'sample':
        liveSamples.value = [...samples.value.filter((sample) => sample.at !== event.sample.at), event.sample].slice(-samplesMax)
        return
      case 'alarm':
        alarms.value = [...alarms.value.filter((alarm) => alarm.id !== event.alarm.id), event.alarm].slice(-alarmsMax)
        return
      case 'load':
        liveLoad.value = event.load
        return
      case 'recovery':
        recovery.value = event.recovery
    }
  }
  link.onEvent(onEvent)

  const takeLoad = (next: LoadStatus): void => {
    liveLoad.value = next
  }

  return {
    about,
    host,
    clusters,
    status,
    liveStatus,
    alarms,
    samples,
    load,
    recovery,
    takeLoad,
    asOf,
    logBounds,
    hostNow,
    liveNow,
    open,
    recorded,
    refreshClusters,
  }
})
