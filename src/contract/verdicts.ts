/**
 * Every message key that the host makes, with the English sentence it stands for: verdicts, monitors, alarms, stages of opening, reasons of
 * views. Screens translate by key; `{name}` is a parameter. Parameters keep one meaning everywhere:
 *  replicas   "r2, r3": ready to show in any language
 *  replica, primary, view, seq, n, f, needed, available, count, pending, total, tolerates, left, next, first, last, timestamp, partition   whole numbers
 *  seconds    with one decimal
 *  because    the key of another sentence, with the same parameters
 *  since      ms since the epoch (the English sentence has it as local time of day)
 *  name, message, client, file, fault, how, monitor, reason, ports, phase   text that is not translated
 */

/** A quorum is missing for one of these causes; `Several` when the missing replicas have different ones. */
export const verdictSentences = {
  'verdict.healthy': 'Healthy: all {n} replicas are live in view {view}; r{primary} is primary.',
  'verdict.alone': 'Healthy: the one replica is live. A cluster of one tolerates no fault.',
  'verdict.degraded.starting': 'Still starting: {replicas}. Requests complete; further faults tolerated: {tolerates}.',
  'verdict.degraded.stale': 'Not heard for 2 s: {replicas}. Requests complete; further faults tolerated: {tolerates}.',
  'verdict.degraded.unreachable': 'Unreachable: {replicas}. Requests complete; further faults tolerated: {tolerates}.',
  'verdict.degraded.isolated': 'Isolated: {replicas}. Requests complete; further faults tolerated: {tolerates}.',
  'verdict.degraded.paused': 'Paused: {replicas}. Requests complete; further faults tolerated: {tolerates}.',
  'verdict.degraded.stopped': 'Stopped: {replicas}. Requests complete; further faults tolerated: {tolerates}.',
  'verdict.degraded.recovering': 'Catching up: {replicas}. Requests complete; further faults tolerated: {tolerates}.',
  'verdict.degraded.faulty': 'Faulty by your choice: {replicas}. Requests complete; further faults tolerated: {tolerates}.',
  'verdict.degraded.several': 'Not taking part: {replicas}. Requests complete; further faults tolerated: {tolerates}.',
  'verdict.degraded.diverged': 'Diverged: {replicas}. The others agree on another state; do not trust what these answer.',
  'verdict.degraded.unsafe': 'Unsafe: more than f = {f} replicas are faulty by your choice ({replicas}); nothing they say is guaranteed.',
  'verdict.degraded.controlLost':
    'No control link to {replicas}, but the others hear them. Requests complete; further faults tolerated: {tolerates}.',
  'verdict.degraded.transfer':
    'Fetching the state as of seq {seq}: {replicas}, {count} of {total} pieces. Requests complete; further faults tolerated: {tolerates}.',
  'verdict.degraded.probation':
    'Lost the disk, and on probation until the checkpoint at seq {seq}: {replicas}. Requests complete; further faults tolerated: {tolerates}.',
  'verdict.degraded.probationAsking':
    'Lost the disk: {replicas}, who asks the others how far they are ({count} of {needed} answered). Requests complete; further faults tolerated: {tolerates}.',
  'verdict.degraded.waiting':
    'Requests waiting for r{primary}, primary of view {view}: {pending}. If it stays silent the replicas change to r{next}.',
  'verdict.degraded.backoff': 'Changing views again and again: now to view {view} under r{primary}, which has {seconds} s to begin.',
  'verdict.degraded.viewChange': 'The replicas are changing to view {view}; r{primary} will be primary.',
  'verdict.degraded.faults': 'All replicas are live in view {view}; faults active on their links: {count}.',
  'verdict.stuck.noQuorum': 'No progress since {since}: {needed} replicas are needed, {available} can take part. Missing: {replicas}.',
  'verdict.stuck.isolated': 'No progress since {since}: {needed} replicas are needed, {available} can take part. Isolated: {replicas}.',
  'verdict.stuck.unreachable':
    'No progress since {since}: {needed} replicas are needed, {available} can take part. Unreachable: {replicas}.',
  'verdict.stuck.stopped': 'No progress since {since}: {needed} replicas are needed, {available} can take part. Stopped: {replicas}.',
  'verdict.stuck.paused': 'No progress since {since}: {needed} replicas are needed, {available} can take part. Paused: {replicas}.',
  'verdict.stuck.forgotten':
    'No progress since {since}: {replicas} lost what they had on disk, and only {available} of the {needed} replicas that must remember do. Put the lost disks back, or begin the cluster anew.',
  'verdict.stuck.partition':
    'No progress since {since}: {needed} replicas that hear each other are needed, the largest group has {available}.',
  'verdict.stuck.viewChange': 'No progress since {since}: the change to view {view} does not finish; r{primary} would be primary.',
  'verdict.stuck.backoff':
    'No progress since {since}: view change after view change fails. View {view} under r{primary} has {seconds} s to begin; then the next is tried.',
  'verdict.stuck.slot': 'No progress since {since}: seq {seq} is {phase} at {available} of the {needed} replicas it needs.',
  'verdict.stuck.noProgress': 'No progress since {since}: r{primary}, primary of view {view}, orders nothing. Requests waiting: {pending}.',
  'verdict.stuck.diverged': 'The replicas disagree at seq {seq}: more than {f} are faulty, and nothing they say can be trusted.',
  'verdict.stopped': 'Stopped: none of the {n} replicas runs.',
  'verdict.recorded': 'A recorded run of {n} replicas: {count} requests in {seconds} s. Nothing here is live.',
  'verdict.unknown.starting': 'The replicas are starting; {available} of {n} have answered.',
  'verdict.unknown.noneReachable': 'Unknown: none of the {n} replicas can be reached.',
} as const
export type VerdictKey = keyof typeof verdictSentences

