/** `/api/v1/metrics`: the cluster and the shell as Prometheus text. */
import type { ClusterStatus } from '../../contract/model.ts'
import type { ShellCounters } from './counters.ts'

interface Series {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number | null
}

const line = (name: string, { labels, value }: Series): string => {
  const inside = Object.entries(labels).map(([key, label]) => `${key}="${String(label).replace(/["\\\n]/g, '_')}"`)
  return `${name}${inside.length === 0 ? '' : `{${inside.join(',')}}`} ${value}`
}

const metric = (name: string, kind: 'gauge' | 'counter', help: string, series: readonly Series[]): readonly string[] => {
  const known = series.filter(({ value }) => value !== null)
  return known.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...known.map((one) => line(name, one))]
}

const single = (value: number | null): readonly Series[] => [{ labels: {}, value }]

const clusterMetrics = (status: ClusterStatus): readonly string[] => {
  const perReplica = (pick: (replica: ClusterStatus['replicas'][number]) => number | null): readonly Series[] =>
    status.replicas.map((replica) => ({ labels: { replica: replica.id }, value: pick(replica) }))
  const states = status.replicas.map((replica) => ({ labels: { replica: replica.id, state: replica.state }, value: 1 }))
  const rejections = status.replicas.flatMap((replica) =>
    Object.entries(replica.rejections).map(([reason, value]) => ({ labels: { replica: replica.id, reason }, value })),
  )
  const monitors = status.monitors.map((monitor) => ({ labels: { monitor: monitor.name }, value: monitor.state === 'violated' ? 1 : 0 }))
  return [
    ...metric('pbft_view', 'gauge', 'View that a weak certificate of replicas is in', single(status.view)),
    ...metric('pbft_last_executed', 'gauge', 'Highest executed sequence number', single(status.lastExecuted)),
    ...metric('pbft_requests_per_second', 'gauge', 'Requests executed in the last second', single(status.requestsPerSecond)),
    ...metric('pbft_tolerates_more', 'gauge', 'Faults that could still be tolerated', single(status.toleratesMore)),
    ...metric('pbft_faults', 'gauge', 'Injected faults in force', single(status.faults.length)),
    ...metric('pbft_monitor_violated', 'gauge', '1 when a safety monitor is violated', monitors),
    ...metric('pbft_replica_state', 'gauge', '1 for the state that the replica is in', states),
    ...metric(
      'pbft_replica_view',
      'gauge',
      'View of the replica',
      perReplica((replica) => replica.view),
    ),
    ...metric(
      'pbft_replica_last_executed',
      'gauge',
      'Highest sequence number it executed',
      perReplica((replica) => replica.lastExecuted),
    ),
    ...metric(
      'pbft_replica_cpu',
      'gauge',
      'Share of one core',
      perReplica((replica) => replica.cpu),
    ),
    ...metric(
      'pbft_replica_memory_bytes',
      'gauge',
      'Resident memory',
      perReplica((replica) => replica.memoryBytes),
    ),
    ...metric(
      'pbft_replica_disk_bytes',
      'gauge',
      'Size of its data folder',
      perReplica((replica) => replica.diskBytes),
    ),
    ...metric('pbft_replica_rejections_total', 'counter', 'What it refused, by reason', rejections),
  ]
}

/** @param status null when no cluster is open: then only the shell's own figures. */
export const metricsText = (status: ClusterStatus | null, shell: ShellCounters): string => {
  const refused = Object.entries(shell.refused).map(([reason, value]) => ({ labels: { reason }, value }))
  const lines = [
    ...(status === null ? [] : clusterMetrics(status)),
    ...metric('pbft_panel_http_requests_total', 'counter', 'HTTP requests taken', single(shell.requests)),
    ...metric('pbft_panel_frames_total', 'counter', 'WebSocket frames taken', single(shell.frames)),
    ...metric('pbft_panel_refused_total', 'counter', 'Refused by the shell, by reason', refused),
    ...metric('pbft_panel_csp_violations_total', 'counter', 'Reported by pages', single(shell.cspViolations)),
  ]
  return `${lines.join('\n')}\n`
}
