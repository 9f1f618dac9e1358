/**
 * What a scenario's checks saw, by message key, in English; screens translate by key. Beside these, observations use the keys of
 * verdicts, view reasons and alarms. `state` is a `ReplicaState`, `monitor` a `MonitorName`.
 */
export const scenarioSentences = {
  'seen.state': '{replicas}: {state}.',
  'seen.view': 'View {view}, r{primary} is primary; before it was view {before}.',
  'seen.sameView': 'View {view} as before; r{primary} is primary.',
  'seen.noView': 'No quorum of replicas tells a view.',
  'seen.executed': 'Executed up to seq {seq}; before up to seq {before}.',
  'seen.answered': '{count} of {total} requests were answered, the slowest after {ms} ms.',
  'seen.unanswered': '{count} of {total} requests were answered.',
  'seen.refusedRequest': '{count} of {total} requests were answered; one failed: {message}',
  'seen.result': 'The last answer is {value}.',
  'seen.agreed': '{replicas} have executed up to seq {seq} and have one state, {digest}.',
  'seen.notAgreed': 'They do not agree: {message}.',
  'seen.log': '{count} entries without a gap; each of the {total} answered requests is in them once.',
  'seen.logMissing': 'Of {total} answered requests {missing} are not in the log.',
  'seen.logGaps': 'Gaps in the log: {count}.',
  'seen.logDoubled': 'Requests that were executed twice: {count}.',
  'seen.logBehind': 'Entries that r{replica} has not executed: {count}.',
  'seen.monitors.hold': 'No safety monitor is violated.',
  'seen.monitors.violated': 'Violated: {monitor}.',
  'seen.refused': 'Messages refused as {reason}: {count}.',
  'seen.noAlarm': 'No such alarm came.',
  'seen.faults': 'Active faults: {count}.',
  'seen.divergence': 'Checkpoint {seq} has {count} different digests.',
  'seen.noDivergence': 'All checkpoints have one digest.',
  'seen.failed': 'It could not be done: {message}',
  'seen.stopped': 'Stopped by the operator.',
} as const
export type ScenarioKey = keyof typeof scenarioSentences