/** What a monitor rests on, or what broke it; `progress` has the verdict's key. */
export const monitorSentences = {
  'monitor.agreement.unseen': 'No batch was seen at two replicas yet.',
  'monitor.agreement.holds': '{count} batches are equal at all who committed them.',
  'monitor.agreement.violated': 'Different batches were committed at seq {seq}: {message}.',
  'monitor.noGaps.empty': 'The log is empty.',
  'monitor.noGaps.holds': 'The log has every seq from {first} to {last}.',
  'monitor.noGaps.skipped': 'The seqs {first} to {last} were not read in time.',
  'monitor.noGaps.hole': 'After seq {last} the log goes on with seq {seq}.',
  'monitor.noGaps.lost': 'The log was recorded up to seq {last}, the replicas remember it up to seq {seq}.',
  'monitor.exactlyOnce.none': 'No request was executed yet.',
  'monitor.exactlyOnce.holds': '{count} answered requests were found once in the log.',
  'monitor.exactlyOnce.twice': 'Request {timestamp} of {client} was executed again at seq {seq}.',
  'monitor.exactlyOnce.missing': 'Request {timestamp} of {client}, answered at seq {seq}, is not in the log.',
  'monitor.exactlyOnce.otherResult': 'Request {timestamp} of {client}, answered at seq {seq}, is in the log with another result.',
  'monitor.digestsEqual.unseen': 'No state was seen at two replicas yet.',
  'monitor.digestsEqual.holds': '{count} states are equal at all who reported them.',
  'monitor.digestsEqual.violated': 'Different states after seq {seq}: {message}.',
} as const
export type MonitorKey = keyof typeof monitorSentences

/** What a partition of the replicated state holds; `keys` are those that differ. */
export const partSentences = {
  'part.store': 'keys {keys}',
  'part.accounts': 'accounts {keys}',
  'part.total': 'the sum of all balances',
  'part.replies': 'what clients were answered last',
  'part.time': 'the agreed time',
} as const

