/**
 * What a scenario's checks saw, by message key, in English; screens translate by key. Beside these, observations use the keys of
 * verdicts, view reasons and alarms. `state` is a `ReplicaState`, `monitor` a `MonitorName`.
 */
export const scenarioSentences = {
  'seen.state': 'r{replica}: {state}.',
  'seen.view': 'View {view}, r{primary} is primary; before it was view {before}.',
  'seen.noView': 'No quorum of replicas tells a view.',
  'seen.executed': 'Executed up to seq {seq}; before up to seq {before}.',
  'seen.answered': '{count} of {total} requests were answered, the slowest after {ms} ms.',
  'seen.unanswered': '{count} of {total} requests were answered.',
  'seen.refusedRequest': '{count} of {total} requests were answered; one failed: {message}',
  'seen.result': 'The last answer is {value}.',
  'seen.agreed': '{replicas} have executed up to seq {seq} and have one state, {digest}.',
  'seen.notAgreed': 'They do not agree: {message}.',
  'seen.log': '{count} entries without a gap; each of the {total} answered requests is in them once.',
  'seen.logMissing': '{missing} of the {total} answered requests are not in the log.',
  'seen.logGaps': 'The log has {count} gaps.',
  'seen.logDoubled': '{count} requests were executed twice.',
  'seen.logBehind': '{count} entries are not executed at r{replica}.',
  'seen.monitors.hold': 'No safety monitor is violated.',
  'seen.monitors.violated': 'Violated: {monitor}.',
  'seen.refused': '{count} messages were refused as {reason}.',
  'seen.noAlarm': 'No such alarm came.',
  'seen.faults': '{count} faults are active.',
  'seen.divergence': 'Checkpoint {seq} has {count} different digests.',
  'seen.noDivergence': 'All checkpoints have one digest.',
  'seen.failed': 'It could not be done: {message}',
  'seen.stopped': 'Stopped by the operator.',
} as const
export type ScenarioKey = keyof typeof scenarioSentences
