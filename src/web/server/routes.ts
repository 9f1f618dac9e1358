/**
 * The HTTP API's calls: which method of the contract each one is, how its address and body become the method's parameters, and
 * how the answer is worded. The host validates the parameters; here only what the address carries as text is read.
 */
import type { Method, ResultOf } from '../../contract/api.ts'
import { fail, ok, type Result } from '../../contract/result.ts'
import { presentEntry, presentFault, presentLog, presentStatus, withIsoTimes } from './present.ts'

export interface RouteInput {
  /** Parts of the path that the pattern names. */
  readonly path: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** The parsed body; undefined where there is none. */
  readonly body: unknown
}

export interface Route {
  readonly verb: 'GET' | 'POST' | 'DELETE'
  /** Under /api/v1/; `{name}` matches one segment. */
  readonly pattern: string
  readonly summary: string
  readonly method: Method
  /** Parameters that the query may have; others are refused. All are whole numbers. */
  readonly query: readonly string[]
  /** Where the body goes in the method's parameters; null: there is no body; '': it is the parameters. */
  readonly body: string | null
  params(input: RouteInput): Result<unknown>
  present(value: unknown, shell: unknown): unknown
}

const wholeNumber = (name: string, text: string): Result<number> =>
  /^\d{1,16}$/.test(text) ? ok(Number(text)) : fail('bad-request', `${name} must be a whole number, not "${text.slice(0, 40)}".`)

/** Reads named texts as whole numbers; absent ones are left out. */
const numbers = (texts: readonly (readonly [string, string | null])[]): Result<Record<string, number>> => {
  const values: Record<string, number> = {}
  for (const [name, text] of texts) {
    if (text === null) continue
    const value = wholeNumber(name, text)
    if (!value.ok) return value
    values[name] = value.value
  }
  return ok(values)
}

interface RouteOptions<M extends Method> {
  readonly query?: readonly string[]
  readonly body?: string
  /** Path parts that are whole numbers, and those that are text. */
  readonly numbers?: readonly string[]
  readonly texts?: readonly string[]
  present?(value: ResultOf<M>, shell: unknown): unknown
}

const route = <M extends Method>(
  verb: Route['verb'],
  pattern: string,
  method: M,
  summary: string,
  options: RouteOptions<M> = {},
): Route => ({
  verb,
  pattern,
  method,
  summary,
  query: options.query ?? [],
  body: options.body ?? null,
  params({ path, query, body }) {
    const read = numbers([
      ...(options.numbers ?? []).map((name) => [name, path[name] ?? ''] as const),
      ...(options.query ?? []).map((name) => [name, query.get(name)] as const),
    ])
    if (!read.ok) return read
    const texts = Object.fromEntries((options.texts ?? []).map((name) => [name, path[name]]))
    if (options.body === '') return ok(body ?? {})
    return ok({ ...read.value, ...texts, ...(options.body === undefined ? {} : { [options.body]: body }) })
  },
  present: (value, shell) => (options.present ?? withIsoTimes)(value as ResultOf<M>, shell),
})

const nothing = (): unknown => ({})