export const alarmSentences = {
  'alarm.replica.exited': 'r{replica} ended by itself: {how}. {message}',
  'alarm.replica.startFailed': 'r{replica} did not start: {message}',
  'alarm.replica.unreachable': 'The control link to r{replica} is down.',
  'alarm.replica.stale': 'Nothing heard from r{replica} for 2 s.',
  'alarm.replica.back': 'r{replica} is live again.',
  'alarm.replica.refused': 'r{replica} refused the control link: {message}',
  'alarm.replica.rejects': 'r{replica} refused {count} of what it was sent: {reason}.',
  'alarm.replica.diverged': 'r{replica} has another digest than the others at seq {seq}.',
  'alarm.evidence.prePrepare':
    'r{replica} signed two different proposals for seq {seq} in view {view}: it is faulty. Both are kept as evidence.',
  'alarm.evidence.checkpoint': 'r{replica} signed two different checkpoints at seq {seq}: it is faulty. Both are kept as evidence.',
  'alarm.evidence.viewChange': 'r{replica} signed two different view-changes for view {view}: it is faulty. Both are kept as evidence.',
  'alarm.evidence.false': 'r{replica} handed over evidence that proves nothing.',
  'alarm.replica.dropped': 'r{replica} dropped {count} observations; timings of those sequence numbers are missing.',
  'alarm.disk.lost':
    'r{replica} has lost what it had on disk: it takes no part until it has caught up beyond everything that it may have promised.',
  'alarm.disk.changed': 'r{replica} came back with another disk than it had.',
  'alarm.disk.damaged':
    'The state that r{replica} has saved at seq {seq} is damaged: it fetches it from the others. Its votes are whole, and bind it.',
  'alarm.disk.repaired': 'r{replica} has repaired its damaged state (seq {seq}) from the others.',
  'alarm.state.differed':
    'The state of r{replica} at seq {seq} was not the agreed one: {count} of {total} partitions differed, first partition {partition} ({because}). It has fetched them from the others.',
  'alarm.disk.regained': 'r{replica} has got over the loss of its disk and takes part again.',
  'alarm.view.changing': 'r{replica} left its view for view {view}.',
  'alarm.view.entered': 'View {view} began; r{primary} is primary.',
  'alarm.transfer.started': 'r{replica} is fetching the state as of seq {seq}.',
  'alarm.transfer.completed': 'r{replica} has the state as of seq {seq}.',
  'alarm.transfer.abandoned': 'r{replica} gave up fetching the state as of seq {seq}.',
  'alarm.fault.injected': 'Fault injected: {because}.',
  'alarm.fault.healed': 'Fault healed: {because}.',
  'alarm.fault.expired': 'Fault expired: {because}.',
  'alarm.monitor.violated': 'SAFETY: {monitor} is violated. {because}',
  'alarm.recovery.failed': 'Proactive recovery has ended: r{replica} did not come back from its restart. {message}',
  'alarm.recorder.failed':
    'The recorder has ended ({message}); another one is started. What was recorded in the last moments may be missing.',
  'alarm.recorder.damaged': 'The journal was damaged and is put aside as {file}; the log is read from the replicas again.',
  'alarm.recording.off':
    'r{replica} records nothing: it was started elsewhere with --recording-mb 0. Its messages are seen by the others only, and it cannot be replayed.',
  'alarm.recording.refused': 'What r{replica} records elsewhere is not fetched any more: {message}',
  'alarm.ports.reassigned': 'Ports were taken by other programs; the replicas have new ones: {ports}.',
  'alarm.log.begunAnew': 'All replicas begin with nothing: a new log begins, and the one before is forgotten.',
} as const
export type AlarmKey = keyof typeof alarmSentences

export const stageSentences = {
  'stage.creating': 'Creating keys and manifest of {name}',
  'stage.reading': 'Reading {file}',
  'stage.recorder': 'Starting the recorder',
  'stage.ports': 'Looking for free ports',
  'stage.starting': 'Starting replicas: {count} of {total}',
  'stage.connecting': 'Connecting to replicas: {count} of {total}',
  'stage.stopping': 'Stopping replicas: {left} of {total} left',
  'stage.stoppingRecorder': 'Closing the recording',
} as const
export type StageKey = keyof typeof stageSentences

/** `ViewInfo.reasonKey`; `count` of `n` replicas gave it. `ViewVote.reason` is one of `voteReasons`. */
export const viewReasonSentences = {
  'view.reason.initial': 'The first view',
  'view.reason.requestTimeout': '{count} of {n} replicas timed out on a request of {client}',
  'view.reason.newViewTimeout': '{count} of {n} replicas waited in vain for view {view}',
  'view.reason.joined': '{count} of {n} replicas joined others that had left the view',
  'view.reason.invalidNewView': '{count} of {n} replicas refused an invalid new-view: {message}',
  'view.reason.slowPrimary': '{count} of {n} replicas found r{primary} too slow as primary',
  'view.reason.restarted': 'The primary restarted and gave up its view',
  'view.reason.primaryLost': 'The primary had lost its disk',
  'view.reason.operator': 'The operator asked for it at {count} of {n} replicas',
  'view.reason.unknown': 'The reason was not observed',
} as const
export type ViewReasonKey = keyof typeof viewReasonSentences
export const voteReasons = [
  'request-timeout',
  'new-view-timeout',
  'joined',
  'invalid-new-view',
  'slow-primary',
  'restarted',
  'primary-lost',
  'operator',
] as const