export const routes: readonly Route[] = [
  route('GET', 'status', 'status', 'The verdict, every replica, faults and safety monitors', { present: presentStatus }),
  route('GET', 'log', 'log', 'Committed batches after a sequence number', { query: ['after', 'limit'], present: presentLog }),
  route('GET', 'log/{seq}', 'logEntry', 'One batch with its quorum ledger', { numbers: ['seq'], present: presentEntry }),
  route('GET', 'views', 'views', 'Every view and why it began', { present: (views) => ({ views: withIsoTimes(views) }) }),
  route('GET', 'checkpoints', 'checkpoints', 'Checkpoints with the digest of each replica', {
    query: ['limit'],
    present: (checkpoints) => ({ checkpoints: withIsoTimes(checkpoints) }),
  }),
  route('GET', 'replicas/{id}', 'replica', 'One replica in full', { numbers: ['id'] }),
  route(
    'POST',
    'replicas/{id}/{action}',
    'controlReplica',
    'start, stop, restart, kill or wipe a local replica; corrupt: one byte of its state changes',
    {
      numbers: ['id'],
      texts: ['action'],
    },
  ),
  route('GET', 'requests', 'requests', 'Requests of this panel with their stages', {
    query: ['limit'],
    present: (requests) => ({ requests: withIsoTimes(requests) }),
  }),
  route('POST', 'requests', 'submit', 'One operation; answers when it completed or failed', { body: '' }),
  route('DELETE', 'requests/{id}', 'cancelRequest', 'Gives up waiting for a request', { texts: ['id'], present: nothing }),
  route('GET', 'faults', 'faults', 'Faults in force', { present: (faults) => ({ faults: faults.map(presentFault) }) }),
  route('POST', 'faults', 'injectFault', 'Injects a fault; answers it with its id', { body: 'fault', present: presentFault }),
  route('DELETE', 'faults/{id}', 'healFault', 'Heals one fault', { texts: ['id'], present: nothing }),
  route('DELETE', 'faults', 'healAll', 'Heals every fault', { present: nothing }),
  route('GET', 'alarms', 'alarms', 'Alarms, newest last', { present: (alarms) => ({ alarms: withIsoTimes(alarms) }) }),
  route('GET', 'evidence', 'evidence', 'Signed statements of replicas that contradict each other', {
    present: (evidence) => ({ evidence: withIsoTimes(evidence) }),
  }),
  route('GET', 'evidence/{id}', 'exportEvidence', 'One of them as a file for pbft-panel run verify', {
    texts: ['id'],
    present: ({ file }) => file,
  }),
  route('GET', 'evidence/{id}/statements', 'evidenceDetail', 'One of them with its statements decoded', {
    texts: ['id'],
    present: withIsoTimes,
  }),
  route('GET', 'samples', 'samples', 'Throughput and latency by the second', {
    query: ['since'],
    present: (samples) => ({ samples: withIsoTimes(samples) }),
  }),
  route('GET', 'timeline', 'timeline', 'The recorded run in [from, to): load in parts, faults, what happened when; times in ms', {
    query: ['from', 'to', 'bins'],
  }),
  route('GET', 'moment', 'moment', 'The cluster at a time of the recorded run; times in ms', { query: ['at'] }),
  route('GET', 'about', 'about', 'Versions and folders'),
  route('POST', 'diagnostics', 'diagnostics', 'Writes one file with what the search for a defect needs, without keys and tokens'),
  route('GET', 'host', 'host', 'Which cluster is open, or what is being done to open one'),
  route('GET', 'clusters', 'clusters', "Clusters of the panel's data folder", { present: (clusters) => ({ clusters }) }),
  route('POST', 'clusters', 'createCluster', 'Creates a cluster', { body: '' }),
  route('POST', 'cluster/open', 'openCluster', 'Opens a cluster by name or by the path of its cluster.json', {
    body: '',
    present: presentStatus,
  }),
  route('POST', 'cluster/close', 'closeCluster', 'Closes the open cluster and stops its local replicas', { present: nothing }),
  route('GET', 'load', 'load', 'The load generator'),
  route('POST', 'load', 'startLoad', 'Starts the load generator', { body: '' }),
  route('DELETE', 'load', 'stopLoad', 'Stops the load generator'),
  route('GET', 'recovery', 'recovery', 'Proactive recovery: who is restarted, who is next, who was', { present: withIsoTimes }),
  route('POST', 'recovery', 'startRecovery', 'Restarts the replicas in turn, one at a time', { body: '', present: withIsoTimes }),
  route('DELETE', 'recovery', 'stopRecovery', 'Restarts no other replica', { present: withIsoTimes }),
  route('GET', 'runs', 'runs', 'Recorded runs, the latest first; files that were refused, by reason', {
    present: ({ runs, ...list }) => ({ ...list, runs: withIsoTimes(runs) }),
  }),
  route('POST', 'runs/{id}/open', 'openRun', 'Shows a recorded run instead of the open cluster, which is closed', {
    texts: ['id'],
    present: presentStatus,
  }),
  route('DELETE', 'runs/{id}', 'trashRun', 'Moves a run to the trash', { texts: ['id'], present: withIsoTimes }),
  route('POST', 'runs/compare', 'compareRuns', 'Two runs side by side, up to the first difference', { body: '', present: withIsoTimes }),
  route('POST', 'runs/export', 'exportRun', 'Makes a file of a run: all of it (run), or a report in HTML', { body: '' }),
  route('GET', 'runs/export/{file}', 'exportPart', 'A part of that file in base64, from an offset', { texts: ['file'], query: ['offset'] }),
  route('GET', 'annotations', 'annotations', 'Notes on moments of the run that is shown', {
    present: (annotations) => ({ annotations: withIsoTimes(annotations) }),
  }),
  route('POST', 'annotations', 'annotate', 'A note on a moment (`at`, ms since the epoch) of the run that is shown', {
    body: '',
    present: withIsoTimes,
  }),
  route('GET', 'scenarios', 'scenarios', 'Scenarios of the library and the own folder', { present: (scenarios) => ({ scenarios }) }),
  route('GET', 'scenarios/run', 'scenario', 'The scenario that runs, or ran last', { present: (run) => ({ run: withIsoTimes(run) }) }),
  route('POST', 'scenarios/run', 'startScenario', 'Runs a scenario on the open cluster', { body: '', present: withIsoTimes }),
  route('POST', 'scenarios/run/next', 'advanceScenario', 'Goes on, when it waits for the presenter', { present: withIsoTimes }),
  route('DELETE', 'scenarios/run', 'stopScenario', 'Stops the scenario; faults are healed', { present: withIsoTimes }),
]

const compiled = routes.map((entry) => ({ entry, segments: entry.pattern.split('/') }))

/** The parts that `pattern` names, or null when the path is another. */
const match = (segments: readonly string[], parts: readonly string[]): Record<string, string> | null => {
  if (segments.length !== parts.length) return null
  const named: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    const part = parts[index] ?? ''
    const name = /^\{(\w+)\}$/.exec(segment)?.[1]
    if (name !== undefined) named[name] = part
    else if (segment !== part) return null
  }
  return named
}

export type RouteMatch =
  | { readonly found: true; readonly route: Route; readonly path: Readonly<Record<string, string>> }
  /** `verbs`: those that the path has; empty when there is no such path. */
  | { readonly found: false; readonly verbs: readonly string[] }

/** Finds the call of a verb and a path under /api/v1/, its segments already decoded. */
export const findRoute = (verb: string, parts: readonly string[]): RouteMatch => {
  const verbs: string[] = []
  for (const { entry, segments } of compiled) {
    const path = match(segments, parts)
    if (path === null) continue
    if (entry.verb === verb) return { found: true, route: entry, path }
    verbs.push(entry.verb)
  }
  return { found: false, verbs }
}
